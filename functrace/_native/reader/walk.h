/* The words of a track, one after the other: which calls are open, how long the track waits, where the
 * chains of the tracks that it started go on. The reference implementation is
 * tests/reference/track_walk.py.
 *
 * A file that includes it says what a call is to it. Before:
 *     struct frame     a call that is open, beginning with OPEN_CALL
 *     struct function  a function of the trace, beginning with LAST_CALL
 *     struct walk      with struct position at; struct frame *frames; struct function *functions
 * Behind it, the functions declared here. */
#ifndef FUNCTRACE_WALK_H
#define FUNCTRACE_WALK_H

#include "track.h"

/* A call begins; the innermost ends, with the failure at hand. They push and pop its frame. */
static void enter(struct walk *w, int32_t function, int64_t start);
static void leave(struct walk *w, int64_t end);
/* The same for a call that this process inherited: it counts for nothing here. */
static void enter_inherited(struct walk *w, int32_t function, int64_t start);
static void leave_inherited(struct walk *w, int64_t end);
/* The track is suspended, if at.suspended says so, or goes on being it; it runs. */
static void hold(struct walk *w, int64_t time);
static void resume(struct walk *w, int64_t time);
static void lose(struct walk *w, int64_t time, uint64_t events);
/* The chain of a track that this one started goes on in the call with this id. */
static void put_child(struct walk *w, int32_t child, int64_t id);
/* Whether the walk stops before the next word, to go on from there later. */
static int is_enough(const struct walk *w);

/* ---- memory ---- */

static void *checked(struct walk *w, void *memory) {
    if (!memory) longjmp(w->at.no_memory, 1);
    return memory;
}

#define ROOM(w, items, used, capacity) \
    ((items) = checked(w, room((items), (used), &(capacity), sizeof *(items))))

static void list_children(struct walk *w) {
    struct position *at = &w->at;
    int64_t count = at->source->track_count;
    const struct track *tracks = at->source->tracks;
    at->first_child = checked(w, calloc((size_t)count + 2, sizeof *at->first_child));
    at->children = checked(w, calloc((size_t)count + 1, sizeof *at->children));
    int32_t *next = at->first_child + 1;
    for (int64_t i = 0; i < count; i++)
        if (tracks[i].parent >= 0) next[tracks[i].parent + 1]++;
    for (int64_t i = 1; i <= count; i++) next[i] += next[i - 1];
    for (int64_t i = 0; i < count; i++)
        if (tracks[i].parent >= 0) at->children[next[tracks[i].parent]++] = (int32_t)i;
}

static void begin_walk(struct walk *w, const struct source *source) {
    size_t functions = ((size_t)source->function_count + 1) * sizeof *w->functions;
    w->at.source = source;
    w->functions = checked(w, malloc(functions));
    memset(w->functions, -1, functions);
    list_children(w);
}

static void end_walk(struct walk *w) {
    free(w->frames);
    free(w->functions);
    free(w->at.first_child);
    free(w->at.children);
}

/* ---- calls ---- */

static int64_t add_time(int64_t sum, int64_t more) {
    return sum > 2 * TIME_LIMIT - more ? 2 * TIME_LIMIT : sum + more;
}

/* What else it has is the caller's to fill in. */
static struct frame *push_frame(struct walk *w, int32_t function, int64_t start, int64_t id) {
    struct position *at = &w->at;
    ROOM(w, w->frames, at->depth, at->frame_capacity);
    struct function *state = &w->functions[function];
    struct frame *frame = &w->frames[at->depth];
    frame->start = start;
    frame->id = state->last = id;
    frame->function = function;
    frame->same = state->innermost;
    state->innermost = (int32_t)at->depth++;
    state->last_track = at->track;
    return frame;
}

/* It stays as it is until the next is pushed. */
static struct frame *pop_frame(struct walk *w) {
    struct frame *frame = &w->frames[--w->at.depth];
    w->functions[frame->function].innermost = frame->same;
    return frame;
}

/* Inherited calls are around all others; a call inside others is ordinary. */
static void begin_call(struct walk *w, int32_t function, int64_t start, int inherited) {
    struct position *at = &w->at;
    if (!inherited || at->inherited < at->depth) {
        enter(w, function, start);
        return;
    }
    enter_inherited(w, function, start);
    at->inherited = at->depth;
}

/* End the innermost call. */
static void end_call(struct walk *w, int64_t end) {
    struct position *at = &w->at;
    if (at->depth > at->inherited) {
        leave(w, end);
        return;
    }
    leave_inherited(w, end);
    at->inherited = at->depth;
}

/* End the calls from the frame with this index on without an exit. */
static void abandon_calls(struct walk *w, uint64_t depth, int64_t end) {
    if (depth < w->at.hidden_index) w->at.hidden = 0;
    struct failure failure = w->at.failure;
    memset(&w->at.failure, 0, sizeof w->at.failure);
    w->at.failure.flags = CALL_UNFINISHED;
    while (w->at.depth > depth) end_call(w, end);
    w->at.failure = failure;
}

