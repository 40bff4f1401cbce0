/* The extension module functrace._native._recorder, documented in _recorder.pyi. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "budget.h"
#include "callback.h"
#include "calls.h"
#include "exact_items.h"
#include "hooks.h"
#include "inbound.h"
#include "requests.h"
#include "source.h"
#include "state.h"
#include "stored.h"
#include "trace_context.h"
#include "wsgi.h"

enum { MAX_FACTS_BYTES = 30000 };

static void stop_recording(void) {
    if (!recorder.listening) return;
    recorder.started = recorder.listening = false;
    recorder.stops++;
    recorder.stopped_at = clock_ticks();
    threads_invalidate();
    source_stop();
}

typedef struct {
    PyObject_HEAD
    PyObject *path;
    bool current; /* it is the process's recorder; others are closed */
} Recorder;

/* Returns whether the recorder is open; sets an error if it is not. */
static bool is_open(const Recorder *self) {
    if (self->current && recorder.open && !recorder.forked) return true;
    PyErr_SetString(PyExc_RuntimeError, "the recorder is closed");
    return false;
}

static bool begin_process(void) {
    static bool begun;
    if (begun) return true;
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_RuntimeError, "only the main interpreter's calls are recorded");
        return false;
    }
    if (!functions_begin()) return false;
    recorder.stop = stop_recording;
    clock_begin();
    file_lock_begin();
    begun = threads_begin();
    if (!begun) PyErr_NoMemory();
    return begun;
}

static void forked(void) {
    recorder.forked = true;
    recorder.started = false;
    file_forked();
}

static void set_options(Py_ssize_t depth, unsigned long long min_duration) {
    double ticks = (double)min_duration * 1e-9 * (double)trace_clock.ticks_per_second;
    track_options.depth = depth > INT32_MAX ? INT32_MAX : (uint32_t)depth;
    track_options.min_duration = (uint64_t)ticks;
}

static bool open_file(PyObject *path, uint64_t max_size, bool overwrite, const Py_buffer *facts) {
    if (max_size < MIN_TRACE_BYTES) {
        PyErr_SetString(PyExc_ValueError, "FUNCTRACE_MAX_SIZE is too small for a trace: set it to 1M or more");
        return false;
    }
    if (facts->len > MAX_FACTS_BYTES) {
        PyErr_SetString(PyExc_ValueError, "the facts are too long");
        return false;
    }
    if (file_open(PyBytes_AS_STRING(path), max_size, overwrite, facts->buf, (size_t)facts->len))
        return true;
    PyErr_SetFromErrnoWithFilename(PyExc_OSError, PyBytes_AS_STRING(path));
    return false;
}

static uint32_t renumber(uint32_t previous_number) {
    uint32_t number = function_renumber(previous_number);
    return number ? number : request_function_renumber(previous_number);
}

static bool begin(Recorder *self, PyObject *path, uint64_t max_size, int overwrite,
                  const Py_buffer *facts) {
    if (recorder.open) {
        PyErr_SetString(PyExc_RuntimeError, "a recorder is already active");
        return false;
    }
    if (!begin_process()) return false;
    file_abandon();
    if (!open_file(path, max_size, overwrite, facts)) return false;
    static bool is_forking_seen;
    if (!is_forking_seen) is_forking_seen = pthread_atfork(NULL, NULL, forked) == 0;
    functions_begin_again();
    requests_begin_again();
    tracks_begin_again(renumber);
    recorder.forked = false;
    recorder.open = self->current = true;
    self->path = PyUnicode_DecodeFSDefault(trace_file.path);
    return self->path != NULL;
}

static void keep(PyObject **place, PyObject *object) {
    PyObject *before = *place;
    *place = Py_NewRef(object);
    Py_XDECREF(before);
}

static int recorder_init(PyObject *object, PyObject *args, PyObject *names) {
    static char *keywords[] = {"path",  "max_size", "overwrite", "depth", "min_duration",
                               "facts", "budget", "describe_thread", "current_task_track", "warn", NULL};
    PyObject *path, *thread, *current, *warn;
    unsigned long long max_size, min_duration;
    Py_ssize_t depth;
    int overwrite;
    double budget_share;
    Py_buffer facts;
    if (!PyArg_ParseTupleAndKeywords(args, names, "O&$KpnKy*dOOO", keywords, PyUnicode_FSConverter,
                                     &path, &max_size, &overwrite, &depth, &min_duration, &facts,
                                     &budget_share, &thread, &current, &warn))
        return -1;
    bool begun = begin((Recorder *)object, path, max_size, overwrite, &facts);
    Py_DECREF(path);
    PyBuffer_Release(&facts);
    if (!begun) return -1;
    set_options(depth, min_duration);
    budget_begin(budget_share);
    keep(&recorder.describe_thread, thread);
    keep(&recorder.current_task_track, current);
    keep(&recorder.warn, warn);
    return 0;
}

