/* Fold the pieces of tracks into the tree of chains, histograms and single calls.
 * The reference implementation is tests/reference/fold.py. */
#include "fold.h"

#include "windows.h"

struct frame { /* its id is its node; inside is how long the calls in it ran */
    OPEN_CALL;
    int64_t inside, waited, number;
};

struct function {
    LAST_CALL;
    int32_t histogram;
};

/* The calls of a node in one call of its caller, which come one after another. */
struct repetition {
    int64_t caller, calls;
};

struct edge {
    uint64_t key;
    int32_t node, used;
};

struct edges {
    struct edge *items;
    uint64_t count, mask;
};

struct walk {
    struct position at;
    jmp_buf no_memory;
    struct frame *frames;
    struct function *functions;
    const struct fold_request *ask;
    struct fold_result *out;
    struct listing *listings;
    struct repetition *repetitions; /* by node */
    uint64_t repetition_capacity;
    int64_t frame_count; /* frames so far, by which a call has its number */
    int64_t inherited_calls; /* of these */
    uint64_t request_depth;  /* the innermost open request's frame, plus 1; 0 without one */
    /* where requests are listed */
    int32_t *inbound_of;    /* by track: the row of the inbound call that it is part of, or -1, or AS_PARENT */
    uint64_t counted_levels; /* outer levels of calls that are counted for each track */
    int64_t level_calls[2], inbound_calls; /* of the track */
    int64_t checked_piece;                 /* pieces of the track before it are whole */
    struct edges edges;   /* by parent and function */
    struct edges origins; /* by the node without origin and the origin */
    struct edges windows; /* by the node and the window */
    int32_t (*tables)[EXPONENTS];
    uint64_t table_count, table_capacity;
    int32_t *place; /* by track: the node below which its chain goes on, or -1 */
    uint8_t *needed;
    uint8_t *is_cut; /* by track: its chains lack callers on other tracks */
    uint64_t window; /* that of the call that ended last */
};

#include "batch.h"

/* Return what 90 % of the calls of a function took at most so far, rounded down; 0 without calls. */
static int64_t usual_duration(const struct walk *w, int32_t function);

#include "listing.h"

/* ---- nodes ---- */

static uint64_t edge_slot(uint64_t key, uint64_t mask) {
    key ^= key >> 32;
    key *= 0x9E3779B97F4A7C15u;
    return (key ^ key >> 29) & mask;
}

static struct edge *find_edge(const struct edges *edges, uint64_t key) {
    uint64_t slot = edge_slot(key, edges->mask);
    while (edges->items[slot].used && edges->items[slot].key != key) slot = (slot + 1) & edges->mask;
    return &edges->items[slot];
}

static void make_edges(struct walk *w, struct edges *edges, uint64_t mask) {
    edges->items = checked(w, calloc(mask + 1, sizeof *edges->items));
    edges->mask = mask;
}

static void grow_edges(struct walk *w, struct edges *edges) {
    struct edges grown = {NULL, edges->count, 0};
    make_edges(w, &grown, edges->mask * 2 + 1);
    for (uint64_t i = 0; i <= edges->mask; i++)
        if (edges->items[i].used) *find_edge(&grown, edges->items[i].key) = edges->items[i];
    free(edges->items);
    *edges = grown;
}

static int32_t add_node(struct walk *w, int32_t parent, int32_t function, int started) {
    struct fold_result *out = w->out;
    ROOM(w, out->nodes, out->node_count, out->node_capacity);
    ROOM(w, w->repetitions, out->node_count, w->repetition_capacity);
    memset(&w->repetitions[out->node_count], 0, sizeof *w->repetitions);
    struct node *node = &out->nodes[out->node_count];
    memset(node, 0, sizeof *node);
    node->parent = parent;
    node->function = function;
    node->started = (uint8_t)started;
    node->min = -1;
    node->window = -1;
    node->slowest_track = node->failed_track = node->histogram = -1;
    return (int32_t)out->node_count++;
}