/* ---- where children of a track go on ---- */

static int64_t place_of_child(const struct walk *w, int32_t starter) {
    const struct position *at = &w->at;
    if (starter >= 0) {
        const struct function *state = &w->functions[starter];
        if (state->innermost >= 0) return w->frames[state->innermost].id;
        if (state->last_track == at->track) return state->last;
    }
    return at->depth ? w->frames[at->depth - 1].id : at->outer;
}

/* Children that begin before the time given go on in what is open now. */
static void place_children(struct walk *w, int64_t before) {
    struct position *at = &w->at;
    while (at->child < at->child_end) {
        int32_t child = at->children[at->child];
        const struct track *track = &at->source->tracks[child];
        if (track->start >= before) return;
        put_child(w, child, place_of_child(w, track->starter));
        at->child++;
    }
}

/* ---- words ---- */

static void pass_time(struct position *at, int64_t until) {
    if (at->suspended) at->waited += until - at->time;
    at->time = until;
}

static int64_t move_time(struct walk *w, uint64_t ticks) {
    struct position *at = &w->at;
    int64_t time = ticks_since(ticks, at->source->start);
    if (time < at->time) {
        at->anomalies.backwards++;
        time = at->time;
    }
    pass_time(at, time);
    place_children(w, time);
    return time;
}

static void run(struct walk *w, int64_t time) {
    w->at.suspended = 0;
    resume(w, time);
}

static int32_t known_function(struct walk *w, uint64_t number) {
    const struct source *source = w->at.source;
    int32_t function =
        number < (uint64_t)source->number_count ? source->function_of[number] : -1;
    w->at.anomalies.unknown += function < 0;
    return function;
}

static void on_exit(struct walk *w, int32_t function, int64_t time) {
    struct position *at = &w->at;
    int32_t index = w->functions[function].innermost;
    if (at->hidden && index < (int64_t)at->hidden_index) {
        abandon_calls(w, at->hidden_index, time);
        at->hidden--;
        return;
    }
    if (index < 0) {
        at->anomalies.orphans += !at->tolerant;
        return;
    }
    uint64_t above = at->depth - 1 - (uint64_t)index;
    if (above) {
        if (!at->tolerant) at->anomalies.skipped += (int64_t)above;
        abandon_calls(w, (uint64_t)index + 1, time);
    }
    end_call(w, time);
}

static void on_event(struct walk *w, uint64_t word) {
    int32_t function = known_function(w, word_function(word));
    int64_t time = move_time(w, w->at.base + word_ticks(word));
    run(w, time);
    if ((word & 3) == WORD_EXIT) {
        if (function >= 0) on_exit(w, function, time);
        memset(&w->at.failure, 0, sizeof w->at.failure);
    } else if (function >= 0) {
        enter(w, function, time);
    }
}

static void on_failure(struct position *at, uint64_t word, uint64_t payload) {
    uint64_t value = record_value(word);
    uint32_t flag = CALL_ERROR;
    if (record_type(word) == RECORD_PANIC) flag = value == 2 ? CALL_GOEXIT : CALL_PANIC;
    at->failure.flags |= flag | (value == 1 ? CALL_CUT : 0);
    at->failure.text = (int64_t)payload;
    at->failure.length = record_bytes(word);
}

/* A call turns out to be open, and did not begin before what is known to have happened outside of it. */
static void reopen(struct walk *w, int32_t function, int64_t start, int inherited) {
    struct position *at = &w->at;
    hold(w, at->time);
    if (start < at->time) start = at->time;
    place_children(w, start);
    pass_time(at, start);
    begin_call(w, function, start, inherited);
    hold(w, at->time);
}

/* A call that was open where the chunk begins: already known, or the track's calls are not these. */
static void on_open(struct walk *w, uint64_t ticks, uint64_t number, int inherited) {
    struct position *at = &w->at;
    int64_t start = ticks_since(ticks, at->source->start);
    int32_t function = known_function(w, number);
    if (function < 0) return;
    uint64_t index = at->reopened++;
    if (at->hidden && index >= at->hidden_index) {
        abandon_calls(w, at->hidden_index, at->time);
        at->hidden = 0;
    }
    if (index < at->depth && w->frames[index].function == function &&
        w->frames[index].start == start)
        return;
    abandon_calls(w, index, at->time);
    reopen(w, function, start, inherited);
}

/* End the calls that are not open any more where a chunk begins, and hide those that are open but
 * neither known nor listed. */
static void match_depth(struct walk *w, uint64_t open) {
    struct position *at = &w->at;
    int is_known = !at->hidden && at->depth > open;
    abandon_calls(w, is_known || !at->reopened ? open : at->reopened, at->time);
    at->hidden = 0;
    if (at->reopened && at->depth < open) {
        at->hidden_index = at->depth;
        at->hidden = open - at->depth;
        at->anomalies.hidden += (int64_t)at->hidden;
    }
    hold(w, at->time);
}

