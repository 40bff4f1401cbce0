#include "inbound.h"

#include "requests.h"
#include "state.h"
#include "stored.h"
#include "thread.h"
#include "trace_context.h"
#include "wsgi.h"

typedef struct {
    PyObject_HEAD
    uint64_t number; /* 0 once it has ended */
    int protocol, status;
    PyObject *context, *method, *own_ids, *route, *error, *environ, *owner, *token;
} Inbound;

static PyTypeObject inbound_type;
static PyObject *current, *empty, *status_name; /* the context variable; ""; "status" */
static PyObject *open_calls;                     /* those that have begun and not ended, by number */

/* Sets the variable. That changes the context's version, but not the task. */
static PyObject *set_current(PyObject *inbound) {
    bool is_known = thread_track(thread_state()) != NULL;
    PyObject *token = PyContextVar_Set(current, inbound);
    if (is_known) this_thread->context = thread_state()->context_ver;
    return token;
}

static void reset_current(Inbound *inbound) {
    bool is_known = thread_track(thread_state()) != NULL;
    PyObject *token = inbound->token, *value = NULL;
    inbound->token = NULL;
    if (!token) return;
    if (PyContextVar_Reset(current, token) < 0) { /* it ends in another context than it began */
        PyErr_Clear();
        if (PyContextVar_Get(current, NULL, &value) < 0) PyErr_Clear();
        PyObject *none = value == (PyObject *)inbound ? PyContextVar_Set(current, Py_None) : NULL;
        Py_XDECREF(none);
        Py_XDECREF(value);
        PyErr_Clear();
    }
    Py_DECREF(token);
    if (is_known) this_thread->context = thread_state()->context_ver;
}

static Inbound *inbound_new(int protocol, PyObject *context, PyObject *method, PyObject *own_ids) {
    Inbound *inbound = PyObject_GC_New(Inbound, &inbound_type);
    if (!inbound) return NULL;
    inbound->number = 0;
    inbound->protocol = protocol;
    inbound->status = -1;
    inbound->context = Py_NewRef(context);
    inbound->method = Py_NewRef(method);
    inbound->own_ids = Py_NewRef(own_ids);
    inbound->route = Py_NewRef(empty);
    inbound->error = inbound->environ = inbound->owner = inbound->token = NULL;
    PyObject_GC_Track(inbound);
    return inbound;
}

/* Lists an inbound call as open. Returns 0, or -1 with an error. */
static int list_open(Inbound *inbound) {
    PyObject *number = PyLong_FromUnsignedLongLong(inbound->number);
    int status = number ? PyDict_SetItem(open_calls, number, (PyObject *)inbound) : -1;
    Py_XDECREF(number);
    return status;
}

/* Removes the open inbound call of that number from the list. Returns it, or NULL if there is none. */
static Inbound *take_open(uint64_t wanted) {
    PyObject *number = PyLong_FromUnsignedLongLong(wanted);
    PyObject *inbound = number ? Py_XNewRef(PyDict_GetItemWithError(open_calls, number)) : NULL;
    if (inbound) PyDict_DelItem(open_calls, number);
    Py_XDECREF(number);
    PyErr_Clear();
    return (Inbound *)inbound;
}

static int begin(Inbound *inbound, uint32_t function) {
    const TraceContext *context = (TraceContext *)inbound->context;
    uint64_t value = IS_INBOUND | (uint64_t)inbound->protocol << PROTOCOL_SHIFT;
    bool is_own = !context->has_ids && PyBytes_GET_SIZE(inbound->own_ids) > 0;
    bool has_decision = context->is_sampled || context->b3 || context->multi;
    if (context->has_ids || is_own) value |= HAS_IDS;
    if (is_own) value |= IS_OWN | (has_decision ? 0 : IS_SAMPLED);
    if (value & HAS_IDS && context->is_sampled) value |= IS_SAMPLED;
    if (context->has_ft) value |= HAS_FT;
    const char *ids = is_own ? PyBytes_AS_STRING(inbound->own_ids) : context->ids;
    struct request_payload payload = {0, ids, context->ft};
    return request_begin(function, value, &payload, 0, &inbound->number);
}

static bool are_ids(PyObject *bytes) {
    return PyBytes_Check(bytes) && (PyBytes_GET_SIZE(bytes) == 0 || PyBytes_GET_SIZE(bytes) == REQUEST_ID_BYTES);
}

PyObject *module_begin_inbound(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
    (void)self;
    if (count != 6 || !PyObject_TypeCheck(arguments[3], &trace_context_type) ||
        !PyUnicode_Check(arguments[4]) || !are_ids(arguments[5])) {
        PyErr_SetString(PyExc_TypeError, "expected a recorder, a function, a protocol, a context, a method and ids");
        return NULL;
    }
    uint32_t function = (uint32_t)PyLong_AsUnsignedLong(arguments[1]);
    int protocol = (int)PyLong_AsLong(arguments[2]);
    Inbound *inbound = PyErr_Occurred() ? NULL : inbound_new(protocol, arguments[3], arguments[4], arguments[5]);
    if (!inbound) return NULL;
    if (begin(inbound, function) == 0) {
        if (!inbound->number) {
            Py_DECREF(inbound);
            Py_RETURN_NONE;
        }
        inbound->token = list_open(inbound) == 0 ? set_current((PyObject *)inbound) : NULL;
        if (inbound->token) return (PyObject *)inbound;
        inbound_cancel(inbound->number);
    }
    Py_DECREF(inbound);
    return NULL;
}

