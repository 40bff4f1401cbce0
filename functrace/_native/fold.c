/* From the pieces of tracks to the tree of chains, histograms and single calls.
 * functrace/analysis/fold_python.py is the same in Python. */
#include <setjmp.h>

#include "trace.h"

enum {
    CALL_ERROR = 1,
    CALL_PANIC = 2,
    CALL_GOEXIT = 4,
    CALL_UNFINISHED = 8,
    CALL_CUT = 16
};
enum { EXPONENTS = 57, BUCKETS = 32 };

struct node { /* two lines of a cache */
    int64_t calls, total, self, suspended, min, max, errors, panics, unfinished;
    int64_t slowest_start, failed_start, failed_text, last;
    int32_t parent, function, slowest_track, failed_track;
    int32_t histogram;
    uint16_t failed_length;
    uint8_t started, recursive;
};

struct block {
    int32_t owner; /* a function, or ~ of a node */
    int32_t exponent;
    uint32_t counts[BUCKETS];
};

struct row {
    int64_t start, duration, suspended, text;
    uint32_t text_length, flags;
    int32_t node, function, track, depth, parent, padding;
};

struct track {
    int64_t start;
    int32_t parent, starter;
};

struct request {
    const uint8_t *data;
    uint64_t start;
    const struct piece *pieces;
    const int64_t *piece_of; /* track's first piece; one more than there are tracks */
    const struct track *tracks;
    const int32_t *function_of; /* by number; -1 where there is none */
    const uint8_t *wanted;      /* by track, or NULL: all */
    const uint8_t *histogram_of;   /* by function, or NULL: nodes have no histograms */
    const uint8_t *row_of;         /* by function, or NULL: all */
    const uint8_t *asked;          /* by function, or NULL: rows need not be in or around a call */
    int64_t track_count, number_count, function_count;
    int64_t end, since, until;
    int64_t node_limit, row_limit, row_duration;
    int64_t rows_failed_only, rows_around, rows_before;
    int64_t asked_since, asked_until;
};

struct counters {
    int64_t unknown, orphans, skipped, backwards, differing, lost, overflow, truncated;
};

struct result {
    struct node *nodes;
    uint64_t node_count, node_capacity;
    struct block *blocks;
    uint64_t block_count, block_capacity;
    struct row *rows;
    uint64_t row_count, row_capacity;
    struct counters counters;
};

/* What has ended in a call that may be listed and is open: rows whose parent it will be, whether
 * it is to be listed for what was in it, rows to be listed if a call that is asked for comes next. */
struct ended {
    int32_t rows, last_row, wanted;
    int32_t before, last_before, before_count;
    int32_t listed; /* the innermost that may be listed: this one, or one around it */
};

/* A call that is open. inside is how long the calls in it ran. */
struct frame {
    int64_t start, inside, waited;
    int32_t node, function, same, padding;
};

struct function {
    int32_t innermost; /* frame, or -1 */
    int32_t last_node;
    int32_t last_track; /* the track whose last call last_node is, or -1 */
    int32_t histogram;
};

struct edge {
    uint64_t key;
    int32_t node, used;
};

struct failure {
    uint32_t flags, length;
    int64_t text;
};

struct fold {
    const struct request *ask;
    struct result *out;
    struct function *functions;
    struct frame *frames;
    uint64_t depth, frame_capacity;
    struct ended *ended; /* where calls are listed: outside of any call, then of each frame */
    uint64_t ended_capacity;
    struct edge *edges;
    uint64_t edge_count, edge_mask;
    int32_t (*tables)[EXPONENTS];
    uint64_t table_count, table_capacity;
    int32_t *place;       /* by track: the node below which its chain goes on, or -1 */
    int32_t *first_child; /* by track: where its children begin; one more than there are tracks */
    int32_t *children;
    uint8_t *needed;
    struct row *pool; /* the rows that struct ended keeps before; parent is the next one */
    uint64_t pool_count, pool_capacity;
    int32_t pool_free;
    jmp_buf no_memory;
    /* of the track being folded */
    int32_t track, child, child_end;
    int64_t time, waited; /* where the track is, and how much of that it was suspended */
    int suspended;
    int64_t asked_open; /* calls that were asked for */
    struct failure failure;
    int tolerant, reopening;
    uint64_t reopened;
};

