#include "chains.h"

#include "track.h"

/* Limits on what is kept of the texts of a window. */
enum { MAX_FAILURES = 4096, FAILURE_SLOTS = 4 * MAX_FAILURES, MAX_TEXT = 1000 };

static void *checked(struct chain_table *table, void *memory) {
    if (!memory) longjmp(*table->no_memory, 1);
    return memory;
}

#define ROOM(table, items, used, capacity) \
    ((items) = checked(table, room((items), (used), &(capacity), sizeof *(items))))

/* ---- chains ---- */

static uint64_t edge_slot(uint64_t key, uint64_t mask) {
    key ^= key >> 32;
    key *= 0x9E3779B97F4A7C15u;
    return (key ^ key >> 29) & mask;
}

static struct chain_edge *find_edge(struct chain_edge *edges, uint64_t mask, uint64_t key) {
    uint64_t slot = edge_slot(key, mask);
    while (edges[slot].is_used && edges[slot].key != key) slot = (slot + 1) & mask;
    return &edges[slot];
}

static void grow_edges(struct chain_table *table) {
    uint64_t mask = table->edge_mask * 2 + 1;
    struct chain_edge *grown = checked(table, calloc(mask + 1, sizeof *grown));
    for (uint64_t i = 0; i <= table->edge_mask; i++)
        if (table->edges[i].is_used) *find_edge(grown, mask, table->edges[i].key) = table->edges[i];
    free(table->edges);
    table->edges = grown;
    table->edge_mask = mask;
}

static int32_t add_chain(struct chain_table *table, int32_t parent, int32_t function, int32_t started) {
    struct chain chain = {parent, function, started};
    ROOM(table, table->chains, table->chain_count, table->chain_capacity);
    ROOM(table, table->figures_of, table->chain_count, table->figures_of_capacity);
    ROOM(table, table->open_of, table->chain_count, table->open_of_capacity);
    table->chains[table->chain_count] = chain;
    table->figures_of[table->chain_count] = table->open_of[table->chain_count] = -1;
    return (int32_t)table->chain_count++;
}

int32_t functrace_chain_of(struct chain_table *table, int32_t parent, int32_t function, int started) {
    if (parent == OTHER_CHAIN) return OTHER_CHAIN;
    uint64_t key = (uint64_t)(uint32_t)(parent + 1) << 32 | (uint32_t)function << 1 | (uint32_t)started;
    struct chain_edge *edge = find_edge(table->edges, table->edge_mask, key);
    if (edge->is_used) return edge->chain;
    if (table->chain_count > table->limit) return OTHER_CHAIN;
    int32_t chain = add_chain(table, parent, function, started);
    edge->key = key;
    edge->is_used = 1;
    edge->chain = chain;
    if (table->chain_count * 2 > table->edge_mask) grow_edges(table);
    return chain;
}

/* ---- calls that ended ---- */

static struct chain_figures *figures_of(struct chain_table *table, int32_t chain) {
    int32_t row = table->figures_of[chain];
    if (row >= 0) return &table->figures[row];
    ROOM(table, table->figures, table->figure_count, table->figure_capacity);
    struct chain_figures none = {0, 0, 0, 0, 0, 0, chain, -1};
    table->figures_of[chain] = (int32_t)table->figure_count;
    table->figures[table->figure_count] = none;
    return &table->figures[table->figure_count++];
}

static struct block *find_block(struct chain_table *table, struct chain_figures *figures, int exponent) {
    if (figures->table < 0) {
        ROOM(table, table->tables, table->table_count, table->table_capacity);
        memset(table->tables[table->table_count], -1, sizeof table->tables[0]);
        figures->table = (int32_t)table->table_count++;
    }
    int32_t *index = &table->tables[figures->table][exponent];
    if (*index < 0) {
        ROOM(table, table->blocks, table->block_count, table->block_capacity);
        struct block *block = &table->blocks[table->block_count];
        memset(block, 0, sizeof *block);
        block->owner = figures->chain;
        block->exponent = exponent;
        *index = (int32_t)table->block_count++;
    }
    return &table->blocks[*index];
}

static void count_duration(struct chain_table *table, struct chain_figures *figures, int64_t duration) {
    int bucket, exponent = bucket_of(duration, &bucket);
    count_in(find_block(table, figures, exponent), bucket);
    if (duration > figures->max) figures->max = duration;
}

/* ---- texts of failures ---- */

/* The length of a text without a character that is cut off. */
static uint32_t kept_length(const uint8_t *text, uint32_t length) {
    if (length <= MAX_TEXT) return length;
    length = MAX_TEXT;
    while (length && (text[length] & 0xC0) == 0x80) length--;
    return length;
}

