/* Answer windows from the index of a trace: summaries of what is narrower than a pixel, calls of the rest. */
#include "part_walk.h"

/* The last slice of a depth, which the next one may join. Of calls shorter than the grain, is_narrow. */
struct lane {
    struct slice slice;
    int64_t column;
    int is_narrow, is_used;
};

struct query {
    struct part_walk walk; /* the first field, so that a pointer to it is one to the query */
    const struct window_request *ask;
    struct window_result *out;
    struct strip_reader *reader;
    struct lane *lanes;
    uint32_t used_lanes; /* those from here on are not used */
    int64_t grain;
    uint64_t strips; /* that would be read, but for those at the edges of the window */
    int status;
    uint32_t position; /* of the track in the request */
};

/* ---- slices ---- */

static void push(struct query *q, const struct slice *slice) {
    struct window_result *out = q->out;
    struct slice *slices = room(out->slices, out->slice_count, &out->slice_capacity, sizeof *slices);
    if (!slices) {
        q->status = STATUS_MEMORY;
        return;
    }
    out->slices = slices;
    slices[out->slice_count++] = *slice;
}

static void join(struct slice *to, const struct slice *from) {
    int64_t end = from->start + from->duration, known = to->start + to->duration;
    if (end > known) to->duration = end - to->start;
    to->calls += from->calls;
    to->flags |= from->flags | SLICE_MERGED;
    add_weight(&to->weight, &to->function, from->weight, from->function);
}

/* Slices of a depth come in the order of their starts. */
static void add_slice(struct query *q, const struct slice *slice) {
    struct lane *lane = &q->lanes[slice->depth];
    int is_narrow = slice->duration < q->grain;
    int64_t column = slice->start / q->grain;
    if (slice->depth >= q->used_lanes) q->used_lanes = slice->depth + 1;
    if (lane->is_used && lane->is_narrow && is_narrow && lane->column == column) {
        join(&lane->slice, slice);
        return;
    }
    if (lane->is_used) push(q, &lane->slice);
    lane->slice = *slice;
    lane->column = column;
    lane->is_narrow = is_narrow;
    lane->is_used = 1;
}

static void add_call(struct query *q, int64_t start, int64_t duration, int64_t suspended, int32_t function, uint32_t flags,
                     uint32_t depth) {
    if (depth >= q->ask->depths || start > q->ask->until || start + duration < q->ask->since) return;
    struct slice slice = {start, duration, 1, (float)duration, function, q->position, depth, slice_flags(flags, suspended), 0};
    add_slice(q, &slice);
}

static void add_summaries(struct query *q, const struct part *part) {
    const struct summary *summaries = q->ask->index->summaries + part->summary;
    for (uint32_t i = 0; i < part->summaries; i++) {
        const struct summary *s = &summaries[i];
        if (s->depth >= q->ask->depths) continue;
        struct slice slice = {s->start, s->duration, s->calls, s->weight, s->function, q->position, s->depth,
                              s->flags | (s->calls > 1 ? SLICE_MERGED : 0u), 0};
        add_slice(q, &slice);
    }
}

/* ---- what the walk visits ---- */

static void read_strip(struct query *q, int64_t track, int64_t strip) {
    const struct listed_call *calls;
    uint64_t count;
    int status = functrace_strips_read(q->reader, track, strip, &calls, &count);
    if (status != STATUS_OK) q->status = status;
    q->out->strips++;
    for (uint64_t i = 0; status == STATUS_OK && i < count; i++)
        add_call(q, calls[i].start, calls[i].duration, calls[i].suspended, calls[i].function, calls[i].flags,
                 calls[i].depth);
}

static int is_narrower(const struct query *q, const struct part *part) { return part->last - part->first < q->grain; }

static int on_whole(struct part_walk *walk, const struct part *part) {
    struct query *q = (struct query *)walk;
    if (!is_narrower(q, part)) return 0;
    add_summaries(q, part);
    return 1;
}

static void on_strip(struct part_walk *walk, int64_t strip, int is_edge) {
    (void)is_edge;
    read_strip((struct query *)walk, walk->track, strip);
}

static void on_crossing(struct part_walk *walk, int64_t crossing) {
    const struct crossing *c = &walk->index->crossings[crossing];
    if (!(c->flags & CROSSING_INHERITED))
        add_call((struct query *)walk, c->start, c->duration, c->suspended, c->function, c->flags, c->depth);
}

static int count_whole(struct part_walk *walk, const struct part *part) {
    return is_narrower((struct query *)walk, part);
}

static void count_strip(struct part_walk *walk, int64_t strip, int is_edge) {
    (void)strip;
    ((struct query *)walk)->strips += !is_edge;
}

static void skip_crossing(struct part_walk *walk, int64_t crossing) { (void)walk, (void)crossing; }

/* ---- tracks ---- */