static void *checked(struct fold *f, void *memory) {
    if (!memory) longjmp(f->no_memory, 1);
    return memory;
}

#define ROOM(f, items, used, capacity) \
    ((items) = checked(f, room((items), (used), &(capacity), sizeof *(items))))

static int64_t add_time(int64_t sum, int64_t more) {
    return sum > 2 * TIME_LIMIT - more ? 2 * TIME_LIMIT : sum + more;
}

/* ---- nodes ---- */

static uint64_t edge_slot(uint64_t key, uint64_t mask) {
    key ^= key >> 32;
    key *= 0x9E3779B97F4A7C15u;
    return (key ^ key >> 29) & mask;
}

static struct edge *find_edge(struct edge *edges, uint64_t mask, uint64_t key) {
    uint64_t slot = edge_slot(key, mask);
    while (edges[slot].used && edges[slot].key != key) slot = (slot + 1) & mask;
    return &edges[slot];
}

static void grow_edges(struct fold *f) {
    uint64_t mask = f->edge_mask * 2 + 1;
    struct edge *grown = checked(f, calloc(mask + 1, sizeof *grown));
    for (uint64_t i = 0; i <= f->edge_mask; i++)
        if (f->edges[i].used) *find_edge(grown, mask, f->edges[i].key) = f->edges[i];
    free(f->edges);
    f->edges = grown;
    f->edge_mask = mask;
}

static int32_t add_node(struct fold *f, int32_t parent, int32_t function, int started) {
    struct result *out = f->out;
    ROOM(f, out->nodes, out->node_count, out->node_capacity);
    struct node *node = &out->nodes[out->node_count];
    memset(node, 0, sizeof *node);
    node->parent = parent;
    node->function = function;
    node->started = (uint8_t)started;
    node->min = -1;
    node->slowest_track = node->failed_track = node->histogram = -1;
    return (int32_t)out->node_count++;
}

/* Beyond the limit a chain that is new begins at its last function. */
static int32_t child_node(struct fold *f, int32_t parent, int32_t function, int started) {
    uint64_t key = (uint64_t)(uint32_t)(parent + 1) << 32 | (uint32_t)function << 1 | (uint32_t)started;
    struct edge *edge = find_edge(f->edges, f->edge_mask, key);
    if (edge->used) return edge->node;
    if (parent >= 0 && (int64_t)f->out->node_count >= f->ask->node_limit) {
        f->out->counters.overflow++;
        return child_node(f, -1, function, 0);
    }
    edge->key = key;
    edge->used = 1;
    edge->node = add_node(f, parent, function, started);
    int32_t node = edge->node;
    if (++f->edge_count * 2 > f->edge_mask) grow_edges(f);
    return node;
}

/* ---- histograms ---- */

static struct block *find_block(struct fold *f, int32_t *histogram, int32_t owner, int exponent) {
    if (*histogram < 0) {
        ROOM(f, f->tables, f->table_count, f->table_capacity);
        memset(f->tables[f->table_count], -1, sizeof f->tables[0]);
        *histogram = (int32_t)f->table_count++;
    }
    int32_t *index = &f->tables[*histogram][exponent];
    if (*index < 0) {
        ROOM(f, f->out->blocks, f->out->block_count, f->out->block_capacity);
        struct block *block = &f->out->blocks[f->out->block_count];
        memset(block, 0, sizeof *block);
        block->owner = owner;
        block->exponent = exponent;
        *index = (int32_t)f->out->block_count++;
    }
    return &f->out->blocks[*index];
}

static void note_duration(struct fold *f, int32_t *histogram, int32_t owner, int64_t duration) {
    int exponent = 0, bucket = (int)duration;
    if (duration >= BUCKETS) {
        int high = 63 - __builtin_clzll((unsigned long long)duration);
        exponent = high - 4;
        bucket = (int)(duration >> (high - 5)) & (BUCKETS - 1);
    }
    uint32_t *count = &find_block(f, histogram, owner, exponent)->counts[bucket];
    *count += *count != UINT32_MAX;
}

/* ---- calls ---- */

