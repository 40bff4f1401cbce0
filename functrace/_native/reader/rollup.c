#include "rollup.h"

#include "track.h"
#include "windows.h"

static void *checked(struct rollup *rollup, void *memory) {
    if (!memory) longjmp(*rollup->no_memory, 1);
    return memory;
}

#define ROOM(rollup, items, used, capacity) \
    ((items) = checked(rollup, room((items), (used), &(capacity), sizeof *(items))))

static int64_t add_time(int64_t sum, int64_t more) {
    return sum > 2 * TIME_LIMIT - more ? 2 * TIME_LIMIT : sum + more;
}

/* ---- rows ---- */

static int32_t *latest_row(struct rollup *rollup, int32_t chain) {
    uint64_t needed = (uint64_t)chain + 1;
    if (needed > rollup->chain_count) {
        uint64_t count = needed * 2;
        rollup->row_of = checked(rollup, realloc(rollup->row_of, count * sizeof *rollup->row_of));
        memset(rollup->row_of + rollup->chain_count, -1, (count - rollup->chain_count) * sizeof *rollup->row_of);
        rollup->chain_count = count;
    }
    return &rollup->row_of[chain];
}

static struct rollup_row *row_in_window(struct rollup *rollup, int32_t chain) {
    int32_t *latest = latest_row(rollup, chain), window = (int32_t)rollup->window;
    for (int32_t row = *latest; row >= 0; row = rollup->rows[row].next)
        if (rollup->rows[row].window == window) return &rollup->rows[row];
    ROOM(rollup, rollup->rows, rollup->row_count, rollup->row_capacity);
    struct rollup_row none = {0, 0, 0, 0, 0, 0, 0, -1, 0, -1, -1, 0, 0, chain, window, -1, *latest};
    *latest = (int32_t)rollup->row_count;
    rollup->rows[rollup->row_count] = none;
    return &rollup->rows[rollup->row_count++];
}

static struct block *find_block(struct rollup *rollup, struct rollup_row *row, int exponent) {
    if (row->table < 0) {
        ROOM(rollup, rollup->tables, rollup->table_count, rollup->table_capacity);
        memset(rollup->tables[rollup->table_count], -1, sizeof rollup->tables[0]);
        row->table = (int32_t)rollup->table_count++;
    }
    int32_t *index = &rollup->tables[row->table][exponent];
    if (*index < 0) {
        ROOM(rollup, rollup->blocks, rollup->block_count, rollup->block_capacity);
        struct block *block = &rollup->blocks[rollup->block_count];
        memset(block, 0, sizeof *block);
        block->owner = (int32_t)(row - rollup->rows);
        block->exponent = exponent;
        *index = (int32_t)rollup->block_count++;
    }
    return &rollup->blocks[*index];
}

/* ---- calls ---- */

static void count_finished(struct rollup *rollup, struct rollup_row *row, const struct ended_call *call) {
    int bucket, exponent = bucket_of(to_nanoseconds(call->duration, rollup->ns_per_tick), &bucket);
    count_in(find_block(rollup, row, exponent), bucket);
    if (row->min < 0 || call->duration < row->min) row->min = call->duration;
    if (row->slowest_start >= 0 && call->duration <= row->max) return;
    row->max = call->duration;
    row->slowest_start = call->start;
    row->slowest_track = call->track;
}

static void count_failed(struct rollup_row *row, const struct ended_call *call) {
    row->failed++;
    row->panicked += (call->flags & CALL_PANIC) != 0;
    if (row->failed_start >= 0 && row->failed_start <= call->start) return;
    row->failed_start = call->start;
    row->failed_track = call->track;
}

int32_t functrace_rollup_count(struct rollup *rollup, const struct ended_call *call) {
    int64_t end = call->start + call->duration;
    if (!rollup->bounds || !find_window(rollup->bounds, rollup->bound_count, end, &rollup->window)) return NO_WINDOW;
    struct rollup_row *row = row_in_window(rollup, call->chain);
    row->calls++;
    if (!(call->flags & CALL_END_UNKNOWN)) {
        row->total = add_time(row->total, call->duration);
        row->self = add_time(row->self, call->self);
        row->suspended = add_time(row->suspended, call->suspended);
    }
    if (call->flags & (CALL_UNFINISHED | CALL_END_UNKNOWN))
        row->unfinished++;
    else
        count_finished(rollup, row, call);
    if (call->flags & (CALL_ERROR | CALL_PANIC)) count_failed(row, call);
    return row->window;
}

/* ---- windows ---- */

void functrace_rollup_reset(struct rollup *rollup) {
    for (uint64_t i = 0; i < rollup->row_count; i++) rollup->row_of[rollup->rows[i].chain] = -1;
    rollup->row_count = rollup->table_count = rollup->block_count = 0;
}

int functrace_rollup_begin(struct rollup *rollup, const int64_t *bounds, uint64_t count, double ns_per_tick) {
    int64_t *copy = malloc(count * sizeof *copy);
    if (!copy) return 0;
    memcpy(copy, bounds, count * sizeof *copy);
    functrace_rollup_reset(rollup);
    free(rollup->bounds);
    rollup->bounds = copy;
    rollup->bound_count = count;
    rollup->ns_per_tick = ns_per_tick;
    rollup->window = 0;
    return 1;
}

void functrace_rollup_free(struct rollup *rollup) {
    free(rollup->bounds);
    free(rollup->row_of);
    free(rollup->rows);
    free(rollup->tables);
    free(rollup->blocks);
}