static void end_lanes(struct query *q) {
    for (uint32_t depth = 0; depth < q->used_lanes; depth++) {
        if (q->lanes[depth].is_used) push(q, &q->lanes[depth].slice);
        q->lanes[depth].is_used = 0;
    }
}

/* Put the slices of the track, from the one given on, in the order of their depths. */
static void order_by_depth(struct query *q, uint64_t first) {
    struct slice *slices = q->out->slices;
    uint64_t count = q->out->slice_count - first, place = 0;
    uint64_t *begin = calloc((size_t)q->used_lanes + 1, sizeof *begin);
    struct slice *sorted = malloc((count + 1) * sizeof *sorted);
    if (begin && sorted && count) {
        for (uint64_t i = 0; i < count; i++) begin[slices[first + i].depth]++;
        for (uint32_t depth = 0; depth < q->used_lanes; depth++) {
            uint64_t of_depth = begin[depth];
            begin[depth] = place;
            place += of_depth;
        }
        for (uint64_t i = 0; i < count; i++) sorted[begin[slices[first + i].depth]++] = slices[first + i];
        memcpy(slices + first, sorted, count * sizeof *sorted);
    }
    if (!begin || !sorted) q->status = STATUS_MEMORY;
    free(begin);
    free(sorted);
}

static int overlaps(const struct query *q, const struct indexed_track *track) {
    return track->end >= q->ask->since && track->start <= q->ask->until;
}

static void list_track(struct query *q, uint32_t position) {
    int64_t track = q->ask->tracks[position];
    const struct indexed_track *indexed = &q->ask->index->tracks[track];
    uint64_t first = q->out->slice_count;
    if (!overlaps(q, indexed)) return;
    q->position = position;
    if (indexed->strips)
        functrace_walk_parts(&q->walk, track);
    else
        read_strip(q, track, -1);
    end_lanes(q);
    if (q->out->slice_count > first) order_by_depth(q, first);
    q->used_lanes = 0;
}

static void list_tracks(struct query *q) {
    q->walk.whole = on_whole;
    q->walk.strip = on_strip;
    q->walk.crossing = on_crossing;
    for (uint64_t i = 0; q->status == STATUS_OK && i < q->ask->track_count; i++) list_track(q, (uint32_t)i);
}

/* ---- limits ---- */

/* Count the strips that would be read, up to the track with which they are too many. */
static void count_strips(struct query *q) {
    q->strips = 0;
    for (uint64_t i = 0; i < q->ask->track_count && q->strips <= q->ask->max_strips; i++) {
        const struct indexed_track *indexed = &q->ask->index->tracks[q->ask->tracks[i]];
        if (indexed->strips && overlaps(q, indexed)) functrace_walk_parts(&q->walk, q->ask->tracks[i]);
    }
}

/* Find the smallest grain, a pixel or a multiple of it, with which few enough strips are read. */
static void choose_grain(struct query *q) {
    q->walk.whole = count_whole;
    q->walk.strip = count_strip;
    q->walk.crossing = skip_crossing;
    for (q->grain = q->ask->pixel; q->grain < TIME_LIMIT; q->grain *= 2) {
        count_strips(q);
        if (q->strips <= q->ask->max_strips) return;
    }
}

static int is_narrow(const struct slice *slice, int64_t grain) {
    return (slice->flags & SLICE_MERGED) || slice->duration < grain;
}

/* Merge slices that the grain, which has become larger, makes narrow. */
static void merge_again(struct query *q) {
    struct slice *slices = q->out->slices;
    uint64_t kept = 0;
    for (uint64_t i = 0; i < q->out->slice_count; i++) {
        struct slice *last = kept ? &slices[kept - 1] : NULL, *next = &slices[i];
        if (last && last->track == next->track && last->depth == next->depth && is_narrow(last, q->grain) &&
            is_narrow(next, q->grain) && last->start / q->grain == next->start / q->grain)
            join(last, next);
        else
            slices[kept++] = *next;
    }
    q->out->slice_count = kept;
}

static int answer(struct query *q) {
    q->lanes = calloc((size_t)q->ask->depths + 1, sizeof *q->lanes);
    q->reader = functrace_strips_open(q->ask->index);
    if (!q->lanes || !q->reader) return STATUS_MEMORY;
    choose_grain(q);
    list_tracks(q);
    while (q->status == STATUS_OK && q->out->slice_count > q->ask->max_slices && q->grain < TIME_LIMIT) {
        q->grain *= 2;
        merge_again(q);
    }
    q->out->resolution = q->grain;
    return q->status;
}

int functrace_window(const struct window_request *ask, struct window_result *out) {
    struct query query = {0};
    query.walk.index = ask->index;
    query.walk.since = ask->since;
    query.walk.until = ask->until;
    query.ask = ask;
    query.out = out;
    int status = answer(&query);
    functrace_strips_close(query.reader);
    free(query.lanes);
    return status;
}