static void note_finished(struct fold *f, const struct frame *call, int64_t end) {
    struct node *node = &f->out->nodes[call->node];
    int64_t duration = end - call->start;
    if (node->min < 0 || duration < node->min) node->min = duration;
    if (node->slowest_track < 0 || duration > node->max) {
        node->max = duration;
        node->slowest_track = f->track;
        node->slowest_start = call->start;
    }
    if (end > node->last) node->last = end;
    note_duration(f, &f->functions[call->function].histogram, call->function, duration);
    if (f->ask->histogram_of && f->ask->histogram_of[call->function])
        note_duration(f, &node->histogram, ~call->node, duration);
}

static void note_unfinished(struct node *node, const struct frame *call) {
    node->unfinished++;
    if (call->start > node->last) node->last = call->start;
}

static void note_failure(struct fold *f, const struct frame *call) {
    struct node *node = &f->out->nodes[call->node];
    node->errors += (f->failure.flags & CALL_ERROR) != 0;
    node->panics += (f->failure.flags & CALL_PANIC) != 0;
    if (node->failed_track >= 0 && node->failed_start <= call->start) return;
    node->failed_track = f->track;
    node->failed_start = call->start;
    node->failed_text = f->failure.text;
    node->failed_length = (uint16_t)f->failure.length;
}

static int is_counted(const struct fold *f, int64_t start, int64_t end) {
    const struct request *ask = f->ask;
    return (!ask->wanted || ask->wanted[f->track]) && start <= ask->until && end >= ask->since;
}

static void nothing_ended(struct fold *f, uint64_t at, int32_t listed) {
    struct ended nothing = {-1, -1, 0, -1, -1, 0, listed};
    ROOM(f, f->ended, at, f->ended_capacity);
    f->ended[at] = nothing;
}

static int may_be_listed(const struct request *ask, int32_t function) {
    return !ask->row_of || ask->row_of[function];
}

static int is_asked(const struct request *ask, int32_t function) {
    return ask->asked && ask->asked[function];
}

static int row_wanted(const struct fold *f, const struct frame *call, const struct ended *own) {
    const struct request *ask = f->ask;
    if (ask->rows_around && own->wanted) return 1;
    if (ask->asked) return f->asked_open || is_asked(ask, call->function);
    return !ask->rows_failed_only || (f->failure.flags & (CALL_ERROR | CALL_PANIC));
}

/* Until a row's parent is known, its parent field is the next of those that wait for it. */
static void adopt_rows(struct fold *f, int32_t row, int32_t parent) {
    while (row >= 0) {
        int32_t next = f->out->rows[row].parent;
        f->out->rows[row].parent = parent;
        row = next;
    }
}

/* The rows that wait in a call that is not listed wait on in the one around it. */
static void pass_rows(struct fold *f, const struct ended *from, struct ended *to) {
    to->wanted |= from->wanted;
    if (from->rows < 0) return;
    if (to->rows < 0)
        to->rows = from->rows;
    else
        f->out->rows[to->last_row].parent = from->rows;
    to->last_row = from->last_row;
}

/* The row's parent is what waits for it, its own children are what waits in its call. */
static int add_row(struct fold *f, const struct row *row, struct ended *own) {
    struct result *out = f->out;
    if ((int64_t)out->row_count >= f->ask->row_limit) {
        out->counters.truncated = 1;
        return 0;
    }
    ROOM(f, out->rows, out->row_count, out->row_capacity);
    int32_t index = (int32_t)out->row_count++;
    adopt_rows(f, own->rows, index);
    out->rows[index] = *row;
    own->rows = own->last_row = index;
    return 1;
}

/* ---- calls just before one that is asked for ---- */

static int32_t pool_slot(struct fold *f) {
    int32_t slot = f->pool_free;
    if (slot >= 0) {
        f->pool_free = f->pool[slot].parent;
        return slot;
    }
    ROOM(f, f->pool, f->pool_count, f->pool_capacity);
    return (int32_t)f->pool_count++;
}

static void forget_before(struct fold *f, struct ended *around) {
    if (around->before < 0) return;
    f->pool[around->last_before].parent = f->pool_free;
    f->pool_free = around->before;
    around->before = around->last_before = -1;
    around->before_count = 0;
}

