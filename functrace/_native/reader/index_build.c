/* Build the index of a trace in one walk over its tracks. */
#include "gathering.h"

struct frame { /* crossing: its row, or -1 while it is inside the strip at hand */
    OPEN_CALL;
    int64_t inside, waited, crossing;
};

struct function {
    LAST_CALL;
};

struct level {
    struct part *items;
    uint64_t count, capacity;
};

struct walk {
    struct position at;
    jmp_buf no_memory;
    struct frame *frames;
    struct function *functions;
    struct index_request ask;
    struct index_parts out;
    struct indexed_track track;
    struct strip strip;
    struct gathering inside, group;
    struct level levels[LEVELS];
    int64_t seen_piece;      /* that of the last word */
    uint64_t words;          /* of the strip */
    int has_begun;
};

#include "pieces.h"
#include "grouping.h"

/* ---- strips ---- */

static void begin_strip(struct walk *w) {
    struct position *at = &w->at;
    struct strip strip = {0};
    strip.time = at->time;
    strip.piece = at->piece;
    strip.word = at->word;
    strip.base = at->base;
    strip.open = at->depth ? w->frames[at->depth - 1].crossing : -1;
    strip.crossing = (int64_t)w->out.crossing_count;
    strip.hidden = (uint32_t)at->hidden;
    strip.hidden_index = (uint32_t)at->hidden_index;
    strip.suspended = (uint32_t)at->suspended;
    w->strip = strip;
    w->words = 0;
}

/* The open calls that were inside the strip cross it. */
static void add_open_calls(struct walk *w) {
    struct position *at = &w->at;
    struct index_parts *out = &w->out;
    uint64_t first = at->depth;
    while (first > 0 && w->frames[first - 1].crossing < 0) first--;
    for (uint64_t i = first; i < at->depth; i++) {
        struct frame *frame = &w->frames[i];
        struct crossing crossing = {0};
        crossing.start = frame->start;
        crossing.parent = i ? w->frames[i - 1].crossing : -1;
        crossing.flags = i < at->inherited ? CROSSING_INHERITED : 0;
        crossing.function = frame->function;
        crossing.depth = (uint32_t)i;
        crossing.last_strip = NO_STRIP;
        ROOM(w, out->crossings, out->crossing_count, out->crossing_capacity);
        frame->crossing = (int64_t)out->crossing_count;
        out->crossings[out->crossing_count++] = crossing;
    }
}

static void keep_strip(struct walk *w) {
    struct index_parts *out = &w->out;
    w->strip.words = w->words;
    ROOM(w, out->strips, out->strip_count, out->strip_capacity);
    out->strips[out->strip_count++] = w->strip;
    w->track.strips++;
    keep_part(w, &w->inside, 0);
    close_full_groups(w);
}

static void end_strip(struct walk *w) {
    add_open_calls(w);
    keep_strip(w);
    begin_strip(w);
}

/* ---- what the walk meets ---- */

static void enter(struct walk *w, int32_t function, int64_t start) {
    struct frame *frame = push_frame(w, function, start, 0);
    frame->inside = 0;
    frame->waited = w->at.waited;
    frame->crossing = -1;
}

static void end_crossing(struct walk *w, const struct frame *frame, int64_t duration, int64_t ran) {
    struct crossing *crossing = &w->out.crossings[frame->crossing];
    const struct failure *failure = &w->at.failure;
    crossing->duration = duration;
    crossing->self = ran > frame->inside ? ran - frame->inside : 0;
    crossing->suspended = duration - ran;
    crossing->text = failure->text;
    crossing->text_length = failure->length;
    crossing->flags |= failure->flags;
    crossing->last_strip = w->track.strips;
}

static void note_call(struct walk *w, const struct frame *frame, int64_t end) {
    struct indexed_track *track = &w->track;
    int is_a_failure = is_failed(w->at.failure.flags);
    int64_t bin = frame->start >> w->ask.bin_shift;
    if (bin >= OVERVIEW_BINS) bin = OVERVIEW_BINS - 1;
    w->out.bin_calls[bin]++;
    w->out.bin_failed[bin] += is_a_failure;
    track->calls++;
    track->failed += is_a_failure;
    if (frame->start < track->start) track->start = frame->start;
    if (end > track->end) track->end = end;
    if (w->at.depth >= track->depth) track->depth = (uint32_t)w->at.depth + 1;
}

static void leave(struct walk *w, int64_t end) {
    const struct frame *frame = pop_frame(w);
    int64_t duration = end - frame->start, ran = duration - (w->at.waited - frame->waited);
    note_call(w, frame, end);
    if (frame->crossing >= 0)
        end_crossing(w, frame, duration, ran);
    else
        add_call(&w->inside, frame->start, duration, duration - ran, frame->function, w->at.failure.flags, w->at.depth);
    if (w->at.depth) {
        struct frame *around = &w->frames[w->at.depth - 1];
        around->inside = add_time(around->inside, ran);
    }
}

