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

static uint64_t slot_of(int32_t chain, int32_t window, uint64_t mask) {
    uint64_t key = (uint64_t)(uint32_t)chain << 32 | (uint32_t)window;
    key *= 0x9E3779B97F4A7C15u;
    return (key ^ key >> 32) & mask;
}

/* Return the slot of the row of a chain in a window, which is empty if there is no such row. */
static int32_t *find_slot(const struct rollup *rollup, int32_t chain, int32_t window) {
    uint64_t slot = slot_of(chain, window, rollup->slot_mask);
    for (;; slot = (slot + 1) & rollup->slot_mask) {
        int32_t row = rollup->slots[slot];
        if (row < 0 || (rollup->rows[row].chain == chain && rollup->rows[row].window == window))
            return &rollup->slots[slot];
    }
}

static void grow_slots(struct rollup *rollup) {
    uint64_t count = rollup->slots ? (rollup->slot_mask + 1) * 2 : 1024;
    int32_t *grown = checked(rollup, malloc(count * sizeof *grown));
    memset(grown, -1, count * sizeof *grown);
    free(rollup->slots);
    rollup->slots = grown;
    rollup->slot_mask = count - 1;
    for (uint64_t i = 0; i < rollup->row_count; i++)
        *find_slot(rollup, rollup->rows[i].chain, rollup->rows[i].window) = (int32_t)i;
}

static struct rollup_row *row_in_window(struct rollup *rollup, int32_t chain) {
    if (!rollup->slots || rollup->row_count * 2 > rollup->slot_mask) grow_slots(rollup);
    int32_t window = (int32_t)rollup->window, *slot = find_slot(rollup, chain, window);
    if (*slot >= 0) return &rollup->rows[*slot];
    ROOM(rollup, rollup->rows, rollup->row_count, rollup->row_capacity);
    struct rollup_row none = {0, 0, 0, 0, 0, 0, 0, -1, 0, -1, -1, 0, 0, chain, window, -1, 0};
    *slot = (int32_t)rollup->row_count;
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
    if (rollup->row_count) memset(rollup->slots, -1, (rollup->slot_mask + 1) * sizeof *rollup->slots);
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
    free(rollup->slots);
    free(rollup->rows);
    free(rollup->tables);
    free(rollup->blocks);
}
