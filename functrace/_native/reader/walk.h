/* The meaning of a track's words: which calls are open, and how long the track is suspended. batch.h walks
 * a whole file with it, feed.c one that grows. The reference implementation is
 * tests/reference/track_walk.py.
 *
 * A file that includes it says what a call is to it. Before:
 *     struct frame     a call that is open, beginning with OPEN_CALL
 *     struct function  a function of the trace, beginning with LAST_CALL
 *     struct walk      with struct position at; struct frame *frames
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
/* What is kept of a function: of the whole trace, or of the track. */
static struct function *state_of(struct walk *w, int32_t function);
/* Children that begin before this time go on in what is open now. */
static void place_children(struct walk *w, int64_t before);
/* Whether words of the track before the chunk at hand were overwritten before they were read, and the
 * flags of a call that a chunk shows to be no longer open. */
static int misses_words(const struct walk *w);
static uint32_t flags_of_missing_exit(const struct walk *w);

/* ---- memory ---- */

static void *checked(struct walk *w, void *memory) {
    if (!memory) longjmp(*w->at.no_memory, 1);
    return memory;
}

#define ROOM(w, items, used, capacity) \
    ((items) = checked(w, room((items), (used), &(capacity), sizeof *(items))))

/* ---- calls ---- */

static int64_t add_time(int64_t sum, int64_t more) {
    return sum > 2 * TIME_LIMIT - more ? 2 * TIME_LIMIT : sum + more;
}

/* What else it has is the caller's to fill in. */
static struct frame *push_frame(struct walk *w, int32_t function, int64_t start, int64_t id) {
    struct position *at = &w->at;
    ROOM(w, w->frames, at->depth, at->frame_capacity);
    struct function *state = state_of(w, function);
    struct frame *frame = &w->frames[at->depth];
    frame->start = start;
    frame->id = state->last = id;
    frame->function = function;
    frame->same = state->innermost;
    state->innermost = (int32_t)at->depth++;
    state->last_track = at->track;
    return frame;
}

/* Pop the innermost frame; the pointer is valid until the next push. */
static struct frame *pop_frame(struct walk *w) {
    struct frame *frame = &w->frames[--w->at.depth];
    state_of(w, frame->function)->innermost = frame->same;
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
static void end_calls(struct walk *w, uint64_t depth, int64_t end, uint32_t flags) {
    struct failure failure = w->at.failure;
    memset(&w->at.failure, 0, sizeof w->at.failure);
    w->at.failure.flags = flags;
    while (w->at.depth > depth) end_call(w, end);
    if (depth < w->at.hidden_index) w->at.hidden = 0;
    w->at.failure = failure;
}

static void abandon_calls(struct walk *w, uint64_t depth, int64_t end) {
    end_calls(w, depth, end, CALL_UNFINISHED);
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
    at->in_gap = 0;
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
    int32_t index = state_of(w, function)->innermost;
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
    at->entered = start;
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
        end_calls(w, at->hidden_index, at->time, flags_of_missing_exit(w));
        at->hidden = 0;
    }
    if (index < at->depth && w->frames[index].function == function &&
        w->frames[index].start == start)
        return;
    end_calls(w, index, at->time, flags_of_missing_exit(w));
    reopen(w, function, start, inherited);
}

/* End the calls that are not open any more where a chunk begins, and hide those that are open but
 * neither known nor listed. */
static void match_depth(struct walk *w, uint64_t open) {
    struct position *at = &w->at;
    int misses = misses_words(w), is_known = !misses && !at->hidden && at->depth > open;
    int is_listed = misses || at->reopened;
    end_calls(w, is_known || !is_listed ? open : at->reopened, at->time, flags_of_missing_exit(w));
    at->hidden = 0;
    if (is_listed && at->depth < open) {
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
    uint64_t open = at->opened > at->reopened ? at->opened : at->reopened;
    if (!misses_words(w) && at->depth + at->hidden == open) return;
    if (!at->reopened && !at->tolerant && !misses_words(w)) at->anomalies.differing++;
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

#endif