static void enter_inherited(struct walk *w, int32_t function, int64_t start) { enter(w, function, start); }

static void leave_inherited(struct walk *w, int64_t end) {
    const struct frame *frame = pop_frame(w);
    if (frame->crossing >= 0) end_crossing(w, frame, end - frame->start, 0);
}

/* The time that passes while the track waits is in at.waited. */
static void hold(struct walk *w, int64_t time) { (void)w, (void)time; }
static void resume(struct walk *w, int64_t time) { (void)w, (void)time; }
static void lose(struct walk *w, int64_t time, uint64_t events) { (void)w, (void)time, (void)events; }
static void place_children(struct walk *w, int64_t before) { (void)w, (void)before; }
static void on_request(struct walk *w, uint64_t word, const uint8_t *payload) { (void)w, (void)word, (void)payload; }

/* A strip may begin where no call is being listed or failing, and where a piece begins without a gap. */
static int is_enough(struct walk *w) {
    const struct position *at = &w->at;
    int is_first = at->piece != w->seen_piece;
    w->seen_piece = at->piece;
    if (w->words >= w->ask.strip_words && (!at->reopening || (is_first && !at->has_gap)) && !at->failure.flags &&
        !at->failure.status)
        return 1;
    w->words++;
    return 0;
}

/* ---- tracks ---- */

static void begin_track(struct walk *w, int32_t track) {
    struct position *at = &w->at;
    struct index_parts *out = &w->out;
    memset(&w->track, 0, sizeof w->track);
    w->track.start = w->track.end = at->source->tracks[track].start;
    w->track.strip = (int64_t)out->strip_count;
    w->track.part = (int64_t)out->part_count;
    for (int level = 0; level < LEVELS; level++) w->levels[level].count = 0;
    w->seen_piece = -1;
    reset_track(w, track);
    if (at->piece < at->source->piece_of[track + 1]) begin_piece(w);
    begin_strip(w);
    w->strip.time = 0; /* reading the strip bridges a gap before the first piece again */
}

static void keep_parts(struct walk *w) {
    struct index_parts *out = &w->out;
    for (int level = 0; level < LEVELS && w->levels[level].count; level++)
        for (uint64_t i = 0; i < w->levels[level].count; i++) {
            ROOM(w, out->parts, out->part_count, out->part_capacity);
            out->parts[out->part_count++] = w->levels[level].items[i];
        }
}

/* All calls of the track have ended. */
static void end_indexed_track(struct walk *w) {
    struct index_parts *out = &w->out;
    if (w->track.strips) {
        keep_strip(w);
        close_all_groups(w);
        keep_parts(w);
    } else {
        clear_gathering(&w->inside);
    }
    ROOM(w, out->tracks, out->track_count, out->track_capacity);
    out->tracks[out->track_count++] = w->track;
}

/* Walk to the end of the strip at hand. */
static void walk_strip(struct walk *w) {
    int is_last = walk_track(w);
    w->out.words += w->words;
    if (!is_last) {
        end_strip(w);
        return;
    }
    end_indexed_track(w);
    if (w->at.track + 1 < w->ask.last_track)
        begin_track(w, w->at.track + 1);
    else
        w->at.track++;
}

/* ---- from outside ---- */

static int prepare(struct walk *w) {
    if (setjmp(w->no_memory)) return 0;
    allocate_functions(w, &w->ask.source);
    return 1;
}

struct walk *functrace_index_open(const struct index_request *ask) {
    struct walk *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->ask = *ask;
    w->at.no_memory = &w->no_memory;
    w->inside.part.first = w->group.part.first = INT64_MAX;
    if (prepare(w)) return w;
    functrace_index_close(w);
    return NULL;
}

void functrace_index_close(struct walk *w) {
    if (!w) return;
    free(w->frames);
    free(w->functions);
    for (int level = 0; level < LEVELS; level++) free(w->levels[level].items);
    free(w->out.tracks);
    free(w->out.strips);
    free(w->out.parts);
    free(w->out.crossings);
    free(w->out.summaries);
    free(w);
}

int functrace_index_advance(struct walk *w, uint64_t words, int *done) {
    if (setjmp(w->no_memory)) return STATUS_MEMORY;
    if (!w->has_begun) {
        w->has_begun = 1;
        w->at.track = (int32_t)w->ask.last_track;
        if (w->ask.first_track < w->ask.last_track) begin_track(w, (int32_t)w->ask.first_track);
    }
    uint64_t enough = w->out.words + words;
    while (w->at.track < w->ask.last_track && w->out.words < enough) walk_strip(w);
    *done = w->at.track >= w->ask.last_track;
    return STATUS_OK;
}

struct index_parts *functrace_index_parts(struct walk *w) { return &w->out; }
