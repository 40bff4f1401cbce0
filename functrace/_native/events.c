/* From the pieces of tracks to what happened one after the other: entries and exits, or whole calls, so
 * many at a time. What words mean is as in fold.c; functrace/export/events_python.py is the same in Python. */
#include <setjmp.h>

#include "trace.h"

enum { ENTERED = 1, LEFT = 2, SUSPENDED = 3, RESUMED = 4, LOST = 5 };
enum { CALL_ERROR = 1, CALL_PANIC = 2, CALL_GOEXIT = 4, CALL_UNFINISHED = 8, CALL_CUT = 16 };

struct event {
    int64_t time, text; /* of LOST, text is how many */
    uint32_t text_length, flags;
    int32_t function, track, kind, padding;
};

struct call {
    int64_t call, parent, start, duration, self, suspended, text;
    uint32_t text_length, flags;
    int32_t function, track, depth, padding;
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
    int64_t *caller;            /* by track: the call in which its chain goes on, or -1; filled in */
    int64_t track_count, number_count, function_count;
    int64_t end;
    int64_t whole; /* calls, not entries and exits */
};

struct rows {
    struct event *events;
    uint64_t event_count, event_capacity;
    struct call *calls;
    uint64_t call_count, call_capacity;
};

struct frame {
    int64_t call, start, inside, suspended;
    int32_t function, same; /* the frame around it that is of the same function, or -1 */
};

struct function {
    int64_t last_call;
    int32_t innermost; /* frame, or -1 */
    int32_t last_track; /* the track that last_call is on, or -1 */
};

struct failure {
    uint32_t flags, length;
    int64_t text;
};

struct walk {
    struct request ask;
    struct rows out;
    struct function *functions;
    struct frame *frames;
    uint64_t depth, frame_capacity;
    int32_t *first_child; /* by track: where its children begin; one more than there are tracks */
    int32_t *children;
    jmp_buf no_memory;
    int64_t calls;
    /* where the walk is */
    int32_t track, child, child_end;
    int64_t piece;
    uint64_t at, piece_end, base;
    /* of the track */
    int64_t time, waits_since; /* -1: no call waits */
    int waiting;               /* the track was suspended, whether or not there are calls */
    struct failure failure;
    int reopening;
    uint64_t reopened;
};

static void *checked(struct walk *w, void *memory) {
    if (!memory) longjmp(w->no_memory, 1);
    return memory;
}

#define ROOM(w, items, used, capacity) \
    ((items) = checked(w, room((items), (used), &(capacity), sizeof *(items))))

static int64_t add_time(int64_t sum, int64_t more) {
    return sum > 2 * TIME_LIMIT - more ? 2 * TIME_LIMIT : sum + more;
}

/* ---- what is told ---- */

static void add_event(struct walk *w, int32_t kind, int32_t function, int64_t time) {
    struct rows *out = &w->out;
    if (w->ask.whole) return;
    ROOM(w, out->events, out->event_count, out->event_capacity);
    struct event event = {time, 0, 0, 0, function, w->track, kind, 0};
    if (kind == LEFT) {
        event.text = w->failure.text;
        event.text_length = w->failure.length;
        event.flags = w->failure.flags;
    }
    out->events[out->event_count++] = event;
}

static void add_call(struct walk *w, const struct frame *frame, int64_t end) {
    struct rows *out = &w->out;
    if (!w->ask.whole) return;
    ROOM(w, out->calls, out->call_count, out->call_capacity);
    int64_t duration = end - frame->start;
    struct call call = {frame->call,
                        w->depth ? w->frames[w->depth - 1].call : -1,
                        frame->start,
                        duration,
                        duration > frame->inside ? duration - frame->inside : 0,
                        frame->suspended,
                        w->failure.text,
                        w->failure.length,
                        w->failure.flags,
                        frame->function,
                        w->track,
                        (int32_t)w->depth,
                        0};
    out->calls[out->call_count++] = call;
}

/* ---- calls ---- */

static void begin_wait(struct walk *w, int64_t time) {
    if (!w->waiting || w->depth == 0 || w->waits_since >= 0) return;
    w->waits_since = time;
    add_event(w, SUSPENDED, w->frames[w->depth - 1].function, time);
}

static void end_wait(struct walk *w, int64_t time) {
    if (w->waits_since < 0) return;
    int64_t took = time > w->waits_since ? time - w->waits_since : 0;
    struct frame *frame = &w->frames[w->depth - 1];
    frame->inside = add_time(frame->inside, took);
    frame->suspended = add_time(frame->suspended, took);
    w->waits_since = -1;
    add_event(w, RESUMED, frame->function, time);
}

static void wake(struct walk *w, int64_t time) {
    w->waiting = 0;
    end_wait(w, time);
}

