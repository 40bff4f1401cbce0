#include "frame.h"

#if HAS_MONITORING

PyObject *frame_first_argument(PyThreadState *state, const void *frame) {
    (void)frame;
    PyFrameObject *object = PyThreadState_GetFrame(state); /* new reference */
    if (!object) return NULL;
    PyCodeObject *code = PyFrame_GetCode(object);
    PyObject *names = PyCode_GetVarnames(code), *first = NULL;
    if (names && code->co_argcount > 0 && PyTuple_GET_SIZE(names) > 0)
        first = PyFrame_GetVar(object, PyTuple_GET_ITEM(names, 0));
    if (!first) PyErr_Clear();
    Py_XDECREF(names);
    Py_DECREF(code);
    Py_DECREF(object);
    return first ? first : Py_NewRef(Py_None);
}

#else

#if PY_VERSION_HEX >= 0x030B0000

static inline PyObject *first_local(const frame_t *frame) { return frame->localsplus[0]; }

#else

/* An argument that an inner function uses has moved into a cell. */
static PyObject *first_local(const frame_t *frame) {
    const PyCodeObject *code = frame->f_code;
    for (Py_ssize_t i = 0; code->co_cell2arg && i < PyTuple_GET_SIZE(code->co_cellvars); i++)
        if (code->co_cell2arg[i] == 0)
            return PyCell_GET(frame->f_localsplus[code->co_nlocals + i]);
    return frame->f_localsplus[0];
}

#endif

PyObject *frame_first_argument(PyThreadState *state, const void *at) {
    (void)state;
    frame_t *frame = (frame_t *)at;
    PyObject *first = frame_code(frame)->co_argcount > 0 ? first_local(frame) : NULL;
    return Py_NewRef(first ? first : Py_None);
}

#endif
