#include "thread.h"

#include <stdlib.h>

#include "callback.h"
#include "state.h"

THREAD_LOCAL struct thread *this_thread;

static struct thread *threads; /* locked by file_lock */
static pthread_key_t ending;

/* A thread created by C may have several states in turn; each state's dictionary owns a binding. */
struct binding {
    const PyThreadState *state;
    struct thread *th; /* NULL: the thread has ended */
};

static const char binding_name[] = "functrace._native._recorder";

static void release_binding(PyObject *capsule) {
    struct binding *binding = PyCapsule_GetPointer(capsule, binding_name);
    pthread_mutex_lock(&file_lock);
    if (binding->th) binding->th->state = NULL, binding->th->binding = NULL;
    pthread_mutex_unlock(&file_lock);
    free(binding);
}

static struct binding *bind(struct thread *th, const PyThreadState *state) {
    PyObject *dictionary = PyThreadState_GetDict(), *capsule = NULL;
    struct binding *binding = dictionary ? malloc(sizeof *binding) : NULL;
    if (binding) {
        *binding = (struct binding){state, NULL};
        capsule = PyCapsule_New(binding, binding_name, release_binding);
        if (!capsule) free(binding);
    }
    if (!capsule) return NULL;
    bool is_stored = PyDict_SetItemString(dictionary, binding_name, capsule) == 0;
    if (is_stored) binding->th = th;
    Py_DECREF(capsule);
    return is_stored ? binding : NULL;
}

/* Stores the thread's state until it is deleted. */
static void cache_state(struct thread *th, PyThreadState *state) {
    th->context = state->context_ver;
#if PY_VERSION_HEX >= 0x030C0000
    if (state->_status.finalizing) return; /* its dictionary may be deleted */
#endif
    if (!th->binding || th->binding->state != state) {
        struct binding *binding = bind(th, state);
        if (!binding) PyErr_Clear();
        th->binding = binding;
    }
    if (th->binding) th->state = state;
}

static void unlink_thread(struct thread *th) {
    if (th->previous) th->previous->next = th->next;
    else threads = th->next;
    if (th->next) th->next->previous = th->previous;
}

/* Runs without the interpreter's lock. */
static void end(void *memory) {
    struct thread *th = memory;
    pthread_mutex_lock(&file_lock);
    unlink_thread(th);
    if (th->binding) th->binding->th = NULL;
    pthread_mutex_unlock(&file_lock);
    if (th->own) track_forget(th->own);
    free(th);
    this_thread = NULL;
}

bool threads_begin(void) {
    static bool begun;
    begun = begun || pthread_key_create(&ending, end) == 0;
    return begun;
}

static struct thread *create_thread(void) {
    struct thread *th = calloc(1, sizeof *th);
    if (!th) return NULL;
    pthread_mutex_lock(&file_lock);
    th->next = threads;
    if (threads) threads->previous = th;
    threads = th;
    pthread_mutex_unlock(&file_lock);
    pthread_setspecific(ending, th);
    return this_thread = th;
}

bool origin_parse(PyObject *parent, struct origin *origin) {
    unsigned long long track, ticks;
    unsigned long function, line;
    if (parent == Py_None) return true;
    if (!PyArg_ParseTuple(parent, "KkkK;a parent is what where() returns", &track, &function, &line,
                          &ticks))
        return false;
    *origin = (struct origin){track, ticks, (uint32_t)function, (uint32_t)line};
    return true;
}

static struct track *describe_own(int is_main, const char *name, const struct origin *origin) {
    if (!is_main) return track_new(THREAD_KIND, name, origin);
    struct track *t = track_numbered(1);
    if (t) track_describe(t, THREAD_KIND, name, origin);
    return t;
}

/* Creates a thread's own track from the result of describe_thread(). */
static struct track *own_track(PyObject *result) {
    int is_main;
    PyObject *name, *parent;
    struct origin origin = {0};
    if (!PyArg_ParseTuple(result, "pUO", &is_main, &name, &parent) || !origin_parse(parent, &origin))
        return NULL;
    char *text = copy_text(name);
    struct track *t = text ? describe_own(is_main, text, &origin) : NULL;
    free(text);
    return t;
}

int thread_with_own(struct thread **found) {
    struct thread *th = this_thread ? this_thread : create_thread();
    if (!th || !recorder.open || th->busy) return 0;
    *found = th;
    if (th->own) return 1;
    PyObject *result;
    th->busy = true;
    int status = callback_call(recorder.describe_thread, NULL, &result);
    th->busy = false;
    if (status <= 0) return status;
    th->own = own_track(result);
    Py_DECREF(result);
    if (!th->own) PyErr_Clear();
    return th->own != NULL;
}

/* Finds the track of the task that this thread runs: 1; 0 for none; -1 as above. */
static int task_track(struct thread *th, struct track **found) {
    PyObject *result;
    th->busy = true;
    int status = callback_call(recorder.current_task_track, NULL, &result);
    th->busy = false;
    if (status <= 0) return status;
    uint64_t id = PyLong_AsUnsignedLongLong(result);
    Py_DECREF(result);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        return 0;
    }
    *found = id ? track_numbered(id) : NULL;
    return *found != NULL;
}

int thread_find(PyThreadState *state, struct thread **found) {
    if (!recorder.started) return 0;
    int status = thread_with_own(found);
    if (status <= 0) return status;
    struct thread *th = *found;
    if (th->state == state && th->context == state->context_ver) return 1;
    struct track *task = NULL;
    th->state = NULL;
    status = task_track(th, &task);
    if (status < 0) return -1;
    th->on_task = task != NULL;
    th->track = task ? task : th->home ? th->home : th->own;
    cache_state(th, state);
    return 1;
}

void threads_invalidate(void) {
    pthread_mutex_lock(&file_lock);
    for (struct thread *th = threads; th; th = th->next) th->state = NULL;
    pthread_mutex_unlock(&file_lock);
}

bool threads_release_track(struct track *t) {
    bool is_own = false;
    pthread_mutex_lock(&file_lock);
    for (struct thread *th = threads; th; th = th->next) is_own |= th->own == t;
    for (struct thread *th = threads; th && !is_own; th = th->next) {
        if (th->home == t) th->home = NULL;
        if (th->track == t) th->track = NULL, th->state = NULL;
    }
    pthread_mutex_unlock(&file_lock);
    return !is_own;
}

void threads_forked(void) {
    for (struct thread *th = threads, *next; th; th = next) {
        next = th->next;
        if (th == this_thread) continue;
        unlink_thread(th);
        if (th->binding) th->binding->th = NULL;
        if (th->own) track_forget(th->own);
        free(th);
    }
    struct thread *th = this_thread;
    if (!th || !th->own) return;
    th->state = NULL;
    th->own->origin = (struct origin){0};
    track_renumber(th->own, 1);
}
