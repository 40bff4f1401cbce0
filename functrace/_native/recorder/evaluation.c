/* Event source for Python 3.10 and 3.11: frame evaluation (PEP 523). */
#include "interpreter.h"

#if !HAS_MONITORING

#include "calls.h"
#include "source.h"

static struct {
    _PyFrameEvalFunction previous; /* the evaluator that was installed before, which we call */
    bool active;
} evaluation;

#if PY_VERSION_HEX >= 0x030B0000

/* The first evaluation of a generator only creates it. */
static inline bool makes_generator(const frame_t *frame) {
    return frame->owner == FRAME_OWNED_BY_THREAD;
}

static inline bool is_suspended(const frame_t *frame) {
    const char *memory = (const char *)frame - offsetof(PyGenObject, gi_iframe);
    return ((const PyGenObject *)memory)->gi_frame_state == FRAME_SUSPENDED;
}

#else

static inline bool makes_generator(const frame_t *frame) {
    (void)frame;
    return false;
}

static inline bool is_suspended(const frame_t *frame) { return frame->f_state == FRAME_SUSPENDED; }

#endif

/* Returns the text of the RuntimeError that the interpreter raises in place of a StopIteration,
 * or an async generator's StopAsyncIteration, after the frame has ended; otherwise NULL. */
static const char *generator_error(const struct function *f, PyObject *type) {
    if (f->kind == PLAIN) return NULL;
    bool is_async = f->code->co_flags & CO_ASYNC_GENERATOR;
    if (PyErr_GivenExceptionMatches(type, PyExc_StopIteration)) {
        if (f->code->co_flags & CO_COROUTINE) return "coroutine raised StopIteration";
        return is_async ? "async generator raised StopIteration"
                        : "generator raised StopIteration";
    }
    if (is_async && PyErr_GivenExceptionMatches(type, PyExc_StopAsyncIteration))
        return "async generator raised StopAsyncIteration";
    return NULL;
}

static int report_unwound(PyThreadState *state, struct function *f, const frame_t *frame,
                          PyObject *type, PyObject *value) {
    const char *error = generator_error(f, type);
    PyObject *text = error ? PyUnicode_FromString(error) : NULL;
    if (error && !text) PyErr_Clear();
    int status = error ? call_unwound(state, f, frame, PyExc_RuntimeError, text)
                       : call_unwound(state, f, frame, type, value);
    Py_XDECREF(text);
    return status;
}

/* Reports how the frame ended or paused; an error raised meanwhile by a signal handler replaces
 * that outcome. */
static PyObject *report_end(PyThreadState *state, struct function *f, frame_t *frame,
                            PyObject *result) {
    PyObject *type = NULL, *value = NULL, *traceback = NULL;
    int status;
    if (!result) {
        exception_fetch(&type, &value, &traceback);
        status = type ? report_unwound(state, f, frame, type, value) : 0;
    } else if (f->kind != PLAIN && is_suspended(frame)) {
        status = call_yielded(state, f, frame, result);
    } else {
        status = call_returned(state, f, frame, result);
    }
    if (status == 0) {
        if (type) PyErr_Restore(type, value, traceback);
        return result;
    }
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    Py_XDECREF(result);
    return NULL;
}

/* The error that a frame begins with, while we handle its begin. */
struct pending {
    PyObject *type, *value, *traceback;
};

static inline struct pending fetch_pending(int throwing) {
    struct pending error = {0};
    if (unlikely(throwing)) PyErr_Fetch(&error.type, &error.value, &error.traceback);
    return error;
}

/* Returns whether the frame begins with an error: this one, or that of a signal handler if status is
 * negative. */
static inline int restore_pending(struct pending error, int throwing, int status) {
    if (unlikely(status < 0)) {
        Py_XDECREF(error.type);
        Py_XDECREF(error.value);
        Py_XDECREF(error.traceback);
        return 1;
    }
    if (unlikely(throwing)) PyErr_Restore(error.type, error.value, error.traceback);
    return throwing;
}

/* Evaluates a frame of a demoted function. A coroutine may be a call that was recorded before; of others
 * only failures are recorded. */
static __attribute__((noinline)) PyObject *evaluate_demoted(PyThreadState *state, struct function *f,
                                                            frame_t *frame, int throwing) {
    struct pending error = fetch_pending(throwing);
    bool may_be_open = f->kind >= COROUTINE && f->state == DRAINING;
    int is_open = may_be_open ? call_is_open(state, frame) : 0;
    int status = is_open > 0 ? call_resumed(state, f, frame) : is_open;
    throwing = restore_pending(error, throwing, status);
    PyObject *result = evaluation.previous(state, frame, throwing);
    return is_open > 0 || !result ? report_end(state, f, frame, result) : result;
}