PyObject *module_end_inbound(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
    (void)self;
    if (count != 5 || Py_TYPE(arguments[1]) != &inbound_type) {
        PyErr_SetString(PyExc_TypeError, "expected a recorder, an inbound call, a status, a route and a failure");
        return NULL;
    }
    Inbound *inbound = (Inbound *)arguments[1];
    int64_t status = PyLong_AsLongLong(arguments[2]);
    uint32_t route = (uint32_t)PyLong_AsUnsignedLong(arguments[3]);
    if (PyErr_Occurred()) return NULL;
    reset_current(inbound);
    Py_XDECREF(take_open(inbound->number));
    int done = inbound->number ? request_end(inbound->number, status, route, arguments[4]) : 0;
    if (done < 0) return NULL;
    inbound->number = 0;
    Py_CLEAR(inbound->error);
    Py_CLEAR(inbound->environ);
    Py_CLEAR(inbound->owner);
    Py_RETURN_NONE;
}

PyObject *module_note_status(PyObject *self, PyObject *owner) {
    PyObject *value, *status = NULL;
    if (PyContextVar_Get(current, NULL, &value) < 0) return NULL;
    PyObject *arguments[] = {owner, status_name};
    Inbound *inbound = (Inbound *)value;
    bool is_owned = Py_TYPE(value) == &inbound_type && inbound->owner == owner;
    if (is_owned) status = module_get_attribute(self, arguments, 2);
    if (status) inbound->status = status_number(status);
    Py_XDECREF(status);
    Py_DECREF(value);
    if (is_owned && !status) return NULL;
    Py_RETURN_NONE;
}

PyObject *module_current_inbound(PyObject *self, PyObject *unused) {
    (void)self, (void)unused;
    PyObject *value;
    return PyContextVar_Get(current, NULL, &value) < 0 ? NULL : value;
}

PyObject *module_find_inbound(PyObject *self, PyObject *number) {
    (void)self;
    PyObject *found = PyDict_GetItemWithError(open_calls, number);
    return !found && PyErr_Occurred() ? NULL : Py_NewRef(found ? found : Py_None);
}

PyObject *module_forget_inbounds(PyObject *self, PyObject *unused) {
    (void)self, (void)unused;
    PyObject *inbound;
    Py_ssize_t at = 0;
    while (PyDict_Next(open_calls, &at, NULL, &inbound)) ((Inbound *)inbound)->number = 0;
    PyDict_Clear(open_calls);
    Py_RETURN_NONE;
}

void inbound_cancel(uint64_t number) {
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    Inbound *inbound = take_open(number);
    if (inbound) {
        reset_current(inbound);
        inbound->number = 0;
        Py_DECREF(inbound);
    }
    if (request_end(number, -1, 0, Py_None) < 0) PyErr_Clear();
    PyErr_Restore(type, error, traceback);
}

static int inbound_traverse(PyObject *self, visitproc visit, void *arg) {
    const Inbound *inbound = (Inbound *)self;
    Py_VISIT(inbound->context);
    Py_VISIT(inbound->method);
    Py_VISIT(inbound->own_ids);
    Py_VISIT(inbound->route);
    Py_VISIT(inbound->error);
    Py_VISIT(inbound->environ);
    Py_VISIT(inbound->owner);
    Py_VISIT(inbound->token);
    return 0;
}

static int inbound_clear(PyObject *self) {
    Inbound *inbound = (Inbound *)self;
    Py_CLEAR(inbound->context);
    Py_CLEAR(inbound->method);
    Py_CLEAR(inbound->own_ids);
    Py_CLEAR(inbound->route);
    Py_CLEAR(inbound->error);
    Py_CLEAR(inbound->environ);
    Py_CLEAR(inbound->owner);
    Py_CLEAR(inbound->token);
    return 0;
}

static void inbound_dealloc(PyObject *self) {
    PyObject_GC_UnTrack(self);
    inbound_clear(self);
    PyObject_GC_Del(self);
}

static PyMemberDef inbound_members[] = {
    {"number", T_ULONGLONG, offsetof(Inbound, number), 0, NULL},
    {"protocol", T_INT, offsetof(Inbound, protocol), READONLY, NULL},
    {"status", T_INT, offsetof(Inbound, status), 0, NULL},
    {"context", T_OBJECT, offsetof(Inbound, context), READONLY, NULL},
    {"method", T_OBJECT, offsetof(Inbound, method), READONLY, NULL},
    {"own_ids", T_OBJECT, offsetof(Inbound, own_ids), READONLY, NULL},
    {"route", T_OBJECT, offsetof(Inbound, route), 0, NULL},
    {"error", T_OBJECT, offsetof(Inbound, error), 0, NULL},
    {"environ", T_OBJECT, offsetof(Inbound, environ), 0, NULL},
    {"owner", T_OBJECT, offsetof(Inbound, owner), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyTypeObject inbound_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "functrace._native._recorder.Inbound",
    .tp_basicsize = sizeof(Inbound),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_members = inbound_members,
    .tp_traverse = inbound_traverse,
    .tp_clear = inbound_clear,
    .tp_dealloc = inbound_dealloc,
};

int inbound_begin(PyObject *module) {
    empty = PyUnicode_FromStringAndSize("", 0);
    status_name = PyUnicode_InternFromString("status");
    open_calls = PyDict_New();
    if (!status_name || !open_calls) return -1;
    current = empty ? PyContextVar_New("functrace_inbound_call", Py_None) : NULL;
    return current ? PyModule_AddType(module, &inbound_type) : -1;
}
