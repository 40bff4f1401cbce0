/* Event source since Python 3.12: sys.monitoring, with local events on our code objects and
 * global ones where CPython has no others. */
#include "interpreter.h"

#if HAS_MONITORING

#include <string.h>

#include "calls.h"
#include "source.h"

enum { TOOLS = 6, NO_TOOL = -1 };

/* A callback is an object with vectorcall; a function of the extension would cost some
 * nanoseconds more. */
typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
} callback;

static inline struct function *function_at(PyObject *const *arguments) {
    return function_of((PyCodeObject *)arguments[0]);
}

/* None is immortal where there is sys.monitoring. */
static inline PyObject *to_result(int status) { return status < 0 ? NULL : Py_None; }

/* The slow path is a separate function, so that the fast path saves no registers. */
static __attribute__((noinline)) PyObject *start_slow(PyObject *const *arguments) {
    struct function *f = function_at(arguments);
    PyThreadState *state = thread_state();
    return to_result(f ? call_started_slow(state, f, frame_innermost(state)) : 0);
}

static __attribute__((noinline)) PyObject *return_slow(PyObject *const *arguments) {
    struct function *f = function_at(arguments);
    PyThreadState *state = thread_state();
    return to_result(f ? call_returned_slow(state, f, frame_innermost(state), arguments[2]) : 0);
}

static PyObject *on_start(PyObject *self, PyObject *const *arguments, size_t count, PyObject *names) {
    (void)self, (void)count, (void)names;
    const struct function *f = function_at(arguments);
    PyThreadState *state = thread_state_known();
    if (likely(f && state && call_enter_fast(state, f, frame_innermost(state)))) return Py_None;
    return start_slow(arguments);
}

static PyObject *on_return(PyObject *self, PyObject *const *arguments, size_t count,
                           PyObject *names) {
    (void)self, (void)count, (void)names;
    const struct function *f = function_at(arguments);
    PyThreadState *state = thread_state_known();
    if (likely(f && state && call_leave_fast(state, f, frame_innermost(state)))) return Py_None;
    return return_slow(arguments);
}

static PyObject *on_resume(PyObject *self, PyObject *const *arguments, size_t count,
                           PyObject *names) {
    (void)self, (void)count, (void)names;
    struct function *f = function_at(arguments);
    PyThreadState *state = thread_state();
    return to_result(f && f->recorded ? call_resumed(state, f, frame_innermost(state)) : 0);
}

static PyObject *on_yield(PyObject *self, PyObject *const *arguments, size_t count,
                          PyObject *names) {
    (void)self, (void)count, (void)names;
    struct function *f = function_at(arguments);
    PyThreadState *state = thread_state();
    return to_result(f ? call_yielded(state, f, frame_innermost(state), arguments[2]) : 0);
}

static PyObject *on_unwind(PyObject *self, PyObject *const *arguments, size_t count,
                           PyObject *names) {
    (void)self, (void)count, (void)names;
    struct function *f = function_at(arguments);
    if (!f) return to_result(0);
    PyThreadState *state = thread_state_known();
    if (unlikely(!state)) state = thread_state();
    return to_result(call_unwound(state, f, frame_innermost(state),
                                  (PyObject *)Py_TYPE(arguments[2]), arguments[2]));
}

static PyTypeObject callback_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "functrace._native._recorder.callback",
    .tp_basicsize = sizeof(callback),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_vectorcall_offset = offsetof(callback, call),
    .tp_call = PyVectorcall_Call,
};

static const struct {
    const char *name;
    vectorcallfunc call;
    bool is_global; /* CPython has it for all code only */
    bool is_begin;  /* an open call needs the others only */
} events[] = {
    {"PY_START", on_start, false, true},   {"PY_RESUME", on_resume, false, false},
    {"PY_RETURN", on_return, false, false}, {"PY_YIELD", on_yield, false, false},
    {"PY_THROW", on_resume, true, false},   {"PY_UNWIND", on_unwind, true, false},
};
enum { EVENT_COUNT = sizeof events / sizeof *events };

/* Functions by which a program uses and frees tool ids. While we hold an id they call us first,
 * because CPython raises no event. */