static __attribute__((noinline)) PyObject *evaluate_ours(PyThreadState *state, struct function *f,
                                                         frame_t *frame, int throwing) {
    if (f->kind != PLAIN && makes_generator(frame))
        return evaluation.previous(state, frame, throwing);
    if (unlikely(!f->direct) && f->state != RECORDED && !f->started && !f->returned)
        return evaluate_demoted(state, f, frame, throwing);
    struct pending error = fetch_pending(throwing);
    int status = f->kind == PLAIN ? call_started(state, f, frame) : call_resumed(state, f, frame);
    throwing = restore_pending(error, throwing, status);
    PyObject *result = evaluation.previous(state, frame, throwing);
    return report_end(state, f, frame, result);
}

#if PY_VERSION_HEX >= 0x030B0000 && defined(__linux__)

/* Under frame evaluation each call uses C stack. Near its end calls run without us and are not
 * recorded. */
enum { STACK_RESERVE = 512 << 10 };

static THREAD_LOCAL char *stack_reserve; /* its start; NULL: not determined yet */

static __attribute__((noinline)) char *find_stack_reserve(void) {
    pthread_attr_t attributes;
    void *address = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstack(&attributes, &address, &size);
        pthread_attr_destroy(&attributes);
    }
    size_t reserve = size / 4 < STACK_RESERVE ? size / 4 : STACK_RESERVE;
    return stack_reserve = (char *)address + reserve + 1;
}

static inline bool is_deep(void) {
    char *reserve = likely(stack_reserve != NULL) ? stack_reserve : find_stack_reserve();
    return (char *)__builtin_frame_address(0) < reserve;
}

#else

static inline bool is_deep(void) { return false; }

#endif

static PyObject *evaluate(PyThreadState *state, frame_t *frame, int throwing);

static PyObject *evaluate_without_us(PyThreadState *state, frame_t *frame, int throwing) {
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    bool is_first = _PyInterpreterState_GetEvalFrameFunc(interpreter) == evaluate;
    if (is_first) _PyInterpreterState_SetEvalFrameFunc(interpreter, evaluation.previous);
    PyObject *result = evaluation.previous(state, frame, throwing);
    bool is_last = _PyInterpreterState_GetEvalFrameFunc(interpreter) == evaluation.previous;
    if (is_first && is_last && evaluation.active)
        _PyInterpreterState_SetEvalFrameFunc(interpreter, evaluate);
    return result;
}

/* Evaluates a frame of an unwatched function. */
static inline PyObject *evaluate_unwatched(PyThreadState *state, struct function *f, frame_t *frame) {
    PyObject *result = evaluation.previous(state, frame, 0);
    if (likely(result) || !evaluation.active || state->tracing) return result;
    return report_end(state, f, frame, result);
}

static PyObject *evaluate(PyThreadState *state, frame_t *frame, int throwing) {
    if (unlikely(is_deep())) return evaluate_without_us(state, frame, throwing);
    code_entry entry = entry_of(frame_code(frame));
    struct function *f = entry_function(entry);
    if (entry & UNWATCHED) return evaluate_unwatched(state, f, frame);
    /* As since Python 3.12, there are no events in the program's trace or profile functions. */
    if (likely(!f) || !evaluation.active || state->tracing)
        return evaluation.previous(state, frame, throwing);
    return evaluate_ours(state, f, frame, throwing);
}

/* A plain function's frame is evaluated once, so a call that is recorded is not affected. */
int source_add(struct function *f) {
    bool is_unwatched = f->kind == PLAIN && f->state != RECORDED && !f->started && !f->returned;
    code_entry *place = entry_place(f->code);
    if (place) *place = (code_entry)f | (is_unwatched ? UNWATCHED : 0);
    return 0;
}

/* If another eval hook was installed after ours, it still calls us. */
int source_start(void) {
    for (struct function *f = functions; f; f = f->next)
        source_add(f);
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    _PyFrameEvalFunction first = _PyInterpreterState_GetEvalFrameFunc(interpreter);
    if (!evaluation.previous || first == evaluation.previous) {
        evaluation.previous = first;
        _PyInterpreterState_SetEvalFrameFunc(interpreter, evaluate);
    }
    evaluation.active = true;
    return 0;
}

void source_stop(void) {
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    evaluation.active = false;
    if (_PyInterpreterState_GetEvalFrameFunc(interpreter) == evaluate)
        _PyInterpreterState_SetEvalFrameFunc(interpreter, evaluation.previous);
}

#endif
