#include "calls.h"

#include <stdio.h>
#include <string.h>

#include "budget.h"
#include "callback.h"
#include "exception.h"
#include "frame.h"
#include "state.h"

/* Returns whether the call is still running; another frame may have its frame's address by now. */
static bool is_live(const PyThreadState *state, const struct call *c) {
    if (c->flags & REQUEST) return !(c->flags & ENDED);
    const frame_t *at = frame_innermost(state);
    while (at && at != c->frame) at = frame_below(at);
    PyCodeObject *code = at ? frame_code(at) : NULL;
    const struct function *f = code ? function_of(code) : NULL;
    return f && f->number == c->function;
}

/* Ends the innermost call, with an exception if there is a text. */
static void leave(struct track *t, uint64_t now, const struct exception_text *text) {
    const struct call *c = &t->open[t->depth - 1];
    bool is_short = now - c->entered < track_options.min_duration || c->flags & INHERITED;
    if (track_written(t) == t->depth || !is_short) {
        track_put_pending(t);
        if (text) track_put_text(t, now, PANIC_RECORD, text->is_cut, text->bytes, text->size);
        track_put(t, now, (uint64_t)c->function << FUNCTION_SHIFT | EXIT_WORD);
    }
    call_pop(t);
}

void call_pop(struct track *t) {
    t->depth--;
    if (t->open[t->depth].flags & SUSPENDED) t->suspended_calls--;
    if (t->written > t->depth) t->written = t->depth;
    t->suspended = false;
    track_update_path(t);
}

void call_leave_down_to(struct track *t, uint32_t depth, uint64_t now) {
    while (t->depth > depth) leave(t, now, NULL);
}

static void enter(struct track *t, const struct function *f, const void *frame, uint64_t now) {
    if (!track_grow(t)) return;
    bool may_suspend =
        f->kind >= COROUTINE && (t->depth == 0 || t->open[t->depth - 1].flags & MAY_SUSPEND);
    if (!track_options.min_duration) {
        track_put_pending(t);
        track_put(t, now, (uint64_t)f->number << FUNCTION_SHIFT | ENTRY_WORD);
    }
    t->open[t->depth++] = (struct call){now, frame, f->number, may_suspend ? MAY_SUSPEND : 0};
    t->suspended = false;
    track_update_path(t);
}

/* Ends calls that cannot enclose a new call of that frame: abandoned suspended calls, and a call
 * with the same frame. */
void call_drop_dead(const PyThreadState *state, struct track *t, const void *frame, uint64_t now) {
    while (t->depth > 0) {
        const struct call *c = &t->open[t->depth - 1];
        bool is_dead = c->frame == frame || (c->flags & SUSPENDED && !is_live(state, c));
        if (!is_dead) return;
        leave(t, now, NULL);
    }
}

/* Ends the calls that returned while recording was stopped. Calls not written to this file are
 * dropped. */
static void calls_check(const PyThreadState *state, struct track *t) {
    uint32_t alive = 0;
    while (alive < t->depth && is_live(state, &t->open[alive])) alive++;
    while (t->pending && t->depth > alive && t->depth > t->written)
        if (t->open[--t->depth].flags & SUSPENDED) t->suspended_calls--;
    call_leave_down_to(t, alive, recorder.stopped_at);
    track_update_path(t);
    t->stopped = recorder.stops;
}

int call_thread(PyThreadState *state, struct thread **found) {
    int status = thread_find(state, found);
    if (status > 0 && (*found)->track->stopped != recorder.stops) calls_check(state, (*found)->track);
    return status;
}

int call_is_open(PyThreadState *state, const void *frame) {
    struct thread *th;
    int status = call_thread(state, &th);
    return status > 0 ? track_find_frame(th->track, frame) >= 0 : status;
}

static int stop_failed(void *unused) {
    (void)unused;
    if (trace_file.failed) recorder.stop();
    return 0;
}

void report_failure(void) {
    char message[sizeof trace_file.failure];
    memcpy(message, trace_file.failure, sizeof message);
    trace_file.failure[0] = 0;
    Py_AddPendingCall(stop_failed, NULL); /* not while an event is being handled */
    struct thread *th = this_thread;
    if (th) th->busy = true, th->state = NULL;
    PyObject *text = PyUnicode_FromString(message), *result = NULL;
    if (!text) PyErr_Clear();
    else if (callback_call(recorder.warn, text, &result) < 0) PyErr_WriteUnraisable(recorder.warn);
    Py_XDECREF(text);
    Py_XDECREF(result);
    if (th) th->busy = false;
}

void fail_recording(const char *why) {
    snprintf(trace_file.failure, sizeof trace_file.failure, "%s; tracing is off", why);
    trace_file.failed = true;
    recorder.stop();
    report_failure();
}

/* Calls a watcher back, without recording what it does. */
static int call_back(struct thread *th, PyObject *watcher, PyObject *argument) {
    PyObject *result;
    th->busy = true;
    th->state = NULL;
    int status = callback_call(watcher, argument, &result);
    th->busy = false;
    if (status > 0) Py_DECREF(result);
    return status < 0 ? -1 : 0;
}

/* Does what has to wait until the event has been handled. */
void call_finish_event(void) {
    if (unlikely(trace_file.failure[0])) report_failure();
    if (unlikely(budget.is_due)) budget_update();
    else if (unlikely(budget.draining) && clock_ticks() >= budget.next_scan) budget_update();
}