static PyObject *before_use(PyObject *self, PyObject *arguments);
static PyObject *before_free(PyObject *self, PyObject *arguments);
static PyObject *before_clear(PyObject *self, PyObject *arguments);
static PyMethodDef replacements[] = {
    {"use_tool_id", before_use, METH_VARARGS, NULL},
    {"free_tool_id", before_free, METH_VARARGS, NULL},
    {"clear_tool_id", before_clear, METH_VARARGS, NULL}, /* from Python 3.14 on */
};
enum { REPLACED = sizeof replacements / sizeof *replacements };

static struct {
    PyObject *module; /* sys.monitoring */
    PyObject *set_local_events;
    PyObject *originals[REPLACED], *ours[REPLACED];
    int tool;
    long local, global;
    long draining; /* local events for the calls that are open */
} monitoring = {.tool = NO_TOOL};

/* Returns a function of sys.monitoring, ignoring our replacement. */
static PyObject *find_function(const char *name) {
    for (int i = 0; i < REPLACED; i++)
        if (monitoring.originals[i] && strcmp(replacements[i].ml_name, name) == 0)
            return Py_NewRef(monitoring.originals[i]);
    return PyObject_GetAttrString(monitoring.module, name);
}

static int call(const char *method, const char *format, ...) {
    PyObject *function = find_function(method), *result = NULL;
    va_list values;
    va_start(values, format);
    PyObject *arguments = Py_VaBuildValue(format, values);
    va_end(values);
    if (function && arguments) result = PyObject_CallObject(function, arguments);
    Py_XDECREF(function);
    Py_XDECREF(arguments);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static const char no_tool[] = "sys.monitoring has no tool id left";

/* Uses the first free id; those that other tools are most likely to want come last. */
static int take_tool(void) {
    static const int order[TOOLS] = {5, 4, 3, 2, 1, 0};
    for (int i = 0; i < TOOLS; i++) {
        if (call("use_tool_id", "(is)", order[i], "functrace") == 0) {
            monitoring.tool = order[i];
            return 0;
        }
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) return -1;
        PyErr_Clear();
    }
    PyErr_SetString(PyExc_RuntimeError, no_tool);
    return -1;
}

static long event_bit(const char *name) {
    PyObject *names = PyObject_GetAttrString(monitoring.module, "events");
    PyObject *bit = names ? PyObject_GetAttrString(names, name) : NULL;
    long value = bit ? PyLong_AsLong(bit) : -1;
    Py_XDECREF(bit);
    Py_XDECREF(names);
    return value;
}

static int register_callback(int i, long bit) {
    callback *object = PyObject_New(callback, &callback_type);
    if (!object) return -1;
    object->call = events[i].call;
    int status = call("register_callback", "(ilO)", monitoring.tool, bit, object);
    Py_DECREF(object);
    return status;
}

static int register_all(void) {
    monitoring.local = monitoring.global = monitoring.draining = 0;
    for (int i = 0; i < EVENT_COUNT; i++) {
        long bit = event_bit(events[i].name);
        if (bit < 0 || register_callback(i, bit) < 0) return -1;
        *(events[i].is_global ? &monitoring.global : &monitoring.local) |= bit;
        if (!events[i].is_global && !events[i].is_begin) monitoring.draining |= bit;
    }
    return 0;
}