/* Called where a chunk's first event comes: by now the calls that are open according to the chunk
 * should be. */
static void settle(struct walk *w) {
    struct position *at = &w->at;
    at->reopening = 0;
    uint64_t open = at->source->pieces[at->piece].open;
    if (open < at->reopened) open = at->reopened;
    if (at->depth + at->hidden == open) return;
    if (!at->reopened && !at->tolerant) at->anomalies.differing++;
    match_depth(w, open);
}

/* A call that was open where the process began. */
static void on_inherited(struct walk *w, uint64_t ticks, uint64_t number) {
    int32_t function = known_function(w, number);
    if (function >= 0) reopen(w, function, ticks_since(ticks, w->at.source->start), 1);
}

static void on_lost(struct walk *w, uint64_t events) {
    w->at.anomalies.lost += (int64_t)events;
    w->at.tolerant = 1;
    run(w, w->at.time);
    lose(w, w->at.time, events);
}

static void on_wait(struct walk *w, uint64_t word) {
    int64_t time = move_time(w, w->at.base + record_value(word));
    if (record_type(word) == RECORD_RESUMED) {
        run(w, time);
        return;
    }
    w->at.suspended = 1;
    hold(w, time);
}

static void on_record(struct walk *w, uint64_t word, uint64_t payload_at) {
    struct position *at = &w->at;
    const uint8_t *payload = at->source->data + payload_at;
    uint32_t bytes = record_bytes(word), type = record_type(word);
    if (type == RECORD_BASE && bytes >= 8) {
        at->base = load64(payload);
    } else if (type == RECORD_OPEN && bytes >= 16) {
        int inherited = record_value(word) == OPEN_INHERITED;
        if (at->reopening) on_open(w, load64(payload), load64(payload + 8), inherited);
    } else if (type == RECORD_INHERITED && bytes >= 16) {
        if (at->reopening) settle(w);
        on_inherited(w, load64(payload), load64(payload + 8));
    } else if (type == RECORD_LOST) {
        on_lost(w, record_value(word));
    } else if (type == RECORD_ERROR || type == RECORD_PANIC) {
        if (at->reopening) settle(w);
        on_failure(at, word, payload_at);
    } else if (type == RECORD_SUSPENDED || type == RECORD_RESUMED) {
        if (at->reopening) settle(w);
        on_wait(w, word);
    }
}

/* ---- where the walk goes ---- */

static void begin_piece(struct position *at) {
    const struct piece *piece = &at->source->pieces[at->piece];
    at->word = piece->offset;
    at->piece_end = at->word + (uint64_t)piece->words * 8;
    at->base = piece->base;
    at->reopening = piece->begins != 0;
    at->reopened = 0;
}

/* outer is the call in which the track's chain goes on, or -1. */
static void begin_track(struct walk *w, int32_t track, int64_t outer) {
    struct position *at = &w->at;
    at->track = track;
    at->child = at->first_child[track];
    at->child_end = at->first_child[track + 1];
    at->outer = outer;
    at->time = at->waited = 0;
    at->suspended = at->tolerant = 0;
    at->hidden = at->hidden_index = at->inherited = 0;
    memset(&at->failure, 0, sizeof at->failure);
    at->piece = at->source->piece_of[track];
    if (at->piece < at->source->piece_of[track + 1]) begin_piece(at);
}

static void end_track(struct walk *w) {
    struct position *at = &w->at;
    place_children(w, INT64_MAX);
    if (at->source->end > at->time) pass_time(at, at->source->end);
    abandon_calls(w, 0, at->time);
}

/* Whether the piece was gone through. */
static int walk_piece(struct walk *w) {
    struct position *at = &w->at;
    const uint8_t *data = at->source->data;
    uint64_t here = at->word, end = at->piece_end;
    while (here < end) {
        if (is_enough(w)) {
            at->word = here;
            return 0;
        }
        uint64_t word = load64(data + here);
        uint32_t kind = word & 3;
        if (kind == WORD_ENTRY || kind == WORD_EXIT) {
            if (at->reopening) settle(w);
            on_event(w, word);
        } else if (kind == WORD_RECORD) {
            if (record_size(word) > end - here) break;
            on_record(w, word, here + 8);
            here += record_size(word) - 8;
        }
        here += 8;
    }
    if (at->reopening) settle(w);
    return 1;
}

/* Whether the track was gone through, and nothing is open any more. */
static int walk_track(struct walk *w) {
    struct position *at = &w->at;
    int64_t end = at->source->piece_of[at->track + 1];
    while (at->piece < end) {
        if (!walk_piece(w)) return 0;
        if (++at->piece < end) begin_piece(at);
    }
    end_track(w);
    return 1;
}

#endif