static int notify_started(PyThreadState *state, struct thread *th, struct function *f,
                          const void *frame) {
    PyObject *first = frame_first_argument(state, frame);
    if (!first) return 0;
    int status = call_back(th, f->started, first);
    Py_DECREF(first);
    return status;
}

/* Enters the call on the thread's track, which a watcher may have changed. */
static int enter_here(PyThreadState *state, struct function *f, const void *frame) {
    struct thread *th;
    int status = call_thread(state, &th);
    if (status <= 0) return status;
    if (f->state == RECORDED && function_number(f)) {
        uint64_t now = clock_ticks();
        call_drop_dead(state, th->track, frame, now);
        enter(th->track, f, frame, now);
    }
    call_finish_event();
    return 0;
}

int call_started_slow(PyThreadState *state, struct function *f, const void *frame) {
    struct thread *th;
    if (f->started) {
        int status = call_thread(state, &th);
        if (status > 0) status = notify_started(state, th, f, frame);
        if (status < 0) return -1;
    }
    return f->recorded && f->state == RECORDED ? enter_here(state, f, frame) : 0;
}

/* Resumes a suspended call; any other frame that is resumed begins a new call. */
int call_resumed(PyThreadState *state, struct function *f, const void *frame) {
    if (unlikely(f->state == SILENT)) return 0;
    struct track *t = thread_track(state);
    if (t && !t->suspended_calls) return call_started(state, f, frame);
    struct thread *th;
    int status = call_thread(state, &th);
    if (status <= 0) return status;
    t = th->track;
    int64_t i = t->suspended_calls ? track_find_frame(t, frame) : -1;
    if (i < 0 || !(t->open[i].flags & SUSPENDED)) return call_started_slow(state, f, frame);
    t->open[i].flags &= ~(uint32_t)SUSPENDED;
    t->suspended_calls--;
    if (t->suspended) track_resume(t, clock_ticks());
    track_update_path(t);
    call_finish_event();
    return 0;
}

/* Records a call that failed, which began while its function was demoted: as one without duration. */
static void put_failed_call(const PyThreadState *state, struct track *t, const struct function *f,
                            const void *frame, const struct exception_text *text) {
    uint64_t now = clock_ticks();
    call_drop_dead(state, t, frame, now);
    uint32_t depth = t->depth;
    enter(t, f, frame, now);
    if (t->depth > depth) leave(t, now, text);
}

/* Ends the frame's call, and the calls inside it whose exits were missed. */
static void leave_frame(const PyThreadState *state, struct track *t, const struct function *f,
                        const void *frame, const struct exception_text *text) {
    int64_t i = track_find_frame(t, frame);
    if (i < 0 || (f->demotions && t->open[i].function != f->number)) {
        if (text && f->demotions && !f->is_mute) put_failed_call(state, t, f, frame, text);
        return;
    }
    uint64_t now = clock_ticks();
    call_leave_down_to(t, (uint32_t)i + 1, now);
    leave(t, now, t->open[i].function == f->number ? text : NULL);
}

static int leave_here(PyThreadState *state, struct function *f, const void *frame,
                      const struct exception_text *text) {
    struct thread *th;
    int status = f->recorded ? call_thread(state, &th) : 0;
    if (status <= 0) return status;
    leave_frame(state, th->track, f, frame, text);
    call_finish_event();
    return 0;
}

static int notify_returned(PyThreadState *state, struct function *f, PyObject *value) {
    struct thread *th;
    int status = f->returned ? call_thread(state, &th) : 0;
    return status > 0 ? call_back(th, f->returned, value) : status;
}

int call_returned_slow(PyThreadState *state, struct function *f, const void *frame,
                       PyObject *value) {
    if (leave_here(state, f, frame, NULL) < 0) return -1;
    return notify_returned(state, f, value);
}

/* An async generator wraps its own values; all others go to the event loop. */
static bool yields_to_loop(const struct function *f, PyObject *value) {
    return f->kind == COROUTINE ||
           (f->kind == ASYNC_GENERATOR &&
            strcmp(Py_TYPE(value)->tp_name, "async_generator_wrapped_value") != 0);
}

int call_yielded_slow(PyThreadState *state, struct function *f, const void *frame,
                      PyObject *value) {
    struct thread *th;
    int status = f->recorded ? call_thread(state, &th) : 0;
    if (status <= 0) return status;
    struct track *t = th->track;
    int64_t i = th->on_task && yields_to_loop(f, value) ? track_find_frame(t, frame) : -1;
    if (i < 0 || !(t->open[i].flags & MAY_SUSPEND)) return leave_here(state, f, frame, NULL);
    if (!(t->open[i].flags & SUSPENDED)) t->suspended_calls++;
    t->open[i].flags |= SUSPENDED;
    if (!t->suspended) track_suspend(t, clock_ticks());
    track_update_path(t);
    call_finish_event();
    return 0;
}

int call_unwound(PyThreadState *state, struct function *f, const void *frame, PyObject *type,
                 PyObject *value) {
    struct exception_text text;
    bool is_described = f->recorded && !f->is_mute && exception_describe(type, value, &text);
    bool is_done = is_described ? call_raise_fast(state, f, frame, &text)
                                : call_leave_fast(state, f, frame);
    bool is_ignored = f->state == SILENT && (f->is_mute || !is_described) && !f->returned;
    if (is_done || is_ignored) return 0;
    if (leave_here(state, f, frame, is_described ? &text : NULL) < 0) return -1;
    return notify_returned(state, f, Py_None);
}