/* Beyond the limit a chain that is new begins at its last function. */
static int32_t child_node(struct walk *w, int32_t parent, int32_t function, int started) {
    uint64_t key = (uint64_t)(uint32_t)(parent + 1) << 32 | (uint32_t)function << 1 | (uint32_t)started;
    struct edge *edge = find_edge(&w->edges, key);
    if (edge->used) return edge->node;
    if (parent >= 0 && (int64_t)w->out->node_count >= w->ask->node_limit) {
        w->out->overflow++;
        return child_node(w, -1, function, 0);
    }
    edge->key = key;
    edge->used = 1;
    edge->node = add_node(w, parent, function, started);
    int32_t node = edge->node;
    if (++w->edges.count * 2 > w->edges.mask) grow_edges(w, &w->edges);
    return node;
}

static void note_origin(struct walk *w, int32_t node, uint32_t origin) {
    struct fold_result *out = w->out;
    ROOM(w, out->origins, out->origin_count, out->origin_capacity);
    struct node_origin row = {node, origin};
    out->origins[out->origin_count++] = row;
}

/* Beyond the limit an origin that is new is left out. */
static int32_t origin_node(struct walk *w, int32_t without, uint32_t origin) {
    if (!w->origins.items) make_edges(w, &w->origins, 1023);
    uint64_t key = (uint64_t)(uint32_t)without << 32 | origin;
    struct edge *edge = find_edge(&w->origins, key);
    if (edge->used) return edge->node;
    if ((int64_t)w->out->node_count >= w->ask->node_limit) {
        w->out->overflow++;
        return without;
    }
    struct node like = w->out->nodes[without];
    int32_t node = add_node(w, like.parent, like.function, like.started);
    note_origin(w, node, origin);
    edge->key = key;
    edge->used = 1;
    edge->node = node;
    if (++w->origins.count * 2 > w->origins.mask) grow_edges(w, &w->origins);
    return node;
}

/* ---- windows ---- */

/* Return the node for the calls of a node in the window that was found last. */
static int32_t node_in_window(struct walk *w, int32_t id) {
    if (!w->windows.items) make_edges(w, &w->windows, 1023);
    struct edge *edge = find_edge(&w->windows, (uint64_t)(uint32_t)id << 32 | w->window);
    if (edge->used) return edge->node;
    int32_t node = add_node(w, id, w->out->nodes[id].function, 0);
    w->out->nodes[node].window = (int32_t)w->window;
    edge->key = (uint64_t)(uint32_t)id << 32 | w->window;
    edge->used = 1;
    edge->node = node;
    if (++w->windows.count * 2 > w->windows.mask) grow_edges(w, &w->windows);
    return node;
}

/* ---- histograms ---- */

static struct block *find_block(struct walk *w, int32_t *histogram, int32_t owner, int exponent) {
    if (*histogram < 0) {
        ROOM(w, w->tables, w->table_count, w->table_capacity);
        memset(w->tables[w->table_count], -1, sizeof w->tables[0]);
        *histogram = (int32_t)w->table_count++;
    }
    int32_t *index = &w->tables[*histogram][exponent];
    if (*index < 0) {
        ROOM(w, w->out->blocks, w->out->block_count, w->out->block_capacity);
        struct block *block = &w->out->blocks[w->out->block_count];
        memset(block, 0, sizeof *block);
        block->owner = owner;
        block->exponent = exponent;
        *index = (int32_t)w->out->block_count++;
    }
    return &w->out->blocks[*index];
}

static void note_duration(struct walk *w, int32_t *histogram, int32_t owner, int64_t duration) {
    if (w->ask->bounds) duration = to_nanoseconds(duration, w->ask->ns_per_tick);
    int bucket, exponent = bucket_of(duration, &bucket);
    count_in(find_block(w, histogram, owner, exponent), bucket);
}

static uint64_t calls_in(const struct walk *w, int32_t block) {
    uint64_t count = 0;
    for (int bucket = 0; block >= 0 && bucket < BUCKETS; bucket++) count += w->out->blocks[block].counts[bucket];
    return count;
}

