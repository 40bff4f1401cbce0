#include "hooks.h"

#include <stdbool.h>

#include "callback.h"
#include "exception.h"
#include "inbound.h"
#include "requests.h"
#include "state.h"

/* A hook alone, or a function of a library between two hooks. A hook that is NULL does nothing. */
typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    PyObject *original, *before, *after, *report, *weak_references;
    bool begins; /* the hooks are called only while calls are recorded */
} Wrapper;

/* Calls a hook unseen. Returns its result, or None if it failed, of which it reports; NULL if an error of
 * the program's is set, which a signal handler raised meanwhile. */
static PyObject *call_hook(PyObject *hook, PyObject *report, PyObject *const *arguments, size_t count,
                           PyObject *names) {
    PyThreadState *state = thread_state();
    uint64_t outer = request_exchange_begun(0);
    tracing_pause(state);
    PyObject *result = PyObject_Vectorcall(hook, arguments, count, names);
    tracing_resume(state);
    uint64_t begun = request_exchange_begun(outer);
    if (result) return result;
    PyObject *error = callback_take_error(hook), *reported = NULL;
    if (begun) inbound_cancel(begun); /* nothing else ends it */
    if (!error) return NULL;
    int status = callback_call(report, error, &reported);
    Py_DECREF(error);
    Py_XDECREF(reported);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

struct error {
    PyObject *type, *value, *traceback;
};

static bool is_created(struct error e) { return e.value && PyExceptionInstance_Check(e.value); }

static struct error take_error(void) {
    struct error e = {NULL, NULL, NULL};
    exception_fetch(&e.type, &e.value, &e.traceback);
    if (e.traceback && is_created(e)) PyException_SetTraceback(e.value, e.traceback);
    return e;
}

static void drop_error(struct error e) {
    Py_XDECREF(e.type);
    Py_XDECREF(e.value);
    Py_XDECREF(e.traceback);
}

/* Sets an error that was raised while the outcome of a call was another one. */
static void set_error_after(struct error e, struct error outcome) {
    if (is_created(e) && is_created(outcome) && outcome.value != e.value)
        PyException_SetContext(e.value, Py_NewRef(outcome.value));
    PyErr_Restore(e.type, e.value, e.traceback);
}

/* Calls the hook behind a call, whose outcome is a result or the error that is set, and returns that.
 * What a signal handler raises meanwhile counts as raised behind the call. The hook is then called once
 * more, because it ends what the one before has begun. An error that is not created yet, which would run
 * code of the program, is represented by its class. */
static PyObject *finish(const Wrapper *w, PyObject *state, PyObject *result) {
    struct error outcome = take_error();
    PyObject *error = is_created(outcome) ? outcome.value : outcome.type;
    PyObject *arguments[] = {state, result ? result : Py_None, error ? error : Py_None};
    PyObject *done = call_hook(w->after, w->report, arguments, 3, NULL);
    if (done) {
        PyErr_Restore(outcome.type, outcome.value, outcome.traceback);
        Py_DECREF(done);
        return result;
    }
    struct error raised = take_error();
    done = call_hook(w->after, w->report, arguments, 3, NULL);
    if (!done) drop_error(raised), raised = take_error();
    set_error_after(raised, outcome);
    drop_error(outcome);
    Py_XDECREF(done);
    Py_XDECREF(result);
    return NULL;
}

static PyObject *begin(const Wrapper *w, PyObject *const *arguments, size_t count, PyObject *names) {
    if (w->before) return call_hook(w->before, w->report, arguments, count, names);
    return Py_NewRef(count ? arguments[0] : Py_None);
}

static PyObject *around_call(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *names) {
    const Wrapper *w = (Wrapper *)self;
    if (w->begins && !recorder.started) return PyObject_Vectorcall(w->original, arguments, flags, names);
    PyObject *state = begin(w, arguments, (size_t)PyVectorcall_NARGS(flags), names);
    if (!state) return NULL;
    PyObject *result = PyObject_Vectorcall(w->original, arguments, flags, names);
    if (w->after && state != Py_None) result = finish(w, state, result);
    Py_DECREF(state);
    return result;
}

static PyObject *guard_call(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *names) {
    const Wrapper *w = (Wrapper *)self;
    if (w->begins && !recorder.started) Py_RETURN_NONE;
    return call_hook(w->before, w->report, arguments, (size_t)PyVectorcall_NARGS(flags), names);
}

/* Binds as a function does. */
static PyObject *around_bind(PyObject *self, PyObject *object, PyObject *type) {
    (void)type;
    return object && object != Py_None ? PyMethod_New(self, object) : Py_NewRef(self);
}

static PyObject *around_original(PyObject *self, void *unused) {
    (void)unused;
    return Py_NewRef(((Wrapper *)self)->original);
}

/* Pickled by name, as a function is. */
static PyObject *around_reduce(PyObject *self, PyObject *protocol) {
    (void)protocol;
    return PyObject_GetAttrString(((Wrapper *)self)->original, "__qualname__");
}

static bool is_own_name(PyObject *name) {
    return PyUnicode_CompareWithASCIIString(name, "__wrapped__") == 0 ||
           PyUnicode_CompareWithASCIIString(name, "__reduce_ex__") == 0;
}

/* Other attributes are the original's, so that inspect, functools.wraps and others treat it as that. */
static PyObject *around_attribute(PyObject *self, PyObject *name) {
    if (is_own_name(name)) return PyObject_GenericGetAttr(self, name);
    return PyObject_GetAttr(((Wrapper *)self)->original, name);
}

static int around_set_attribute(PyObject *self, PyObject *name, PyObject *value) {
    PyObject *original = ((Wrapper *)self)->original;
    return value ? PyObject_SetAttr(original, name, value) : PyObject_DelAttr(original, name);
}

static PyObject *around_repr(PyObject *self) { return PyObject_Repr(((Wrapper *)self)->original); }

static int wrapper_traverse(PyObject *self, visitproc visit, void *arg) {
    const Wrapper *w = (Wrapper *)self;
    Py_VISIT(w->original);
    Py_VISIT(w->before);
    Py_VISIT(w->after);
    Py_VISIT(w->report);
    return 0;
}

static int wrapper_clear(PyObject *self) {
    Wrapper *w = (Wrapper *)self;
    Py_CLEAR(w->original);
    Py_CLEAR(w->before);
    Py_CLEAR(w->after);
    Py_CLEAR(w->report);
    return 0;
}

static void wrapper_dealloc(PyObject *self) {
    PyObject_GC_UnTrack(self);
    if (((Wrapper *)self)->weak_references) PyObject_ClearWeakRefs(self);
    wrapper_clear(self);
    PyObject_GC_Del(self);
}

static PyMethodDef around_methods[] = {
    {"__reduce_ex__", around_reduce, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef around_properties[] = {
    {"__wrapped__", around_original, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

#define WRAPPER_FLAGS (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_HAVE_GC)

static PyTypeObject guard_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "functrace._native._recorder.guard",
    .tp_basicsize = sizeof(Wrapper),
    .tp_flags = WRAPPER_FLAGS,
    .tp_vectorcall_offset = offsetof(Wrapper, call),
    .tp_call = PyVectorcall_Call,
    .tp_traverse = wrapper_traverse,
    .tp_clear = wrapper_clear,
    .tp_dealloc = wrapper_dealloc,
};

static PyTypeObject around_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "functrace._native._recorder.around",
    .tp_basicsize = sizeof(Wrapper),
    .tp_flags = WRAPPER_FLAGS | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_vectorcall_offset = offsetof(Wrapper, call),
    .tp_weaklistoffset = offsetof(Wrapper, weak_references),
    .tp_call = PyVectorcall_Call,
    .tp_descr_get = around_bind,
    .tp_getattro = around_attribute,
    .tp_setattro = around_set_attribute,
    .tp_repr = around_repr,
    .tp_methods = around_methods,
    .tp_getset = around_properties,
    .tp_traverse = wrapper_traverse,
    .tp_clear = wrapper_clear,
    .tp_dealloc = wrapper_dealloc,
};

static PyObject *keep(PyObject *hook) { return hook == Py_None ? NULL : Py_XNewRef(hook); }

PyObject *module_guard(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *hook, *report;
    int begins;
    if (!PyArg_ParseTuple(args, "OOp", &hook, &report, &begins)) return NULL;
    Wrapper *w = PyObject_GC_New(Wrapper, &guard_type);
    if (!w) return NULL;
    w->call = guard_call;
    w->original = w->after = w->weak_references = NULL;
    w->before = Py_NewRef(hook);
    w->report = Py_NewRef(report);
    w->begins = begins;
    PyObject_GC_Track(w);
    return (PyObject *)w;
}

PyObject *module_around(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *original, *before, *after, *report;
    int begins;
    if (!PyArg_ParseTuple(args, "OOOOp", &original, &before, &after, &report, &begins)) return NULL;
    Wrapper *w = PyObject_GC_New(Wrapper, &around_type);
    if (!w) return NULL;
    w->call = around_call;
    w->weak_references = NULL;
    w->original = Py_NewRef(original);
    w->before = keep(before);
    w->after = keep(after);
    w->report = Py_NewRef(report);
    w->begins = begins;
    PyObject_GC_Track(w);
    return (PyObject *)w;
}

int hooks_begin(void) {
    return PyType_Ready(&guard_type) < 0 ? -1 : PyType_Ready(&around_type);
}
