#include "callback.h"

#include <stdbool.h>

#include "exception.h"

static PyObject *builtins_of(PyObject *callback) {
    if (PyMethod_Check(callback)) callback = PyMethod_GET_FUNCTION(callback);
    return PyFunction_Check(callback) ? ((PyFunctionObject *)callback)->func_builtins : NULL;
}

/* All modules of the runtime share one dictionary of builtins, which nothing else uses. */
static bool is_own(const PyTracebackObject *at, const PyObject *builtins) {
    PyObject *used = frame_builtins(at->tb_frame); /* borrowed */
    return used == builtins;
}

/* Returns where the error left our code for the program's; NULL if it never did. */
static PyObject *first_of_program(PyObject *traceback, const PyObject *builtins) {
    PyTracebackObject *at = (PyTracebackObject *)traceback;
    while (at && is_own(at, builtins)) at = at->tb_next;
    return (PyObject *)at;
}

/* An exception of the program's class may be raised from outside (PyThreadState_SetAsyncExc). */
static bool is_ours_to_drop(PyObject *type, const PyObject *of_program) {
    return !of_program && PyExceptionClass_Check(type) &&
           !(((PyTypeObject *)type)->tp_flags & Py_TPFLAGS_HEAPTYPE) &&
           PyType_IsSubtype((PyTypeObject *)type, (PyTypeObject *)PyExc_Exception);
}

PyObject *callback_take_error(PyObject *callback) {
    PyObject *type, *value, *traceback;
    exception_fetch(&type, &value, &traceback);
    PyObject *of_program = first_of_program(traceback, builtins_of(callback));
    bool is_taken = is_ours_to_drop(type, of_program);
    if (!is_taken) {
        if (value && PyExceptionInstance_Check(value))
            PyException_SetTraceback(value, of_program ? of_program : Py_None);
        PyErr_Restore(type, value, Py_XNewRef(of_program));
        Py_XDECREF(traceback);
        return NULL;
    }
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}

int callback_call(PyObject *callback, PyObject *argument, PyObject **result) {
    PyThreadState *state = thread_state();
    tracing_pause(state);
    *result = argument ? PyObject_CallOneArg(callback, argument) : PyObject_CallNoArgs(callback);
    tracing_resume(state);
    if (*result) return 1;
    PyObject *error = callback_take_error(callback);
    if (!error) return -1;
    Py_DECREF(error);
    return 0;
}

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    PyObject *function;
} hidden;

static PyObject *hidden_call(PyObject *self, PyObject *const *arguments, size_t count,
                             PyObject *names) {
    PyThreadState *state = thread_state();
    tracing_pause(state);
    PyObject *result = PyObject_Vectorcall(((hidden *)self)->function, arguments, count, names);
    tracing_resume(state);
    return result;
}

/* Pickled by name, as a function is. */
static PyObject *hidden_reduce(PyObject *self, PyObject *protocol) {
    (void)protocol;
    return PyObject_GetAttrString(((hidden *)self)->function, "__qualname__");
}

static PyMethodDef hidden_methods[] = {
    {"__reduce_ex__", hidden_reduce, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

/* Attributes are the function's, so that inspect, functools.wraps and others treat it as that
 * function. */
static PyObject *hidden_attribute(PyObject *self, PyObject *name) {
    if (PyUnicode_CompareWithASCIIString(name, "__reduce_ex__") == 0)
        return PyObject_GenericGetAttr(self, name);
    return PyObject_GetAttr(((hidden *)self)->function, name);
}

static int hidden_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(((hidden *)self)->function);
    return 0;
}

static int hidden_clear(PyObject *self) {
    Py_CLEAR(((hidden *)self)->function);
    return 0;
}

static void hidden_dealloc(PyObject *self) {
    PyObject_GC_UnTrack(self);
    hidden_clear(self);
    PyObject_GC_Del(self);
}

static PyTypeObject hidden_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "functrace._native._recorder.hidden",
    .tp_basicsize = sizeof(hidden),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_HAVE_GC,
    .tp_vectorcall_offset = offsetof(hidden, call),
    .tp_call = PyVectorcall_Call,
    .tp_getattro = hidden_attribute,
    .tp_methods = hidden_methods,
    .tp_traverse = hidden_traverse,
    .tp_clear = hidden_clear,
    .tp_dealloc = hidden_dealloc,
};

PyObject *callback_hide(PyObject *function) {
    hidden *object = PyObject_GC_New(hidden, &hidden_type);
    if (!object) return NULL;
    object->call = hidden_call;
    object->function = Py_NewRef(function);
    PyObject_GC_Track(object);
    return (PyObject *)object;
}

int callback_begin(void) { return PyType_Ready(&hidden_type); }
