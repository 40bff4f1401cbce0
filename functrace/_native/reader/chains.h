/* The call chains of a process that is followed, and figures of the calls that ended since the last query. */
#ifndef FUNCTRACE_CHAINS_H
#define FUNCTRACE_CHAINS_H

#include <setjmp.h>

#include "histogram.h"
#include "trace.h"

/* The chain of all calls whose chains are beyond the limit, and the text of failures beyond that on texts. */
enum { OTHER_CHAIN = 0, OTHER_TEXT = -1, NO_WINDOW = -1 };

struct chain { /* parent and function are -1 for none */
    int32_t parent, function;
    int32_t started; /* 1: on a track that a call of the parent started */
};

struct chain_figures { /* of calls that ended; total and max are ticks */
    int64_t calls, failed, panicked, unfinished, total, max;
    int32_t chain, table; /* table: its blocks, or -1 */
};

struct chain_failure { /* failed calls of a chain with a text */
    int64_t calls, text;
    uint32_t text_length;
    int32_t chain, panicked, window; /* window: that of a rollup, or NO_WINDOW */
};

struct chain_open { /* calls of a chain that are open; all but the count is that of the longest */
    int64_t start, calls;
    int32_t chain, track, suspended, padding;
};

struct chain_edge {
    uint64_t key;
    int32_t chain, is_used;
};

struct chain_table {
    jmp_buf *no_memory;
    uint64_t limit;
    struct chain *chains;
    uint64_t chain_count, chain_capacity;
    uint64_t listed; /* chains that a query has returned */
    struct chain_edge *edges;
    uint64_t edge_mask;
    int32_t *figures_of, *open_of; /* by chain: an index, or -1 */
    uint64_t figures_of_capacity, open_of_capacity;
    struct chain_figures *figures;
    uint64_t figure_count, figure_capacity;
    int32_t (*tables)[EXPONENTS];
    uint64_t table_count, table_capacity;
    struct block *blocks;
    uint64_t block_count, block_capacity;
    struct chain_failure *failures;
    uint64_t failure_count, failure_capacity;
    int32_t *failure_slots;
    uint8_t *texts;
    uint64_t text_count, text_capacity;
    struct chain_open *open;
    uint64_t open_count, open_capacity;
};

struct ended_call {
    int32_t chain;
    uint32_t flags; /* CALL_ERROR and the like */
    int64_t start, duration, self, suspended;
    uint64_t track; /* its id */
    const uint8_t *text;
    uint32_t text_length;
    int32_t window; /* that of a rollup, or NO_WINDOW */
};

/* All functions longjmp to no_memory where memory has run out; open returns NULL. */
struct chain_table *functrace_chains_open(uint64_t limit, jmp_buf *no_memory);
void functrace_chains_close(struct chain_table *table);
/* Return the chain of a call of a function in a chain, or -1; `started`: on a track that the call started. */
int32_t functrace_chain_of(struct chain_table *table, int32_t parent, int32_t function, int started);
void functrace_chains_count(struct chain_table *table, const struct ended_call *call);
void functrace_chains_list_open(struct chain_table *table, int32_t chain, int64_t start, int32_t track, int suspended);
/* Begin the next window. */
void functrace_chains_reset(struct chain_table *table);

#endif