static uint64_t hash_of(const struct chain_failure *failure, const uint8_t *text) {
    uint64_t hash = (uint64_t)(uint32_t)failure->chain << 1 | (uint64_t)failure->panicked;
    hash ^= (uint64_t)failure->text_length << 40 ^ (uint64_t)(failure->text == OTHER_TEXT) << 60;
    hash ^= (uint64_t)(uint32_t)failure->window << 48;
    uint32_t at = 0;
    for (; at + 8 <= failure->text_length; at += 8) hash = (hash ^ load64(text + at)) * 0x9E3779B97F4A7C15u, hash ^= hash >> 29;
    for (; at < failure->text_length; at++) hash = (hash ^ text[at]) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

static int is_same(const struct chain_table *table, const struct chain_failure *a, const struct chain_failure *b,
                   const uint8_t *text_of_b) {
    if (a->chain != b->chain || a->panicked != b->panicked || a->text_length != b->text_length) return 0;
    if (a->window != b->window) return 0;
    if ((a->text == OTHER_TEXT) != (b->text == OTHER_TEXT)) return 0;
    return !a->text_length || !memcmp(table->texts + a->text, text_of_b, a->text_length);
}

static int32_t *failure_slot(struct chain_table *table, const struct chain_failure *failure, const uint8_t *text) {
    uint64_t slot = hash_of(failure, text) % FAILURE_SLOTS;
    while (table->failure_slots[slot] >= 0 &&
           !is_same(table, &table->failures[table->failure_slots[slot]], failure, text))
        slot = (slot + 1) % FAILURE_SLOTS;
    return &table->failure_slots[slot];
}

static int64_t add_text(struct chain_table *table, const uint8_t *text, uint32_t length) {
    uint64_t at = table->text_count, end = at + length;
    if (end > table->text_capacity) {
        table->texts = checked(table, realloc(table->texts, end * 2));
        table->text_capacity = end * 2;
    }
    if (length) memcpy(table->texts + at, text, length);
    table->text_count = end;
    return (int64_t)at;
}

/* Texts beyond the limit are counted as one, per chain and window; beyond twice that as the other chain's,
 * in no window. So there are always empty slots. */
static void count_text(struct chain_table *table, const struct ended_call *call) {
    struct chain_failure failure = {0, 0, kept_length(call->text, call->text_length), call->chain,
                                    (call->flags & CALL_PANIC) != 0, call->window};
    int32_t *slot = failure_slot(table, &failure, call->text);
    if (*slot < 0 && table->failure_count >= MAX_FAILURES) {
        failure.text = OTHER_TEXT;
        failure.text_length = 0;
        if (table->failure_count >= 2 * MAX_FAILURES) {
            failure.chain = OTHER_CHAIN;
            failure.window = NO_WINDOW;
        }
        slot = failure_slot(table, &failure, call->text);
    }
    if (*slot < 0) {
        ROOM(table, table->failures, table->failure_count, table->failure_capacity);
        if (failure.text != OTHER_TEXT) failure.text = add_text(table, call->text, failure.text_length);
        table->failures[table->failure_count] = failure;
        *slot = (int32_t)table->failure_count++;
    }
    table->failures[*slot].calls++;
}

void functrace_chains_count(struct chain_table *table, const struct ended_call *call) {
    struct chain_figures *figures = figures_of(table, call->chain);
    figures->calls++;
    if (!(call->flags & CALL_END_UNKNOWN)) {
        int64_t sum = figures->total;
        figures->total = sum > 2 * TIME_LIMIT - call->duration ? 2 * TIME_LIMIT : sum + call->duration;
    }
    if (call->flags & (CALL_UNFINISHED | CALL_END_UNKNOWN))
        figures->unfinished++;
    else
        count_duration(table, figures, call->duration);
    if (!(call->flags & (CALL_ERROR | CALL_PANIC))) return;
    figures->failed++;
    figures->panicked += (call->flags & CALL_PANIC) != 0;
    count_text(table, call);
}

/* ---- calls that are open ---- */

void functrace_chains_list_open(struct chain_table *table, int32_t chain, int64_t start, int32_t track, int suspended) {
    int32_t *row = &table->open_of[chain];
    if (*row < 0) {
        struct chain_open none = {INT64_MAX, 0, chain, track, suspended, 0};
        ROOM(table, table->open, table->open_count, table->open_capacity);
        *row = (int32_t)table->open_count;
        table->open[table->open_count++] = none;
    }
    struct chain_open *open = &table->open[*row];
    open->calls++;
    if (start >= open->start) return;
    open->start = start;
    open->track = track;
    open->suspended = suspended;
}

/* ---- windows ---- */

void functrace_chains_reset(struct chain_table *table) {
    for (uint64_t i = 0; i < table->figure_count; i++) table->figures_of[table->figures[i].chain] = -1;
    for (uint64_t i = 0; i < table->open_count; i++) table->open_of[table->open[i].chain] = -1;
    if (table->failure_count) memset(table->failure_slots, -1, FAILURE_SLOTS * sizeof *table->failure_slots);
    table->listed = table->chain_count;
    table->figure_count = table->table_count = table->block_count = 0;
    table->failure_count = table->text_count = table->open_count = 0;
}

static int prepare(struct chain_table *table) {
    table->edge_mask = 1023;
    table->edges = calloc(table->edge_mask + 1, sizeof *table->edges);
    table->failure_slots = malloc(FAILURE_SLOTS * sizeof *table->failure_slots);
    table->chains = room(NULL, 0, &table->chain_capacity, sizeof *table->chains);
    table->figures_of = room(NULL, 0, &table->figures_of_capacity, sizeof *table->figures_of);
    table->open_of = room(NULL, 0, &table->open_of_capacity, sizeof *table->open_of);
    if (!table->edges || !table->failure_slots || !table->chains || !table->figures_of || !table->open_of) return 0;
    memset(table->failure_slots, -1, FAILURE_SLOTS * sizeof *table->failure_slots);
    add_chain(table, -1, -1, 0);
    return 1;
}

struct chain_table *functrace_chains_open(uint64_t limit, jmp_buf *no_memory) {
    struct chain_table *table = calloc(1, sizeof *table);
    if (!table) return NULL;
    table->no_memory = no_memory;
    table->limit = limit < INT32_MAX / 2 ? limit : INT32_MAX / 2;
    if (prepare(table)) return table;
    functrace_chains_close(table);
    return NULL;
}

void functrace_chains_close(struct chain_table *table) {
    if (!table) return;
    free(table->chains);
    free(table->edges);
    free(table->figures_of);
    free(table->open_of);
    free(table->figures);
    free(table->tables);
    free(table->blocks);
    free(table->failures);
    free(table->failure_slots);
    free(table->texts);
    free(table->open);
    free(table);
}