static PyObject *recorder_add(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *code, *name, *file;
    int line;
    if (!PyArg_ParseTuple(args, "O!UUi", &PyCode_Type, &code, &name, &file, &line)) return NULL;
    struct function *f = function_for((PyCodeObject *)code);
    if (!f) return NULL;
    if (f->recorded) Py_RETURN_NONE;
    f->name = copy_text(name);
    f->file = f->name ? copy_text(file) : NULL;
    if (!f->file) return NULL;
    f->line = line;
    f->recorded = true;
    if (recorder.started && source_add(f) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *recorder_watch(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *code, *started, *returned;
    if (!PyArg_ParseTuple(args, "O!OO", &PyCode_Type, &code, &started, &returned)) return NULL;
    struct function *f = function_for((PyCodeObject *)code);
    if (!f) return NULL;
    PyObject *before[] = {f->started, f->returned};
    f->started = started == Py_None ? NULL : Py_NewRef(started);
    f->returned = returned == Py_None ? NULL : Py_NewRef(returned);
    f->direct = 0;
    Py_XDECREF(before[0]);
    Py_XDECREF(before[1]);
    if (recorder.started && source_add(f) < 0) return NULL;
    Py_RETURN_NONE;
}

/* Returns the line at which the function's innermost frame is; 0 if it has none. */
static int line_of(uint32_t function) {
    PyFrameObject *frame = PyThreadState_GetFrame(thread_state());
    int line = 0;
    while (frame && !line) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        const struct function *f = function_of(code);
        if (f && f->number == function) line = PyFrame_GetLineNumber(frame);
        Py_DECREF(code);
        PyFrameObject *below = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = below;
    }
    Py_XDECREF(frame);
    return line;
}

static PyObject *recorder_current_origin(PyObject *self, PyObject *unused) {
    (void)unused;
    struct thread *th = this_thread;
    if (!is_open((Recorder *)self)) return NULL;
    if ((!th || !th->busy) && call_thread(thread_state(), &th) < 0) return NULL;
    struct track *t = th ? th->track : NULL;
    if (t && recorder.started) track_put_inherited(t); /* tracks made here are parented to them */
    uint32_t function = t && t->depth ? t->open[t->depth - 1].function : 0;
    uint64_t id = t ? t->id : 0;
    return Py_BuildValue("KIiK", (unsigned long long)id, function, function ? line_of(function) : 0,
                         (unsigned long long)clock_ticks());
}

static PyObject *recorder_new_track(PyObject *self, PyObject *args) {
    (void)self;
    unsigned kind;
    PyObject *name, *parent;
    struct origin origin = {0};
    if (!PyArg_ParseTuple(args, "IUO", &kind, &name, &parent) || !origin_parse(parent, &origin))
        return NULL;
    char *text = copy_text(name);
    if (!text) return NULL;
    const struct track *t = track_new(kind, text, &origin);
    free(text);
    return t ? PyLong_FromUnsignedLongLong(t->id) : PyErr_NoMemory();
}

static PyObject *recorder_release_track(PyObject *self, PyObject *number) {
    (void)self;
    uint64_t id = PyLong_AsUnsignedLongLong(number);
    if (PyErr_Occurred()) return NULL;
    struct track *t = track_find(id);
    if (t && threads_release_track(t)) track_forget(t);
    Py_RETURN_NONE;
}

static PyObject *recorder_thread_track(PyObject *self, PyObject *unused) {
    (void)unused;
    struct thread *th = this_thread;
    if (!is_open((Recorder *)self)) return NULL;
    if ((!th || !th->own) && thread_with_own(&th) < 0) return NULL;
    return PyLong_FromUnsignedLongLong(th && th->own ? th->own->id : 0);
}

static PyObject *recorder_switch_track(PyObject *self, PyObject *number) {
    uint64_t id = PyLong_AsUnsignedLongLong(number);
    struct thread *th = this_thread;
    if (PyErr_Occurred() || !is_open((Recorder *)self)) return NULL;
    if ((!th || !th->own) && thread_with_own(&th) < 0) return NULL;
    if (!th || !th->own) return PyLong_FromLong(0);
    const struct track *before = th->home;
    th->home = id ? track_numbered(id) : NULL;
    th->state = NULL;
    return PyLong_FromUnsignedLongLong(before ? before->id : 0);
}

static PyObject *recorder_start(PyObject *self, PyObject *unused) {
    (void)unused;
    bool is_current = ((Recorder *)self)->current && recorder.open && !recorder.forked;
    if (!is_current || recorder.started || trace_file.failed) Py_RETURN_NONE;
    if (source_start() < 0) return NULL;
    budget_restart();
    recorder.started = recorder.listening = true;
    Py_RETURN_NONE;
}

static PyObject *recorder_stop(PyObject *self, PyObject *unused) {
    (void)unused;
    if (((Recorder *)self)->current) stop_recording();
    Py_RETURN_NONE;
}

static PyObject *recorder_snapshot(PyObject *self, PyObject *path) {
    PyObject *bytes;
    if (!is_open((Recorder *)self) || !PyUnicode_FSConverter(path, &bytes)) return NULL;
    bool copied;
    Py_BEGIN_ALLOW_THREADS
    copied = file_copy(PyBytes_AS_STRING(bytes));
    Py_END_ALLOW_THREADS
    if (!copied) PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
    Py_DECREF(bytes);
    if (!copied) return NULL;
    Py_RETURN_NONE;
}

static PyObject *recorder_close(PyObject *self, PyObject *unused) {
    (void)unused;
    Recorder *r = (Recorder *)self;
    if (r->current && recorder.open && !recorder.forked) {
        stop_recording();
        file_end();
        if (trace_file.failure[0]) report_failure();
        recorder.open = r->current = false;
    }
    Py_RETURN_NONE;
}

static PyObject *recorder_abandon(PyObject *self, PyObject *unused) {
    (void)unused;
    Recorder *r = (Recorder *)self;
    if (r->current && recorder.open) {
        stop_recording();
        file_abandon();
        if (recorder.forked) threads_forked();
        recorder.open = r->current = false;
    }
    Py_RETURN_NONE;
}

static void recorder_dealloc(PyObject *self) {
    Py_XDECREF(((Recorder *)self)->path);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *recorder_failed(PyObject *self, void *unused) {
    (void)unused;
    return PyBool_FromLong(((Recorder *)self)->current && trace_file.failed);
}

static PyMethodDef recorder_methods[] = {
    {"add", recorder_add, METH_VARARGS, NULL},
    {"watch", recorder_watch, METH_VARARGS, NULL},
    {"current_origin", recorder_current_origin, METH_NOARGS, NULL},
    {"new_track", recorder_new_track, METH_VARARGS, NULL},
    {"release_track", recorder_release_track, METH_O, NULL},
    {"thread_track", recorder_thread_track, METH_NOARGS, NULL},
    {"switch_track", recorder_switch_track, METH_O, NULL},
    {"start", recorder_start, METH_NOARGS, NULL},
    {"stop", recorder_stop, METH_NOARGS, NULL},
    {"add_request_function", recorder_add_request_function, METH_VARARGS, NULL},
    {"begin_request", (PyCFunction)(void (*)(void))recorder_begin_request, METH_FASTCALL, NULL},
    {"end_request", (PyCFunction)(void (*)(void))recorder_end_request, METH_FASTCALL, NULL},
    {"open_inbound", recorder_open_inbound, METH_NOARGS, NULL},
    {"snapshot", recorder_snapshot, METH_O, NULL},
    {"close", recorder_close, METH_NOARGS, NULL},
    {"abandon", recorder_abandon, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef recorder_members[] = {
    {"path", T_OBJECT_EX, offsetof(Recorder, path), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef recorder_properties[] = {
    {"failed", recorder_failed, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyTypeObject recorder_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "functrace._native._recorder.Recorder",
    .tp_basicsize = sizeof(Recorder),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
    .tp_init = recorder_init,
    .tp_dealloc = recorder_dealloc,
    .tp_methods = recorder_methods,
    .tp_members = recorder_members,
    .tp_getset = recorder_properties,
};

static PyObject *module_clock(PyObject *self, PyObject *unused) {
    (void)self, (void)unused;
    clock_begin();
    return PyUnicode_FromString(clock_name());
}

static PyObject *module_has_budget(PyObject *self, PyObject *unused) {
    (void)self, (void)unused;
    Py_RETURN_TRUE;
}

static PyObject *module_hide(PyObject *self, PyObject *function) {
    (void)self;
    return callback_hide(function);
}

static PyMethodDef module_functions[] = {
    {"clock", module_clock, METH_NOARGS, NULL},
    {"has_budget", module_has_budget, METH_NOARGS, NULL},
    {"hide", module_hide, METH_O, NULL},
    {"get_attribute", (PyCFunction)(void (*)(void))module_get_attribute, METH_FASTCALL, NULL},
    {"parse_headers", module_parse_headers, METH_O, NULL},
    {"wsgi_request", module_wsgi_request, METH_O, NULL},
    {"to_status", module_to_status, METH_O, NULL},
    {"guard", module_guard, METH_VARARGS, NULL},
    {"around", module_around, METH_VARARGS, NULL},
    {"begin_inbound", (PyCFunction)(void (*)(void))module_begin_inbound, METH_FASTCALL, NULL},
    {"end_inbound", (PyCFunction)(void (*)(void))module_end_inbound, METH_FASTCALL, NULL},
    {"current_inbound", module_current_inbound, METH_NOARGS, NULL},
    {"find_inbound", module_find_inbound, METH_O, NULL},
    {"forget_inbounds", module_forget_inbounds, METH_NOARGS, NULL},
    {"note_status", module_note_status, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static int module_fill(PyObject *module) {
    if (PyModule_AddIntConstant(module, "THREAD", THREAD_KIND) < 0 ||
        PyModule_AddIntConstant(module, "TASK", TASK_KIND) < 0 || callback_begin() < 0 ||
        exact_items_begin() < 0 || hooks_begin() < 0 || wsgi_begin() < 0 ||
        trace_context_begin(module) < 0 || inbound_begin(module) < 0)
        return -1;
    return PyModule_AddType(module, &recorder_type);
}

/* State belongs to the process: other interpreters are rejected where CPython supports that. */
static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_fill},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "functrace._native._recorder",
    .m_methods = module_functions,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__recorder(void) { return PyModuleDef_Init(&module_definition); }