static int64_t usual_duration(const struct walk *w, int32_t function) {
    int32_t histogram = w->functions[function].histogram;
    uint64_t total = 0, above = 0;
    for (int exponent = 0; histogram >= 0 && exponent < EXPONENTS; exponent++)
        total += calls_in(w, w->tables[histogram][exponent]);
    for (int exponent = EXPONENTS - 1; total && exponent >= 0; exponent--) {
        int32_t block = w->tables[histogram][exponent];
        for (int bucket = BUCKETS - 1; block >= 0 && bucket >= 0; bucket--) {
            above += w->out->blocks[block].counts[bucket];
            if (above * 10 > total) return start_of_bucket(exponent, bucket);
        }
    }
    return 0;
}

/* ---- calls ---- */

static void note_finished(struct walk *w, const struct frame *call, int32_t id, int64_t end) {
    struct node *node = &w->out->nodes[id];
    int64_t duration = end - call->start;
    if (node->min < 0 || duration < node->min) node->min = duration;
    if (node->slowest_track < 0 || duration > node->max) {
        node->max = duration;
        node->slowest_track = w->at.track;
        node->slowest_start = call->start;
    }
    if (end > node->last) node->last = end;
    note_duration(w, &w->functions[call->function].histogram, call->function, duration);
    if (w->ask->histogram_of && w->ask->histogram_of[call->function])
        note_duration(w, &node->histogram, ~id, duration);
}

static void note_unfinished(struct node *node, const struct frame *call) {
    node->unfinished++;
    if (call->start > node->last) node->last = call->start;
}

static void note_failure(struct walk *w, const struct frame *call, int32_t id) {
    struct node *node = &w->out->nodes[id];
    node->errors += (w->at.failure.flags & CALL_ERROR) != 0;
    node->panics += (w->at.failure.flags & CALL_PANIC) != 0;
    if (node->failed_track >= 0 && node->failed_start <= call->start) return;
    node->failed_track = w->at.track;
    node->failed_start = call->start;
    node->failed_text = w->at.failure.text;
    node->failed_length = (uint16_t)w->at.failure.length;
}

static int is_counted(struct walk *w, int64_t start, int64_t end) {
    const struct fold_request *ask = w->ask;
    if (ask->bounds && !find_window(ask->bounds, ask->bound_count, end, &w->window)) return 0;
    return (!ask->selected_tracks || ask->selected_tracks[w->at.track]) && start <= ask->until && end >= ask->since;
}

/* A chain cut off at the limit on nodes has no caller in the tree. */
static void note_repetition(struct walk *w, int64_t id, const struct frame *caller) {
    struct node *node = &w->out->nodes[id];
    struct repetition *now = &w->repetitions[id];
    if (node->parent != caller->id) return;
    if (now->caller != caller->number) {
        now->caller = caller->number;
        now->calls = 0;
        node->caller_calls++;
    }
    if (++now->calls > node->max_in_caller) node->max_in_caller = now->calls;
}

/* Whether callers of the calls at a depth of the track are not known. */
static int lacks_callers(const struct walk *w, uint64_t depth) {
    const struct position *at = &w->at;
    return (at->hidden && depth >= at->hidden_index) || w->is_cut[at->track];
}

static void count_call(struct walk *w, const struct frame *call, int64_t end, int64_t waited) {
    int64_t duration = end - call->start;
    int32_t id = w->ask->bounds ? node_in_window(w, (int32_t)call->id) : (int32_t)call->id;
    struct node *node = &w->out->nodes[id];
    node->calls++;
    node->partial += lacks_callers(w, w->at.depth);
    node->total = add_time(node->total, duration);
    if (waited) node->suspended = add_time(node->suspended, waited);
    duration -= waited;
    node->self = add_time(node->self, duration > call->inside ? duration - call->inside : 0);
    if (w->at.failure.flags & CALL_UNFINISHED)
        note_unfinished(node, call);
    else
        note_finished(w, call, id, end);
    if (w->at.failure.flags & (CALL_ERROR | CALL_PANIC)) note_failure(w, call, id);
    if (w->at.depth) note_repetition(w, call->id, &w->frames[w->at.depth - 1]);
}