static void note_before(struct fold *f, const struct row *row, struct ended *around) {
    if (around->before_count == f->ask->rows_before) {
        int32_t oldest = around->before;
        around->before = f->pool[oldest].parent;
        f->pool[oldest].parent = f->pool_free;
        f->pool_free = oldest;
        around->before_count--;
    }
    int32_t slot = pool_slot(f);
    f->pool[slot] = *row;
    if (around->before_count++)
        f->pool[around->last_before].parent = slot;
    else
        around->before = slot;
    around->last_before = slot;
}

static void list_before(struct fold *f, struct ended *around) {
    for (int32_t slot = around->before; slot >= 0; slot = f->pool[slot].parent) {
        struct row row = f->pool[slot];
        struct ended own = {-1, -1, 0, -1, -1, 0, 0};
        row.parent = -1;
        if (is_counted(f, row.start, row.start + row.duration) && add_row(f, &row, &own)) pass_rows(f, &own, around);
    }
    forget_before(f, around);
}

/* The call has ended and is no frame any more; around is what has ended in the one around it, own in it.
 * What is asked for decides, and of that is listed what the window has, so that windows add up. */
static void list_call(struct fold *f, const struct frame *call, int64_t end, int64_t waited,
                      struct ended *around, struct ended *own) {
    const struct request *ask = f->ask;
    if (end - call->start < ask->row_duration || !may_be_listed(ask, call->function)) return;
    if (end < ask->asked_since || call->start > ask->asked_until) return;
    struct row row = {call->start, end - call->start, waited, f->failure.text, f->failure.length,
                      f->failure.flags, call->node, call->function, f->track, (int32_t)f->depth,
                      -1, 0};
    if (is_asked(ask, call->function) && !f->asked_open) list_before(f, around);
    if (row_wanted(f, call, own)) {
        own->wanted = 1;
        if (is_counted(f, call->start, end)) add_row(f, &row, own);
    } else if (ask->rows_before) {
        note_before(f, &row, around);
    }
}

static void count_call(struct fold *f, const struct frame *call, int64_t end, int64_t waited) {
    int64_t duration = end - call->start;
    struct node *node = &f->out->nodes[call->node];
    node->calls++;
    node->total = add_time(node->total, duration);
    if (waited) node->suspended = add_time(node->suspended, waited);
    duration -= waited;
    node->self = add_time(node->self, duration > call->inside ? duration - call->inside : 0);
    if (f->failure.flags & CALL_UNFINISHED)
        note_unfinished(node, call);
    else
        note_finished(f, call, end);
    if (f->failure.flags & (CALL_ERROR | CALL_PANIC)) note_failure(f, call);
}

/* The call is about to be the innermost frame. */
static void begin_listed(struct fold *f, const struct frame *call) {
    int32_t listed = f->ended[f->depth].listed;
    if (may_be_listed(f->ask, call->function)) listed = (int32_t)f->depth + 1;
    nothing_ended(f, f->depth + 1, listed);
    f->asked_open += is_asked(f->ask, call->function);
}

static void end_listed(struct fold *f, const struct frame *call, int64_t end, int64_t waited) {
    struct ended *around = &f->ended[f->ended[f->depth].listed], *own = &f->ended[f->depth + 1];
    f->asked_open -= is_asked(f->ask, call->function);
    list_call(f, call, end, waited, around, own);
    pass_rows(f, own, around);
    forget_before(f, own);
}

static void push_call(struct fold *f, int32_t function, int64_t start) {
    ROOM(f, f->frames, f->depth, f->frame_capacity);
    int32_t around = f->depth ? f->frames[f->depth - 1].node : f->place[f->track];
    struct function *state = &f->functions[function];
    struct frame *call = &f->frames[f->depth];
    call->start = start;
    call->inside = 0;
    call->waited = f->waited;
    call->node = child_node(f, around, function, f->depth == 0 && around >= 0);
    call->function = function;
    call->same = state->innermost;
    state->innermost = (int32_t)f->depth;
    state->last_node = call->node;
    state->last_track = f->track;
    if (f->ask->row_limit) begin_listed(f, call);
    f->depth++;
}

static void pop_call(struct fold *f, int64_t end) {
    struct frame *call = &f->frames[--f->depth];
    int64_t waited = f->waited - call->waited;
    f->functions[call->function].innermost = call->same;
    if (is_counted(f, call->start, end)) count_call(f, call, end, waited);
    if (f->depth) {
        struct frame *around = &f->frames[f->depth - 1];
        around->inside = add_time(around->inside, end - call->start - waited);
    }
    if (f->ask->row_limit) end_listed(f, call, end, waited);
}

