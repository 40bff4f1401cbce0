/* Figures of the calls of a feed by chain and window, from which rollups are made. */
#ifndef FUNCTRACE_ROLLUP_H
#define FUNCTRACE_ROLLUP_H

#include <setjmp.h>

#include "chains.h"

struct rollup_row { /* times are ticks; min is -1 and max 0 without a finished call */
    int64_t calls, failed, panicked, unfinished, total, self, suspended, min, max;
    int64_t slowest_start, failed_start;  /* of the longest call and of the first failed one; -1 for none */
    uint64_t slowest_track, failed_track; /* ids of their tracks */
    int32_t chain, window;
    int32_t table; /* its blocks, or -1 */
    int32_t padding;
};

struct rollup {
    jmp_buf *no_memory;
    int64_t *bounds; /* NULL: nothing is counted */
    uint64_t bound_count;
    double ns_per_tick;
    uint64_t window; /* that was found last */
    int32_t *slots; /* a hash table by chain and window: a row, or -1 */
    uint64_t slot_mask;
    struct rollup_row *rows;
    uint64_t row_count, row_capacity;
    int32_t (*tables)[EXPONENTS];
    uint64_t table_count, table_capacity;
    struct block *blocks; /* their owners are rows, their durations nanoseconds */
    uint64_t block_count, block_capacity;
};

/* Drop all rows, and count from now on by other windows; return 0 where memory has run out. */
int functrace_rollup_begin(struct rollup *rollup, const int64_t *bounds, uint64_t count, double ns_per_tick);
/* Count a call, and return its window or NO_WINDOW; longjmp to no_memory where memory has run out. */
int32_t functrace_rollup_count(struct rollup *rollup, const struct ended_call *call);
void functrace_rollup_reset(struct rollup *rollup);
void functrace_rollup_free(struct rollup *rollup);

#endif
