/* List what happened on each track in order: entries and exits, or whole calls, a block at a time.
 * The reference implementation is tests/reference/events.py. */
#include "events.h"

#include "timed_frame.h"

struct walk {
    struct position at;
    jmp_buf no_memory;
    struct frame *frames;
    struct function *functions;
    struct events_request ask;
    struct rows out;
    uint64_t enough; /* rows */
    int64_t calls;
    int wait_is_listed, has_begun;
};

#include "batch.h"

/* ---- rows ---- */

static struct event *add_event(struct walk *w, int32_t kind, int32_t function, int64_t time) {
    struct rows *out = &w->out;
    ROOM(w, out->events, out->event_count, out->event_capacity);
    struct event event = {time, 0, 0, 0, function, w->at.track, kind, 0};
    out->events[out->event_count] = event;
    return &out->events[out->event_count++];
}

static void add_exit(struct walk *w, int32_t function, int64_t time) {
    struct event *event = add_event(w, LEFT, function, time);
    event->text = w->at.failure.text;
    event->text_length = w->at.failure.length;
    event->flags = w->at.failure.flags;
}

/* The call has ended and is no frame any more. */
static void add_call(struct walk *w, const struct frame *frame, int64_t duration, int64_t ran) {
    struct rows *out = &w->out;
    const struct failure *failure = &w->at.failure;
    ROOM(w, out->calls, out->call_count, out->call_capacity);
    struct call call = {frame->id,
                        w->at.depth ? w->frames[w->at.depth - 1].id : -1,
                        frame->start,
                        duration,
                        ran > frame->inside ? ran - frame->inside : 0,
                        duration - ran,
                        failure->text,
                        failure->length,
                        failure->flags,
                        frame->function,
                        w->at.track,
                        (int32_t)w->at.depth,
                        0};
    out->calls[out->call_count++] = call;
}

/* ---- what the walk meets ---- */

/* A wait is listed as one of the innermost call. */
static void hold(struct walk *w, int64_t time) {
    if (w->ask.whole || w->wait_is_listed || !w->at.suspended) return;
    if (w->at.depth == w->at.inherited) return;
    w->wait_is_listed = 1;
    add_event(w, SUSPENDED, w->frames[w->at.depth - 1].function, time);
}

static void resume(struct walk *w, int64_t time) {
    if (!w->wait_is_listed) return;
    w->wait_is_listed = 0;
    add_event(w, RESUMED, w->frames[w->at.depth - 1].function, time);
}

static void enter(struct walk *w, int32_t function, int64_t start) {
    resume(w, start);
    struct frame *frame = push_frame(w, function, start, w->calls++);
    frame->inside = 0;
    frame->waited = w->at.waited;
    if (!w->ask.whole) add_event(w, ENTERED, function, start);
}

static void leave(struct walk *w, int64_t end) {
    resume(w, end);
    const struct frame *frame = pop_frame(w);
    int64_t duration = end - frame->start, ran = duration - (w->at.waited - frame->waited);
    if (w->ask.whole)
        add_call(w, frame, duration, ran);
    else
        add_exit(w, frame->function, end);
    if (w->at.depth) {
        struct frame *around = &w->frames[w->at.depth - 1];
        around->inside = add_time(around->inside, ran);
    }
}

/* An inherited call is no row. */
static void enter_inherited(struct walk *w, int32_t function, int64_t start) {
    resume(w, start);
    struct frame *frame = push_frame(w, function, start, -1);
    frame->inside = frame->waited = 0;
}

static void leave_inherited(struct walk *w, int64_t end) {
    resume(w, end);
    pop_frame(w);
}

static void lose(struct walk *w, int64_t time, uint64_t events) {
    if (!w->ask.whole) add_event(w, LOST, -1, time)->text = (int64_t)events;
}

static void on_request(struct walk *w, uint64_t word, const uint8_t *payload) { (void)w, (void)word, (void)payload; }

static void put_child(struct walk *w, int32_t child, int64_t id) { w->ask.caller[child] = id; }

static int is_enough(struct walk *w) {
    return w->out.event_count + w->out.call_count >= w->enough;
}

/* ---- from outside ---- */

static int prepare(struct walk *w) {
    if (setjmp(w->no_memory)) return 0;
    begin_walk(w, &w->ask.source);
    return 1;
}

void functrace_events_close(struct walk *w) {
    if (!w) return;
    free(w->out.events);
    free(w->out.calls);
    end_walk(w);
    free(w);
}

/* What the request points to must stay; NULL where memory has run out. */
struct walk *functrace_events_open(const struct events_request *ask) {
    struct walk *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->ask = *ask;
    w->at.no_memory = &w->no_memory;
    if (prepare(w)) return w;
    functrace_events_close(w);
    return NULL;
}

/* Goes on until there are so many rows, or none are left; they stay until the next call. */
int functrace_events_next(struct walk *w, uint64_t count, struct rows **out) {
    w->out.event_count = w->out.call_count = 0;
    w->enough = count;
    if (setjmp(w->no_memory)) return STATUS_MEMORY;
    /* Not before: the calls that are open where a track begins are rows. */
    if (!w->has_begun && w->ask.source.track_count) begin_track(w, 0, -1);
    w->has_begun = 1;
    while (w->at.track < w->ask.source.track_count && !is_enough(w)) {
        if (!walk_track(w)) break;
        if (++w->at.track < w->ask.source.track_count) begin_track(w, w->at.track, -1);
    }
    *out = &w->out;
    return STATUS_OK;
}