static void abandon_calls(struct fold *f, uint64_t depth, int64_t end) {
    struct failure failure = f->failure;
    memset(&f->failure, 0, sizeof f->failure);
    f->failure.flags = CALL_UNFINISHED;
    while (f->depth > depth) pop_call(f, end);
    f->failure = failure;
}

/* ---- where children of a track go on ---- */

static int32_t place_of_child(const struct fold *f, int32_t starter) {
    if (starter >= 0) {
        const struct function *state = &f->functions[starter];
        if (state->innermost >= 0) return f->frames[state->innermost].node;
        if (state->last_track == f->track) return state->last_node;
    }
    return f->depth ? f->frames[f->depth - 1].node : f->place[f->track];
}

/* Children that begin before the time given go on in what is open now. */
static void place_children(struct fold *f, int64_t before) {
    while (f->child < f->child_end) {
        int32_t child = f->children[f->child];
        if (f->ask->tracks[child].start >= before) return;
        f->place[child] = place_of_child(f, f->ask->tracks[child].starter);
        f->child++;
    }
}

/* ---- words ---- */

static void pass_time(struct fold *f, int64_t until) {
    if (f->suspended) f->waited += until - f->time;
    f->time = until;
}

/* Whatever the track does now, it runs; a track that is suspended once more says so after this. */
static int64_t move_time(struct fold *f, uint64_t ticks) {
    int64_t time = ticks_since(ticks, f->ask->start);
    if (time < f->time) {
        f->out->counters.backwards++;
        time = f->time;
    }
    pass_time(f, time);
    f->suspended = 0;
    place_children(f, time);
    return time;
}

static int32_t known_function(struct fold *f, uint64_t number) {
    int32_t function =
        number < (uint64_t)f->ask->number_count ? f->ask->function_of[number] : -1;
    f->out->counters.unknown += function < 0;
    return function;
}

static void on_exit(struct fold *f, int32_t function, int64_t time) {
    int32_t index = f->functions[function].innermost;
    if (index < 0) {
        f->out->counters.orphans += !f->tolerant;
    } else {
        uint64_t above = f->depth - 1 - (uint64_t)index;
        if (above) {
            if (!f->tolerant) f->out->counters.skipped += (int64_t)above;
            abandon_calls(f, (uint64_t)index + 1, time);
        }
        pop_call(f, time);
    }
    memset(&f->failure, 0, sizeof f->failure);
}

static void on_failure(struct fold *f, uint64_t word, uint64_t payload) {
    uint64_t value = record_value(word);
    uint32_t flag = CALL_ERROR;
    if (record_type(word) == RECORD_PANIC) flag = value == 2 ? CALL_GOEXIT : CALL_PANIC;
    f->failure.flags |= flag | (value == 1 ? CALL_CUT : 0);
    f->failure.text = (int64_t)payload;
    f->failure.length = record_bytes(word);
}

/* A call that was open where the chunk begins: already known, or the track's calls are not these. */
static void on_open(struct fold *f, uint64_t ticks, uint64_t number) {
    int64_t start = ticks_since(ticks, f->ask->start);
    int32_t function = known_function(f, number);
    if (function < 0) return;
    uint64_t index = f->reopened++;
    if (index < f->depth && f->frames[index].function == function &&
        f->frames[index].start == start)
        return;
    abandon_calls(f, index, f->time);
    if (index && start < f->frames[index - 1].start) start = f->frames[index - 1].start;
    place_children(f, start);
    if (start > f->time) pass_time(f, start);
    push_call(f, function, start);
}

/* Called where a chunk's first event comes: by now the calls that it says are open should be. */
static void settle(struct fold *f, const struct piece *piece) {
    f->reopening = 0;
    uint64_t open = f->reopened ? f->reopened : piece->open;
    if (f->depth == open) return;
    if (!f->reopened && !f->tolerant) f->out->counters.differing++;
    abandon_calls(f, open, f->time);
}