static int set_local(struct function *f, long set) {
    Py_INCREF(f->code);
    PyObject *result =
        PyObject_CallFunction(monitoring.set_local_events, "iOl", monitoring.tool, f->code, set);
    Py_DECREF(f->code);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* Sets the events that the function needs in its state; watchers need all. */
int source_add(struct function *f) {
    if (f->state == RECORDED || f->started || f->returned) return set_local(f, monitoring.local);
    return set_local(f, f->state == DRAINING ? monitoring.draining : 0);
}

static int add_all(void) {
    for (struct function *f = functions; f; f = f->next)
        if (source_add(f) < 0) return -1;
    return 0;
}

static int remove_all(void) {
    for (struct function *f = functions; f; f = f->next)
        if (set_local(f, 0) < 0) return -1;
    return 0;
}

static int listen(void) {
    if (register_all() < 0 || add_all() < 0) return -1;
    return call("set_events", "(il)", monitoring.tool, monitoring.global);
}

static void release_tool(void) {
    bool failed = call("set_events", "(ii)", monitoring.tool, 0) < 0;
    failed |= remove_all() < 0;
    for (int i = 0; i < EVENT_COUNT; i++)
        failed |= call("register_callback", "(ilO)", monitoring.tool, event_bit(events[i].name),
                       Py_None) < 0;
    failed |= call("free_tool_id", "(i)", monitoring.tool) < 0;
    if (failed) PyErr_Clear(); /* the interpreter is shutting down, or the program took our id */
    monitoring.tool = NO_TOOL;
}

/* Leaves a function alone if the program has replaced it. */
static int exchange_functions(PyObject *const *from, PyObject *const *to) {
    for (int i = 0; i < REPLACED; i++) {
        if (!from[i]) continue; /* this Python has none */
        const char *name = replacements[i].ml_name;
        PyObject *found = PyObject_GetAttrString(monitoring.module, name);
        Py_XDECREF(found);
        if (!found) return -1;
        if (found == from[i] && PyObject_SetAttrString(monitoring.module, name, to[i]) < 0) return -1;
    }
    return 0;
}

static int make_replacements(void) {
    for (int i = 0; i < REPLACED; i++) {
        PyObject *original = PyObject_GetAttrString(monitoring.module, replacements[i].ml_name);
        if (!original) {
            PyErr_Clear();
            continue;
        }
        monitoring.originals[i] = original;
        monitoring.ours[i] = PyCFunction_New(&replacements[i], NULL);
        if (!monitoring.ours[i]) return -1;
    }
    return 0;
}

static int begin(void) {
    if (monitoring.module) return 0;
    PyObject *module = PySys_GetObject("monitoring");
    if (!module || PyType_Ready(&callback_type) < 0) return -1;
    PyObject *set = PyObject_GetAttrString(module, "set_local_events");
    if (!set) return -1;
    monitoring.set_local_events = set;
    monitoring.module = Py_NewRef(module);
    return make_replacements();
}

static bool asks_for_ours(PyObject *arguments) {
    PyObject *first = PyTuple_GET_SIZE(arguments) > 0 ? PyTuple_GET_ITEM(arguments, 0) : NULL;
    return monitoring.tool != NO_TOOL && first && PyLong_CheckExact(first) &&
           PyLong_AsLong(first) == monitoring.tool;
}

/* Changes to another tool id. */
static int move_tool(void) {
    int before = monitoring.tool;
    if (take_tool() < 0) {
        PyErr_Clear();
        fail_recording(no_tool);
        return 0;
    }
    int after = monitoring.tool;
    monitoring.tool = before;
    release_tool();
    monitoring.tool = after;
    return listen();
}

static PyObject *before_use(PyObject *self, PyObject *arguments) {
    (void)self;
    PyObject *function = find_function("use_tool_id"), *result = NULL;
    if (asks_for_ours(arguments) && move_tool() < 0) PyErr_Clear(); /* memory has run out */
    if (function) result = PyObject_Call(function, arguments, NULL);
    Py_XDECREF(function);
    return result;
}

/* To the program our id appears unused. */
static PyObject *free_unless_ours(const char *name, PyObject *arguments) {
    if (asks_for_ours(arguments)) Py_RETURN_NONE;
    PyObject *function = find_function(name), *result = NULL;
    if (function) result = PyObject_Call(function, arguments, NULL);
    Py_XDECREF(function);
    return result;
}

static PyObject *before_free(PyObject *self, PyObject *arguments) {
    (void)self;
    return free_unless_ours("free_tool_id", arguments);
}

static PyObject *before_clear(PyObject *self, PyObject *arguments) {
    (void)self;
    return free_unless_ours("clear_tool_id", arguments);
}

int source_start(void) {
    if (begin() < 0 || take_tool() < 0) return -1;
    if (listen() == 0 && exchange_functions(monitoring.originals, monitoring.ours) == 0) return 0;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    source_stop();
    PyErr_Restore(type, value, traceback);
    return -1;
}

void source_stop(void) {
    if (exchange_functions(monitoring.ours, monitoring.originals) < 0) PyErr_Clear();
    release_tool();
}

#endif