static void push_call(struct walk *w, int32_t function, int64_t start) {
    end_wait(w, start);
    ROOM(w, w->frames, w->depth, w->frame_capacity);
    struct function *state = &w->functions[function];
    struct frame frame = {w->calls++, start, 0, 0, function, state->innermost};
    w->frames[w->depth] = frame;
    state->innermost = (int32_t)w->depth++;
    state->last_call = frame.call;
    state->last_track = w->track;
    add_event(w, ENTERED, function, start);
}

static void pop_call(struct walk *w, int64_t end) {
    end_wait(w, end);
    struct frame *frame = &w->frames[--w->depth];
    w->functions[frame->function].innermost = frame->same;
    add_event(w, LEFT, frame->function, end);
    add_call(w, frame, end);
    if (w->depth) {
        struct frame *around = &w->frames[w->depth - 1];
        around->inside = add_time(around->inside, end - frame->start);
        around->suspended = add_time(around->suspended, frame->suspended);
    }
}

static void abandon_calls(struct walk *w, uint64_t depth, int64_t end) {
    struct failure failure = w->failure;
    memset(&w->failure, 0, sizeof w->failure);
    w->failure.flags = CALL_UNFINISHED;
    while (w->depth > depth) pop_call(w, end);
    w->failure = failure;
}

/* ---- where children of a track go on ---- */

static int64_t caller_of_child(const struct walk *w, int32_t starter) {
    if (starter >= 0) {
        const struct function *state = &w->functions[starter];
        if (state->innermost >= 0) return w->frames[state->innermost].call;
        if (state->last_track == w->track) return state->last_call;
    }
    return w->depth ? w->frames[w->depth - 1].call : -1;
}

static void place_children(struct walk *w, int64_t before) {
    while (w->child < w->child_end) {
        int32_t child = w->children[w->child];
        if (w->ask.tracks[child].start >= before) return;
        w->ask.caller[child] = caller_of_child(w, w->ask.tracks[child].starter);
        w->child++;
    }
}

/* ---- words ---- */

static int64_t move_time(struct walk *w, uint64_t ticks) {
    int64_t time = ticks_since(ticks, w->ask.start);
    if (time < w->time) time = w->time;
    w->time = time;
    place_children(w, time);
    return time;
}

static int32_t known_function(const struct walk *w, uint64_t number) {
    return number < (uint64_t)w->ask.number_count ? w->ask.function_of[number] : -1;
}

static void on_exit(struct walk *w, int32_t function, int64_t time) {
    int32_t index = function >= 0 ? w->functions[function].innermost : -1;
    if (index >= 0) {
        if (w->depth - 1 > (uint64_t)index) abandon_calls(w, (uint64_t)index + 1, time);
        pop_call(w, time);
    }
    memset(&w->failure, 0, sizeof w->failure);
}

static void on_event(struct walk *w, uint64_t word) {
    int32_t function = known_function(w, word_function(word));
    int64_t time = move_time(w, w->base + word_ticks(word));
    wake(w, time);
    if ((word & 3) == WORD_EXIT)
        on_exit(w, function, time);
    else if (function >= 0)
        push_call(w, function, time);
}

static void on_failure(struct walk *w, uint64_t word, uint64_t payload) {
    uint64_t value = record_value(word);
    uint32_t flag = CALL_ERROR;
    if (record_type(word) == RECORD_PANIC) flag = value == 2 ? CALL_GOEXIT : CALL_PANIC;
    w->failure.flags |= flag | (value == 1 ? CALL_CUT : 0);
    w->failure.text = (int64_t)payload;
    w->failure.length = record_bytes(word);
}

static void on_open(struct walk *w, uint64_t ticks, uint64_t number) {
    int64_t start = ticks_since(ticks, w->ask.start);
    int32_t function = known_function(w, number);
    if (function < 0) return;
    uint64_t index = w->reopened++;
    if (index < w->depth && w->frames[index].function == function &&
        w->frames[index].start == start)
        return;
    abandon_calls(w, index, w->time);
    begin_wait(w, w->time);
    if (index && start < w->frames[index - 1].start) start = w->frames[index - 1].start;
    place_children(w, start);
    push_call(w, function, start);
    if (start > w->time) w->time = start;
    begin_wait(w, w->time);
}

static void on_lost(struct walk *w, uint64_t count) {
    wake(w, w->time);
    add_event(w, LOST, -1, w->time);
    if (!w->ask.whole) w->out.events[w->out.event_count - 1].text = (int64_t)count;
}

static void settle(struct walk *w) {
    uint64_t open = w->reopened ? w->reopened : w->ask.pieces[w->piece].open;
    if (!w->reopening) return;
    w->reopening = 0;
    if (w->depth <= open) return;
    abandon_calls(w, open, w->time);
    begin_wait(w, w->time);
}

static void on_wait(struct walk *w, int64_t time) {
    if (w->waiting) return;
    w->waiting = 1;
    begin_wait(w, time);
}