static uint64_t on_record(struct fold *f, const struct piece *piece, uint64_t at, uint64_t word,
                          uint64_t base) {
    const uint8_t *payload = f->ask->data + at + 8;
    uint32_t bytes = record_bytes(word);
    switch (record_type(word)) {
    case RECORD_BASE:
        return bytes >= 8 ? load64(payload) : base;
    case RECORD_ERROR:
    case RECORD_PANIC:
        if (f->reopening) settle(f, piece);
        on_failure(f, word, at + 8);
        break;
    case RECORD_OPEN:
        if (f->reopening && bytes >= 16) on_open(f, load64(payload), load64(payload + 8));
        break;
    case RECORD_LOST:
        f->out->counters.lost += (int64_t)record_value(word);
        f->tolerant = 1;
        f->suspended = 0;
        break;
    case RECORD_SUSPENDED:
    case RECORD_RESUMED:
        if (f->reopening) settle(f, piece);
        move_time(f, base + record_value(word));
        f->suspended = record_type(word) == RECORD_SUSPENDED;
        break;
    default:
        break;
    }
    return base;
}

static void on_event(struct fold *f, uint64_t word, uint64_t base) {
    int32_t function = known_function(f, word_function(word));
    int64_t time = move_time(f, base + word_ticks(word));
    if ((word & 3) == WORD_EXIT) {
        if (function >= 0)
            on_exit(f, function, time);
        else
            memset(&f->failure, 0, sizeof f->failure);
    } else if (function >= 0) {
        push_call(f, function, time);
    }
}

static void fold_piece(struct fold *f, const struct piece *piece) {
    uint64_t at = piece->offset, end = at + (uint64_t)piece->words * 8;
    uint64_t base = piece->base;
    f->reopening = piece->begins != 0;
    f->reopened = 0;
    while (at < end) {
        uint64_t word = load64(f->ask->data + at);
        uint32_t kind = word & 3;
        if (kind == WORD_ENTRY || kind == WORD_EXIT) {
            if (f->reopening) settle(f, piece);
            on_event(f, word, base);
        } else if (kind == WORD_RECORD) {
            if (record_size(word) > end - at) break;
            base = on_record(f, piece, at, word, base);
            at += record_size(word) - 8;
        }
        at += 8;
    }
    if (f->reopening) settle(f, piece);
}

/* ---- tracks ---- */

static void fold_track(struct fold *f, int32_t track) {
    f->track = track;
    f->child = f->first_child[track];
    f->child_end = f->first_child[track + 1];
    f->time = f->waited = 0;
    f->tolerant = f->suspended = 0;
    nothing_ended(f, 0, 0);
    memset(&f->failure, 0, sizeof f->failure);
    for (int64_t i = f->ask->piece_of[track]; i < f->ask->piece_of[track + 1]; i++)
        fold_piece(f, &f->ask->pieces[i]);
    place_children(f, INT64_MAX);
    if (f->ask->end > f->time) pass_time(f, f->ask->end);
    abandon_calls(f, 0, f->time);
    adopt_rows(f, f->ended[0].rows, -1);
    forget_before(f, &f->ended[0]);
}

/* Tracks come in the order of their beginnings, and so do the children of each. */
static void list_children(struct fold *f) {
    int64_t count = f->ask->track_count;
    const struct track *tracks = f->ask->tracks;
    f->first_child = checked(f, calloc((size_t)count + 2, sizeof *f->first_child));
    f->children = checked(f, calloc((size_t)count + 1, sizeof *f->children));
    int32_t *next = f->first_child + 1;
    for (int64_t i = 0; i < count; i++)
        if (tracks[i].parent >= 0) next[tracks[i].parent + 1]++;
    for (int64_t i = 1; i <= count; i++) next[i] += next[i - 1];
    for (int64_t i = 0; i < count; i++)
        if (tracks[i].parent >= 0) f->children[next[tracks[i].parent]++] = (int32_t)i;
}

/* A track's place in the tree comes from its parent, so parents of what is wanted are needed. */
static void list_needed(struct fold *f) {
    const struct request *ask = f->ask;
    f->needed = checked(f, malloc((size_t)ask->track_count + 1));
    memset(f->needed, 1, (size_t)ask->track_count);
    if (!ask->wanted) return;
    memcpy(f->needed, ask->wanted, (size_t)ask->track_count);
    for (int64_t i = ask->track_count - 1; i >= 0; i--)
        if (f->needed[i] && ask->tracks[i].parent >= 0) f->needed[ask->tracks[i].parent] = 1;
}

