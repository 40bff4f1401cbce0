/* List the calls of tracks that match a filter, in some order, from the first on. */
#include "part_walk.h"

struct query {
    struct part_walk walk; /* the first field, so that a pointer to it is one to the query */
    const struct call_request *ask;
    struct call_result *out; /* its calls are a heap with the last one in front, until all are listed */
    struct strip_reader *reader;
    uint64_t function_bits;
    int status;
};

/* ---- order ---- */

static int64_t key_of(const struct query *q, const struct listed_call *call) {
    int order = q->ask->order;
    int64_t key = order == BY_START ? call->start : order == BY_DURATION ? call->duration : call->self;
    return q->ask->descending ? -key : key;
}

/* Negative if the first call comes first. Those with equal keys come by start, track and depth. */
static int compare(const struct query *q, const struct listed_call *a, const struct listed_call *b) {
    int64_t first = key_of(q, a), second = key_of(q, b);
    if (first != second) return first < second ? -1 : 1;
    if (a->start != b->start) return a->start < b->start ? -1 : 1;
    if (a->track != b->track) return a->track < b->track ? -1 : 1;
    return a->depth < b->depth ? -1 : a->depth > b->depth;
}

static void swap(struct listed_call *a, struct listed_call *b) {
    struct listed_call kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_up(const struct query *q, uint64_t at) {
    struct listed_call *calls = q->out->calls;
    for (; at && compare(q, &calls[(at - 1) / 2], &calls[at]) < 0; at = (at - 1) / 2) swap(&calls[(at - 1) / 2], &calls[at]);
}

static void sift_down(const struct query *q, uint64_t at, uint64_t count) {
    struct listed_call *calls = q->out->calls;
    for (;;) {
        uint64_t last = at, left = 2 * at + 1, right = left + 1;
        if (left < count && compare(q, &calls[left], &calls[last]) > 0) last = left;
        if (right < count && compare(q, &calls[right], &calls[last]) > 0) last = right;
        if (last == at) return;
        swap(&calls[at], &calls[last]);
        at = last;
    }
}

/* Turn the heap into a list in order. */
static void sort_heap(const struct query *q) {
    for (uint64_t count = q->out->call_count; count > 1; count--) {
        swap(&q->out->calls[0], &q->out->calls[count - 1]);
        sift_down(q, 0, count - 1);
    }
}

static int is_full(const struct query *q) { return q->out->call_count >= q->ask->limit; }

static void keep(struct query *q, const struct listed_call *call) {
    struct call_result *out = q->out;
    if (is_full(q)) {
        if (!q->ask->limit || compare(q, call, &out->calls[0]) >= 0) return;
        out->calls[0] = *call;
        sift_down(q, 0, out->call_count);
        return;
    }
    struct listed_call *calls = room(out->calls, out->call_count, &out->call_capacity, sizeof *calls);
    if (!calls) {
        q->status = STATUS_MEMORY;
        return;
    }
    out->calls = calls;
    calls[out->call_count++] = *call;
    sift_up(q, out->call_count - 1);
}

/* ---- filter ---- */

static int matches(const struct query *q, const struct listed_call *call) {
    const struct call_request *ask = q->ask;
    return call->start <= ask->until && call->start + call->duration >= ask->since &&
           call->duration >= ask->min_duration && (!ask->failed_only || is_failed(call->flags)) &&
           (!ask->functions || ask->functions[call->function]);
}

static void consider(struct query *q, const struct listed_call *call) {
    if (!matches(q, call)) return;
    q->out->total++;
    keep(q, call);
}

/* Whether no call inside the part matches. */
static int has_none(const struct query *q, const struct part *part) {
    return !part->calls || part->max_duration < q->ask->min_duration || (q->ask->failed_only && !part->failed) ||
           !(part->functions & q->function_bits);
}

/* Whether all calls that may be inside the part come behind those that are kept. */
static int comes_behind(const struct query *q, const struct part *part) {
    const struct call_request *ask = q->ask;
    if (!is_full(q)) return 0;
    if (!ask->limit) return 1;
    const struct listed_call *last = &q->out->calls[0];
    if (ask->order == BY_START) return ask->descending ? part->last < last->start : part->first > last->start;
    return ask->descending && part->max_duration < (ask->order == BY_DURATION ? last->duration : last->self);
}

/* Whether the number of calls inside a part that match is known: they are all that it has, or that failed. */
static int is_countable(const struct query *q) { return !q->ask->functions && q->ask->min_duration <= 0; }

static void count_part(struct query *q, const struct part *part) {
    q->out->total += (uint64_t)(q->ask->failed_only ? part->failed : part->calls);
}

/* ---- what the walk visits ---- */

static int on_whole(struct part_walk *walk, const struct part *part) {
    struct query *q = (struct query *)walk;
    if (has_none(q, part)) return 1;
    if (!is_countable(q) || !comes_behind(q, part)) return 0;
    count_part(q, part);
    return 1;
}

static void read_strip(struct query *q, int64_t track, int64_t strip) {
    const struct listed_call *calls;
    uint64_t count;
    if (q->status != STATUS_OK) return;
    if (q->out->strips >= q->ask->max_strips) {
        q->out->is_complete = 0;
        return;
    }
    q->out->strips++;
    q->status = functrace_strips_read(q->reader, track, strip, &calls, &count);
    for (uint64_t i = 0; q->status == STATUS_OK && i < count; i++) consider(q, &calls[i]);
}

static void on_strip(struct part_walk *walk, int64_t strip, int is_edge) {
    (void)is_edge;
    struct query *q = (struct query *)walk;
    if (!has_none(q, &walk->parts[0][strip])) read_strip(q, walk->track, strip);
}

static void on_crossing(struct part_walk *walk, int64_t crossing) {
    const struct crossing *crossings = walk->index->crossings, *c = &crossings[crossing];
    if (c->flags & CROSSING_INHERITED) return;
    struct listed_call call = {c->start, c->duration, c->self, c->suspended, c->text, c->text_length, c->flags, c->function,
                               c->parent < 0 ? -1 : crossings[c->parent].function, (int32_t)walk->track, c->depth};
    consider((struct query *)walk, &call);
}

/* ---- tracks ---- */

/* A track without strips is a part with what is known of its calls. */
static struct part part_of_track(const struct indexed_track *track) {
    struct part part = {track->start, track->end, track->end - track->start, UINT64_MAX, 0, 0, 0, track->calls, track->failed};
    return part;
}

static void list_track(struct query *q, int64_t track) {
    const struct indexed_track *indexed = &q->ask->index->tracks[track];
    struct part part = part_of_track(indexed);
    if (indexed->end < q->ask->since || indexed->start > q->ask->until || has_none(q, &part)) return;
    if (indexed->strips) {
        functrace_walk_parts(&q->walk, track);
        return;
    }
    int is_whole = indexed->start >= q->ask->since && indexed->end <= q->ask->until;
    if (is_whole && is_countable(q) && comes_behind(q, &part))
        count_part(q, &part);
    else
        read_strip(q, track, -1);
}

static uint64_t bits_of(const struct call_request *ask) {
    uint64_t bits = 0;
    for (int64_t i = 0; ask->functions && i < ask->index->source.function_count; i++)
        if (ask->functions[i]) bits |= function_bit((int32_t)i);
    return ask->functions ? bits : UINT64_MAX;
}

int functrace_call_list(const struct call_request *ask, struct call_result *out) {
    struct query query = {0};
    query.walk.index = ask->index;
    query.walk.since = ask->since;
    query.walk.until = ask->until;
    query.walk.whole = on_whole;
    query.walk.strip = on_strip;
    query.walk.crossing = on_crossing;
    query.ask = ask;
    query.out = out;
    query.function_bits = bits_of(ask);
    query.reader = functrace_strips_open(ask->index);
    if (!query.reader) return STATUS_MEMORY;
    out->is_complete = 1;
    for (uint64_t i = 0; query.status == STATUS_OK && i < ask->track_count; i++) list_track(&query, ask->tracks[i]);
    sort_heap(&query);
    functrace_strips_close(query.reader);
    return query.status;
}
