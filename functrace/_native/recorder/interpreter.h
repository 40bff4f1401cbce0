/* Differences between CPython versions. */
#ifndef FUNCTRACE_INTERPRETER_H
#define FUNCTRACE_INTERPRETER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <frameobject.h>
#include <structmember.h>

#if PY_VERSION_HEX >= 0x030F0000 || defined(Py_GIL_DISABLED)
#error "not known to work here; functrace/runtime/recorder_python.py does"
#endif

#define HAS_MONITORING (PY_VERSION_HEX >= 0x030C0000)

#if !HAS_MONITORING && PY_VERSION_HEX >= 0x030B0000
#define Py_BUILD_CORE
#include <internal/pycore_frame.h>
#undef Py_BUILD_CORE
typedef _PyInterpreterFrame frame_t;
#elif !HAS_MONITORING
typedef PyFrameObject frame_t;
#else
/* The first fields of _PyInterpreterFrame; the others differ between versions. */
typedef struct frame_link {
    void *executable;
    struct frame_link *previous;
} frame_t;
#endif

/* The thread's innermost frame. */
static inline const frame_t *frame_innermost(const PyThreadState *state) {
#if PY_VERSION_HEX >= 0x030D0000
    return (const frame_t *)state->current_frame;
#elif PY_VERSION_HEX >= 0x030B0000
    return (const frame_t *)state->cframe->current_frame;
#else
    return state->frame;
#endif
}

static inline const frame_t *frame_below(const frame_t *frame) {
#if PY_VERSION_HEX >= 0x030B0000
    return frame->previous;
#else
    return frame->f_back;
#endif
}

/* Returns the code object of the frame; NULL for frames that are not Python's. */
static inline PyCodeObject *frame_code(const frame_t *frame) {
#if HAS_MONITORING
    const uintptr_t tags = PY_VERSION_HEX >= 0x030E0000 ? 3 : 0; /* of a _PyStackRef */
    PyObject *code = (PyObject *)((uintptr_t)frame->executable & ~tags);
    return code && PyCode_Check(code) ? (PyCodeObject *)code : NULL;
#else
    return frame->f_code;
#endif
}

static inline PyThreadState *thread_state(void) {
#if PY_VERSION_HEX >= 0x030D0000
    return PyThreadState_GetUnchecked();
#else
    return _PyThreadState_UncheckedGet();
#endif
}

/* Disables the program's trace and profile functions until tracing_resume. */
static inline void tracing_pause(PyThreadState *state) {
#if PY_VERSION_HEX >= 0x030B0000
    PyThreadState_EnterTracing(state);
#else
    state->tracing++;
    state->cframe->use_tracing = 0;
#endif
}

static inline void tracing_resume(PyThreadState *state) {
#if PY_VERSION_HEX >= 0x030B0000
    PyThreadState_LeaveTracing(state);
#else
    state->tracing--;
    state->cframe->use_tracing = !state->tracing && (state->c_tracefunc || state->c_profilefunc);
#endif
}

/* Returns the dictionary of an object, borrowed; NULL if none has been made for it yet. */
static inline PyObject *made_dict(PyObject *thing) {
#if PY_VERSION_HEX >= 0x030B0000
    if (PyType_HasFeature(Py_TYPE(thing), Py_TPFLAGS_MANAGED_DICT)) {
        uintptr_t stored = ((const uintptr_t *)thing)[-3];
        return stored & 1 ? NULL : (PyObject *)stored; /* odd: values without a dictionary, in 3.12 */
    }
#endif
    PyObject **stored = _PyObject_GetDictPtr(thing);
    return stored ? *stored : NULL;
}

/* Returns a borrowed reference. */
static inline PyObject *frame_builtins(PyFrameObject *frame) {
#if PY_VERSION_HEX >= 0x030B0000
    PyObject *builtins = PyFrame_GetBuiltins(frame);
    Py_DECREF(builtins); /* the frame holds another reference */
    return builtins;
#else
    return frame->f_builtins;
#endif
}

#if PY_VERSION_HEX < 0x030C0000
#define PyUnstable_Eval_RequestCodeExtraIndex _PyEval_RequestCodeExtraIndex
#define PyUnstable_Code_GetExtra _PyCode_GetExtra
#define PyUnstable_Code_SetExtra _PyCode_SetExtra
#endif

#endif