static void prepare(struct fold *f) {
    size_t tracks = (size_t)f->ask->track_count + 1;
    size_t functions = (size_t)f->ask->function_count + 1;
    f->place = checked(f, malloc(tracks * sizeof *f->place));
    memset(f->place, -1, tracks * sizeof *f->place);
    f->functions = checked(f, malloc(functions * sizeof *f->functions));
    memset(f->functions, -1, functions * sizeof *f->functions);
    f->pool_free = -1;
    f->edge_mask = 1023;
    f->edges = checked(f, calloc(f->edge_mask + 1, sizeof *f->edges));
    list_children(f);
    list_needed(f);
}

/* ---- the end: what nothing was counted for goes, what is recursive is marked ---- */

static void remap(struct result *out, const int32_t *kept) {
    for (uint64_t i = 0; i < out->row_count; i++) out->rows[i].node = kept[out->rows[i].node];
    for (uint64_t i = 0; i < out->block_count; i++)
        if (out->blocks[i].owner < 0) out->blocks[i].owner = ~kept[~out->blocks[i].owner];
}

static void drop_empty(struct fold *f) {
    struct result *out = f->out;
    int32_t *kept = checked(f, calloc(out->node_count + 1, sizeof *kept));
    for (uint64_t i = out->node_count; i-- > 0;) {
        struct node *node = &out->nodes[i];
        kept[i] |= node->calls > 0;
        if (kept[i] && node->parent >= 0) kept[node->parent] = 1;
    }
    uint64_t count = 0;
    for (uint64_t i = 0; i < out->node_count; i++) {
        if (!kept[i]) continue;
        kept[i] = (int32_t)count;
        out->nodes[count] = out->nodes[i];
        if (out->nodes[count].parent >= 0) out->nodes[count].parent = kept[out->nodes[count].parent];
        count++;
    }
    out->node_count = count;
    remap(out, kept);
    free(kept);
}

/* Depth first, with the number of nodes of each function on the way down to where we are. */
static void walk_tree(struct node *nodes, int64_t count, int32_t *first, int32_t *next,
                      int32_t *above) {
    int32_t root = -1;
    for (int64_t i = count - 1; i >= 0; i--) {
        int32_t *head = nodes[i].parent >= 0 ? &first[nodes[i].parent] : &root;
        next[i] = *head;
        *head = (int32_t)i;
    }
    int32_t at = root;
    while (at >= 0) {
        nodes[at].recursive = above[nodes[at].function]++ > 0;
        if (first[at] >= 0) {
            at = first[at];
            continue;
        }
        while (at >= 0) {
            above[nodes[at].function]--;
            if (next[at] >= 0) break;
            at = nodes[at].parent;
        }
        if (at >= 0) at = next[at];
    }
}

static void mark_recursive(struct fold *f) {
    struct result *out = f->out;
    int32_t *first = malloc((out->node_count + 1) * sizeof *first);
    int32_t *next = malloc((out->node_count + 1) * sizeof *next);
    int32_t *above = calloc((size_t)f->ask->function_count + 1, sizeof *above);
    int enough = first && next && above;
    if (enough) {
        memset(first, -1, (out->node_count + 1) * sizeof *first);
        walk_tree(out->nodes, (int64_t)out->node_count, first, next, above);
    }
    free(first);
    free(next);
    free(above);
    checked(f, enough ? out : NULL);
}

static void release(struct fold *f) {
    free(f->functions);
    free(f->frames);
    free(f->edges);
    free(f->tables);
    free(f->place);
    free(f->first_child);
    free(f->children);
    free(f->needed);
    free(f->pool);
    free(f->ended);
    free(f);
}

int functrace_fold(const struct request *ask, struct result *out) {
    struct fold *f = calloc(1, sizeof *f);
    if (!f) return STATUS_MEMORY;
    f->ask = ask;
    f->out = out;
    if (setjmp(f->no_memory)) {
        release(f);
        return STATUS_MEMORY;
    }
    prepare(f);
    for (int32_t track = 0; track < ask->track_count; track++)
        if (f->needed[track]) fold_track(f, track);
    drop_empty(f);
    mark_recursive(f);
    release(f);
    return STATUS_OK;
}

void functrace_release_result(struct result *result) {
    free(result->nodes);
    free(result->blocks);
    free(result->rows);
}