/* ---- requests ---- */

/* Return the origin of an inbound call, or 0. */
static uint32_t origin_of(const struct fold_request *ask, uint64_t number) {
    uint64_t low = 0, high = ask->origin_count;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (ask->origin_numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ask->origin_count && ask->origin_numbers[low] == number ? ask->origin_ids[low] : 0;
}

/* From now on, the call is one of the node with the origin. */
static void set_origin(struct walk *w, struct frame *call, uint32_t origin) {
    struct function *function = &w->functions[call->function];
    int32_t node = origin_node(w, (int32_t)call->id, origin);
    if (function->last == call->id) function->last = node;
    call->id = node;
}

/* A record outside of a request, or a second one of the same, is invalid. */
static int is_request(const struct walk *w, const struct request *row) {
    const struct position *at = &w->at;
    if (at->depth == at->inherited || w->request_depth == at->depth) return 0;
    return w->ask->direction_of[w->frames[at->depth - 1].function] == row->direction;
}

/* What a track is part of, beside rows of inbound calls. */
enum { NO_INBOUND = -1, AS_PARENT = -2, AS_TRACK = -2 };

/* Whether no word of the track is missing so far. */
static int is_whole(struct walk *w) {
    const struct position *at = &w->at;
    const struct piece *pieces = at->source->pieces;
    int64_t end = at->source->piece_of[at->track + 1];
    while (w->checked_piece < end && w->checked_piece <= at->piece && !(pieces[w->checked_piece].flags & PIECE_GAP))
        w->checked_piece++;
    int is_checked = w->checked_piece == end || w->checked_piece > at->piece;
    return is_checked && !at->tolerant && !at->hidden && !at->inherited;
}

/* Whether the track is no worker that runs one job after the other, for all that is known so far. */
static int is_single(struct walk *w) { return w->level_calls[0] <= 1 && w->level_calls[1] <= 1 && is_whole(w); }

/* Whether a track that begins now, maybe without having been observed when it was made, was made in the innermost
 * inbound call: there was no other on this track, and the starter was called in it. */
static int is_made_in_inbound(const struct walk *w, int32_t child) {
    const struct fold_request *ask = w->ask;
    if (ask->starts_are_observed) return 1;
    int32_t starter = ask->source.tracks[child].starter;
    uint64_t outside = w->out->requests.open[0].depth;
    return w->inbound_calls == 1 && starter >= 0 && w->functions[starter].innermost > (int64_t)outside;
}

static int32_t inbound_of_child(struct walk *w, int32_t child) {
    int32_t open = open_inbound(&w->out->requests);
    if (open >= 0) return is_made_in_inbound(w, child) ? open : NO_INBOUND;
    return w->at.depth && is_single(w) ? AS_PARENT : NO_INBOUND;
}

/* Now all calls of the track are known. */
static void end_ancestry(struct walk *w, int32_t track, uint64_t first_row) {
    struct requests *requests = &w->out->requests;
    if (!is_single(w)) w->inbound_of[track] = NO_INBOUND;
    for (uint64_t i = first_row; i < requests->count; i++)
        if (requests->items[i].ancestor == AS_TRACK) requests->items[i].ancestor = w->inbound_of[track];
}

static void begin_ancestry(struct walk *w, int32_t track) {
    int32_t parent = w->ask->source.tracks[track].parent;
    if (w->inbound_of[track] == AS_PARENT) w->inbound_of[track] = parent >= 0 ? w->inbound_of[parent] : NO_INBOUND;
    w->checked_piece = w->ask->source.piece_of[track];
    w->level_calls[0] = w->level_calls[1] = w->inbound_calls = 0;
}

/* Until the track has ended, it is not known whether it is part of one inbound call. */
static int32_t ancestor_of(const struct requests *requests) {
    int32_t open = open_inbound(requests);
    return open >= 0 ? open : AS_TRACK;
}

static void begin_request(struct walk *w, struct request *row) {
    struct frame *call = &w->frames[w->at.depth - 1];
    if (row->direction == OUTBOUND) row->ancestor = ancestor_of(&w->out->requests);
    w->inbound_calls += row->direction == INBOUND;
    row->function = call->function;
    row->start = call->start;
    row->call = call->number - 1 - w->inherited_calls;
    checked(w, functrace_add_request(&w->out->requests, row));
    if (!functrace_open_request(&w->out->requests, w->at.depth - 1)) checked(w, NULL);
    w->request_depth = w->at.depth;
    uint32_t origin = row->direction == INBOUND ? origin_of(w->ask, row->number) : 0;
    if (origin) set_origin(w, call, origin);
}

/* Whether the innermost open call is one whose entry was overwritten. */
static int is_hidden(const struct position *at) { return at->hidden && at->hidden_index == at->depth; }

RARE static void on_request(struct walk *w, uint64_t word, const uint8_t *payload) {
    struct requests *requests = &w->out->requests;
    struct request row;
    if (!w->ask->direction_of) return;
    int is_valid = functrace_read_request(word, payload, &row);
    row.track = w->at.track;
    row.start = row.end = w->at.time;
    if (is_valid && is_hidden(&w->at)) {
        checked(w, functrace_add_request(requests, &row));
    } else if (is_valid && is_request(w, &row)) {
        begin_request(w, &row);
    } else {
        requests->invalid++;
    }
}

RARE static void end_request(struct walk *w, const struct frame *call, int64_t end) {
    struct request *row = functrace_end_request(&w->out->requests, &w->at, end);
    w->request_depth = depth_of_request(&w->out->requests);
    row->node = (int32_t)call->id;
}

/* ---- entries and exits ---- */

static void list_ended(struct walk *w, const struct frame *call, int64_t end, int64_t waited, int counts) {
    const struct failure *failure = &w->at.failure;
    for (uint64_t i = 0; i < w->ask->listing_count; i++) {
        struct listing *l = &w->listings[i];
        leave_focus(l, call->function);
        if (may_match(l->ask, call->function, call->start, end)) {
            struct row row = {call->start, end - call->start, waited, failure->text, failure->length, failure->flags,
                              (int32_t)call->id, call->function, w->at.track, (int32_t)w->at.depth, -1, 0};
            list_call(w, l, &row, counts);
        }
        end_listed(l, w->at.depth);
    }
}

static void enter(struct walk *w, int32_t function, int64_t start) {
    struct position *at = &w->at;
    int64_t around = at->depth ? w->frames[at->depth - 1].id : at->outer;
    int32_t node = child_node(w, (int32_t)around, function, at->depth == 0 && around >= 0);
    struct frame *call = push_frame(w, function, start, node);
    if (at->depth <= w->counted_levels) w->level_calls[at->depth - 1]++;
    call->inside = 0;
    call->number = ++w->frame_count;
    call->waited = at->waited;
    for (uint64_t i = 0; i < w->ask->listing_count; i++) begin_listed(w, &w->listings[i], function, at->depth);
}

static void leave(struct walk *w, int64_t end) {
    const struct frame *call = pop_frame(w);
    int64_t waited = w->at.waited - call->waited;
    int counts = is_counted(w, call->start, end);
    if (counts) count_call(w, call, end, waited);
    if (w->at.depth < w->request_depth) end_request(w, call, end);
    if (w->at.depth) {
        struct frame *around = &w->frames[w->at.depth - 1];
        around->inside = add_time(around->inside, end - call->start - waited);
    }
    list_ended(w, call, end, waited, counts);
}

/* Inherited calls have nodes, for the chains below them, and no figures. */
static void enter_inherited(struct walk *w, int32_t function, int64_t start) {
    w->inherited_calls++;
    enter(w, function, start);
}

static void leave_inherited(struct walk *w, int64_t end) {
    const struct frame *call = pop_frame(w);
    (void)end;
    for (uint64_t i = 0; i < w->ask->listing_count; i++) {
        leave_focus(&w->listings[i], call->function);
        end_listed(&w->listings[i], w->at.depth);
    }
}

/* The time that passes while the track waits is in at.waited. */
static void hold(struct walk *w, int64_t time) { (void)w, (void)time; }
static void resume(struct walk *w, int64_t time) { (void)w, (void)time; }
static void lose(struct walk *w, int64_t time, uint64_t events) { (void)w, (void)time, (void)events; }

/* Whether the callers of a call that starts a track are not all known, or it may be another call. */
static int is_start_cut(const struct walk *w, int32_t child, int64_t id) {
    int32_t starter = w->ask->source.tracks[child].starter;
    if (!w->ask->source.is_overwritten) return 0;
    if (w->at.hidden || w->is_cut[w->at.track]) return 1;
    if (starter < 0) return w->at.in_gap;
    return id < 0 || w->out->nodes[id].function != starter;
}

static void put_child(struct walk *w, int32_t child, int64_t id) {
    w->place[child] = (int32_t)id;
    w->is_cut[child] |= is_start_cut(w, child, id);
    if (w->inbound_of) w->inbound_of[child] = inbound_of_child(w, child);
}

static int is_enough(struct walk *w) {
    (void)w;
    return 0;
}

/* ---- tracks ---- */

static void fold_track(struct walk *w, int32_t track) {
    for (uint64_t i = 0; i < w->ask->listing_count; i++) begin_track_listing(w, &w->listings[i]);
    uint64_t first_row = w->out->requests.count;
    if (w->inbound_of) begin_ancestry(w, track);
    begin_track(w, track, w->place[track]);
    walk_track(w);
    if (w->inbound_of) end_ancestry(w, track, first_row);
    for (uint64_t i = 0; i < w->ask->listing_count; i++) end_track_listing(&w->listings[i]);
}

/* A track's place in the tree comes from its parent, so the parents of selected tracks are needed too. */
static void list_needed(struct walk *w) {
    const struct fold_request *ask = w->ask;
    w->needed = checked(w, malloc((size_t)ask->source.track_count + 1));
    memset(w->needed, 1, (size_t)ask->source.track_count);
    if (!ask->selected_tracks) return;
    memcpy(w->needed, ask->selected_tracks, (size_t)ask->source.track_count);
    for (int64_t i = ask->source.track_count - 1; i >= 0; i--)
        if (w->needed[i] && ask->source.tracks[i].parent >= 0) w->needed[ask->source.tracks[i].parent] = 1;
}

static void open_listings(struct walk *w) {
    const struct fold_request *ask = w->ask;
    w->listings = checked(w, calloc(ask->listing_count + 1, sizeof *w->listings));
    w->out->listed = checked(w, calloc(ask->listing_count + 1, sizeof *w->out->listed));
    w->out->listing_count = ask->listing_count;
    for (uint64_t i = 0; i < ask->listing_count; i++)
        open_listing(w, &w->listings[i], &ask->listings[i], &w->out->listed[i], ask->source.function_count);
}

static void prepare(struct walk *w) {
    size_t tracks = (size_t)w->ask->source.track_count + 1;
    begin_walk(w, &w->ask->source);
    w->place = checked(w, malloc(tracks * sizeof *w->place));
    memset(w->place, -1, tracks * sizeof *w->place);
    w->is_cut = checked(w, calloc(tracks, 1));
    for (int64_t i = 0; i < w->ask->source.track_count; i++)
        w->is_cut[i] = w->ask->source.tracks[i].parent == PARENT_IS_LOST;
    if (w->ask->direction_of) {
        w->inbound_of = checked(w, malloc(tracks * sizeof *w->inbound_of));
        memset(w->inbound_of, -1, tracks * sizeof *w->inbound_of);
        w->counted_levels = 2;
    }
    make_edges(w, &w->edges, 1023);
    list_needed(w);
    open_listings(w);
}

/* ---- the end: what nothing was counted for goes, what is recursive is marked ---- */

static void remap_requests(struct requests *requests, const int32_t *kept) {
    for (uint64_t i = 0; i < requests->count; i++)
        if (requests->items[i].node >= 0) requests->items[i].node = kept[requests->items[i].node];
}

static void remap_origins(struct fold_result *out, const int32_t *kept) {
    uint64_t count = 0;
    for (uint64_t i = 0; i < out->origin_count; i++) {
        struct node_origin row = {kept[out->origins[i].node], out->origins[i].origin};
        if (row.node >= 0) out->origins[count++] = row;
    }
    out->origin_count = count;
}

static void remap_rows(struct row_table *table, const int32_t *kept) {
    for (uint64_t i = 0; i < table->count; i++) table->rows[i].node = kept[table->rows[i].node];
}

/* kept: the new index of each node, or -1. */
static void remap(struct fold_result *out, const int32_t *kept) {
    remap_origins(out, kept);
    remap_requests(&out->requests, kept);
    for (uint64_t i = 0; i < out->listing_count; i++) remap_rows(&out->listed[i], kept);
    for (uint64_t i = 0; i < out->block_count; i++)
        if (out->blocks[i].owner < 0) out->blocks[i].owner = ~kept[~out->blocks[i].owner];
}

static void drop_empty(struct walk *w) {
    struct fold_result *out = w->out;
    int32_t *kept = checked(w, calloc(out->node_count + 1, sizeof *kept));
    for (uint64_t i = out->node_count; i-- > 0;) {
        struct node *node = &out->nodes[i];
        kept[i] |= node->calls > 0;
        if (kept[i] && node->parent >= 0) kept[node->parent] = 1;
    }
    uint64_t count = 0;
    for (uint64_t i = 0; i < out->node_count; i++) {
        if (!kept[i]) {
            kept[i] = -1;
            continue;
        }
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

static void mark_recursive(struct walk *w) {
    struct fold_result *out = w->out;
    int32_t *first = malloc((out->node_count + 1) * sizeof *first);
    int32_t *next = malloc((out->node_count + 1) * sizeof *next);
    int32_t *above = calloc((size_t)w->ask->source.function_count + 1, sizeof *above);
    int enough = first && next && above;
    if (enough) {
        memset(first, -1, (out->node_count + 1) * sizeof *first);
        walk_tree(out->nodes, (int64_t)out->node_count, first, next, above);
    }
    free(first);
    free(next);
    free(above);
    checked(w, enough ? out : NULL);
}

static void release(struct walk *w) {
    end_walk(w);
    free(w->edges.items);
    free(w->origins.items);
    free(w->windows.items);
    free(w->repetitions);
    free(w->tables);
    free(w->place);
    free(w->inbound_of);
    free(w->needed);
    for (uint64_t i = 0; w->listings && i < w->ask->listing_count; i++) close_listing(&w->listings[i]);
    free(w->listings);
    free(w->is_cut);
    free(w);
}

int functrace_fold(const struct fold_request *ask, struct fold_result *out) {
    struct walk *w = calloc(1, sizeof *w);
    if (!w) return STATUS_MEMORY;
    w->ask = ask;
    w->out = out;
    w->at.no_memory = &w->no_memory;
    if (setjmp(w->no_memory)) {
        release(w);
        return STATUS_MEMORY;
    }
    prepare(w);
    for (int32_t track = 0; track < ask->source.track_count; track++)
        if (w->needed[track]) fold_track(w, track);
    drop_empty(w);
    mark_recursive(w);
    out->anomalies = w->at.anomalies;
    release(w);
    return STATUS_OK;
}

void functrace_release_result(struct fold_result *result) {
    free(result->nodes);
    free(result->blocks);
    for (uint64_t i = 0; i < result->listing_count; i++) {
        free(result->listed[i].rows);
        free(result->listed[i].omitted);
    }
    free(result->listed);
    free(result->origins);
    functrace_release_requests(&result->requests);
}