static void on_record(struct walk *w, uint64_t word) {
    const uint8_t *payload = w->ask.data + w->at + 8;
    uint32_t bytes = record_bytes(word);
    switch (record_type(word)) {
    case RECORD_BASE:
        if (bytes >= 8) w->base = load64(payload);
        break;
    case RECORD_ERROR:
    case RECORD_PANIC:
        settle(w);
        on_failure(w, word, w->at + 8);
        break;
    case RECORD_OPEN:
        if (w->reopening && bytes >= 16) on_open(w, load64(payload), load64(payload + 8));
        break;
    case RECORD_LOST:
        on_lost(w, record_value(word));
        break;
    case RECORD_SUSPENDED:
        settle(w);
        on_wait(w, move_time(w, w->base + record_value(word)));
        break;
    case RECORD_RESUMED:
        settle(w);
        wake(w, move_time(w, w->base + record_value(word)));
        break;
    default:
        break;
    }
}

static void on_word(struct walk *w) {
    uint64_t word = load64(w->ask.data + w->at);
    uint32_t kind = word & 3;
    if (kind == WORD_ENTRY || kind == WORD_EXIT) {
        settle(w);
        on_event(w, word);
    } else if (kind == WORD_RECORD) {
        if (record_size(word) > w->piece_end - w->at) {
            w->at = w->piece_end;
            return;
        }
        on_record(w, word);
        w->at += record_size(word) - 8;
    }
    w->at += 8;
}

/* ---- where the walk goes ---- */

static void begin_piece(struct walk *w) {
    const struct piece *piece = &w->ask.pieces[w->piece];
    w->at = piece->offset;
    w->piece_end = w->at + (uint64_t)piece->words * 8;
    w->base = piece->base;
    w->reopening = piece->begins != 0;
    w->reopened = 0;
}

static void begin_track(struct walk *w) {
    w->child = w->first_child[w->track];
    w->child_end = w->first_child[w->track + 1];
    w->time = 0;
    w->waits_since = -1;
    w->waiting = 0;
    memset(&w->failure, 0, sizeof w->failure);
    w->piece = w->ask.piece_of[w->track];
    if (w->piece < w->ask.piece_of[w->track + 1]) begin_piece(w);
}

static void end_track(struct walk *w) {
    place_children(w, INT64_MAX);
    abandon_calls(w, 0, w->time > w->ask.end ? w->time : w->ask.end);
    if (++w->track < w->ask.track_count) begin_track(w);
}

static void step(struct walk *w) {
    if (w->piece == w->ask.piece_of[w->track + 1]) {
        end_track(w);
    } else if (w->at < w->piece_end) {
        on_word(w);
    } else {
        settle(w);
        if (++w->piece < w->ask.piece_of[w->track + 1]) begin_piece(w);
    }
}

/* Tracks come in the order of their beginnings, and so do the children of each. */
static void list_children(struct walk *w) {
    int64_t count = w->ask.track_count;
    const struct track *tracks = w->ask.tracks;
    w->first_child = checked(w, calloc((size_t)count + 2, sizeof *w->first_child));
    w->children = checked(w, calloc((size_t)count + 1, sizeof *w->children));
    int32_t *next = w->first_child + 1;
    for (int64_t i = 0; i < count; i++)
        if (tracks[i].parent >= 0) next[tracks[i].parent + 1]++;
    for (int64_t i = 1; i <= count; i++) next[i] += next[i - 1];
    for (int64_t i = 0; i < count; i++)
        if (tracks[i].parent >= 0) w->children[next[tracks[i].parent]++] = (int32_t)i;
}

static int prepare(struct walk *w) {
    if (setjmp(w->no_memory)) return 0;
    size_t functions = ((size_t)w->ask.function_count + 1) * sizeof *w->functions;
    w->functions = checked(w, malloc(functions));
    memset(w->functions, -1, functions);
    list_children(w);
    if (w->ask.track_count) begin_track(w);
    return 1;
}

void functrace_events_close(struct walk *w) {
    if (!w) return;
    free(w->out.events);
    free(w->out.calls);
    free(w->functions);
    free(w->frames);
    free(w->first_child);
    free(w->children);
    free(w);
}

/* What the request points to must stay; NULL where memory has run out. */
struct walk *functrace_events_open(const struct request *ask) {
    struct walk *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->ask = *ask;
    if (prepare(w)) return w;
    functrace_events_close(w);
    return NULL;
}

/* Goes on until there are so many rows, or none are left; they stay until the next call. */
int functrace_events_next(struct walk *w, uint64_t count, struct rows **out) {
    w->out.event_count = w->out.call_count = 0;
    if (setjmp(w->no_memory)) return STATUS_MEMORY;
    while (w->track < w->ask.track_count && w->out.event_count + w->out.call_count < count) step(w);
    *out = &w->out;
    return STATUS_OK;
}
