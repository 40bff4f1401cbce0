/* Conversion of frame events to calls, as defined in docs/python.md. */
#ifndef FUNCTRACE_CALLS_H
#define FUNCTRACE_CALLS_H

#include "exception.h"
#include "function.h"
#include "thread.h"

/* Finds this thread and its track, after closing the calls that returned while recording was
 * stopped: 1; 0 if nothing is to be recorded; -1 if an error of the program's occurred. */
int call_thread(PyThreadState *state, struct thread **found);

/* Removes the innermost call, whose exit has been written. */
void call_pop(struct track *t);

/* Ends all calls inside the first `depth` ones. */
void call_leave_down_to(struct track *t, uint32_t depth, uint64_t now);

/* Ends calls that cannot enclose a new call of that frame: abandoned suspended calls, and a call
 * with the same frame. */
void call_drop_dead(const PyThreadState *state, struct track *t, const void *frame, uint64_t now);

/* Does what has to wait until the event has been handled. */
void call_finish_event(void);

/* Reports the failure of the file once, and stops recording once no event is being handled. */
void report_failure(void);

/* Stops recording for good and reports why. */
void fail_recording(const char *why);

/* Each returns 0, or -1 if an error of the program's is set: a signal handler raised it during a
 * callback of ours. value is the returned or yielded value; type and value of call_unwound are the
 * exception, whose value may not be created yet. */
int call_started_slow(PyThreadState *state, struct function *f, const void *frame);
int call_resumed(PyThreadState *state, struct function *f, const void *frame);
int call_yielded_slow(PyThreadState *state, struct function *f, const void *frame,
                      PyObject *value);
int call_returned_slow(PyThreadState *state, struct function *f, const void *frame,
                       PyObject *value);
int call_unwound(PyThreadState *state, struct function *f, const void *frame, PyObject *type,
                 PyObject *value);

/* Returns whether the frame's call is open on this thread's track, or -1 as above. */
int call_is_open(PyThreadState *state, const void *frame);

/* Fast path into a call: returns false, without effect, if the slow path is required. */
static inline bool call_enter_fast(PyThreadState *state, const struct function *f, const void *frame) {
    struct track *t = thread_track(state);
    if (unlikely(!t || !f->direct || t->needs_slow_path || t->depth >= t->capacity)) return false;
    uint64_t now = clock_ticks();
    if (unlikely(!track_has_space(t, now, 1))) return false;
    struct call *c = &t->open[t->depth];
    c->entered = now;
    c->frame = frame;
    c->function = f->direct;
    c->flags = 0;
    if (f->kind >= COROUTINE && (t->depth == 0 || c[-1].flags & MAY_SUSPEND)) c->flags = MAY_SUSPEND;
    t->depth++;
    track_store(now, (uint64_t)f->direct << FUNCTION_SHIFT | ENTRY_WORD);
    return true;
}

/* Fast path out of the innermost call, likewise. */
static inline bool call_leave_fast(PyThreadState *state, const struct function *f, const void *frame) {
    struct track *t = thread_track(state);
    if (unlikely(!t || t->needs_slow_path || t->depth == 0)) return false;
    const struct call *c = &t->open[t->depth - 1];
    if (unlikely(c->frame != frame || c->function != f->direct)) return false;
    uint64_t now = clock_ticks();
    if (unlikely(!track_has_space(t, now, 1))) return false;
    track_store(now, (uint64_t)f->direct << FUNCTION_SHIFT | EXIT_WORD);
    t->depth--;
    return true;
}

/* Fast path out of the innermost call with an exception, likewise. */
static inline bool call_raise_fast(PyThreadState *state, const struct function *f, const void *frame,
                                   const struct exception_text *text) {
    struct track *t = thread_track(state);
    if (unlikely(!t || t->needs_slow_path || t->depth == 0)) return false;
    const struct call *c = &t->open[t->depth - 1];
    if (unlikely(c->frame != frame || c->function != f->direct)) return false;
    uint64_t now = clock_ticks();
    if (unlikely(!track_has_space(t, now, record_words(text->size) + 1))) return false;
    track_store_text(PANIC_RECORD, text->is_cut, text->bytes, text->size);
    track_store(now, (uint64_t)f->direct << FUNCTION_SHIFT | EXIT_WORD);
    t->depth--;
    return true;
}

static inline int call_started(PyThreadState *state, struct function *f, const void *frame) {
    return likely(call_enter_fast(state, f, frame)) ? 0 : call_started_slow(state, f, frame);
}

static inline int call_returned(PyThreadState *state, struct function *f, const void *frame,
                                PyObject *value) {
    return likely(call_leave_fast(state, f, frame)) ? 0 : call_returned_slow(state, f, frame, value);
}

static inline int call_yielded(PyThreadState *state, struct function *f, const void *frame,
                               PyObject *value) {
    if (likely(f->kind == GENERATOR) && call_leave_fast(state, f, frame)) return 0;
    return call_yielded_slow(state, f, frame, value);
}

#endif
