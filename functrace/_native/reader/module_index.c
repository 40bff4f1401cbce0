/* IndexBuilder and Index of functrace._native._reader. _reader.pyi describes them. */
#include "module_index.h"

#include "index.h"

static PyObject *allocate(PyTypeObject *type) {
    allocfunc allocate_object = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    return allocate_object(type, 0);
}

static void release(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    freefunc free_object = (freefunc)PyType_GetSlot(type, Py_tp_free);
    free_object(object);
    Py_DECREF((PyObject *)type);
}

/* ---- IndexBuilder ---- */

struct builder {
    PyObject_HEAD
    struct walk *walk;
    PyObject *owner; /* keeps what the source points to */
    int is_busy;
};

static PyObject *builder_new(PyTypeObject *type, PyObject *arguments, PyObject *named) {
    PyObject *source, *owner;
    long long first, last;
    unsigned long long strip_words;
    struct index_request ask = {0};
    (void)named;
    if (!PyArg_ParseTuple(arguments, "OLLKiO", &source, &first, &last, &strip_words, &ask.bin_shift, &owner)) return NULL;
    if (!functrace_source(source, &ask.source)) return NULL;
    if (first < 0 || first > last || last > ask.source.track_count || ask.bin_shift < 0 || ask.bin_shift > 62) {
        PyErr_SetString(PyExc_ValueError, "tracks or bins out of range");
        return NULL;
    }
    if (!strip_words) {
        PyErr_SetString(PyExc_ValueError, "strips have no words");
        return NULL;
    }
    ask.first_track = first;
    ask.last_track = last;
    ask.strip_words = strip_words;
    struct builder *self = (struct builder *)allocate(type);
    if (!self) return NULL;
    Py_INCREF(owner);
    self->owner = owner;
    self->is_busy = 0;
    self->walk = functrace_index_open(&ask);
    if (self->walk) return (PyObject *)self;
    Py_DECREF((PyObject *)self);
    return PyErr_NoMemory();
}

static void builder_dealloc(PyObject *object) {
    struct builder *self = (struct builder *)object;
    functrace_index_close(self->walk);
    Py_XDECREF(self->owner);
    release(object);
}

static PyObject *builder_advance(PyObject *object, PyObject *arguments) {
    struct builder *self = (struct builder *)object;
    unsigned long long words;
    int done = 0, status;
    if (!PyArg_ParseTuple(arguments, "K", &words)) return NULL;
    if (self->is_busy) {
        PyErr_SetString(PyExc_RuntimeError, "another thread builds this index");
        return NULL;
    }
    self->is_busy = 1;
    Py_BEGIN_ALLOW_THREADS
    status = functrace_index_advance(self->walk, words, &done);
    Py_END_ALLOW_THREADS
    self->is_busy = 0;
    if (status != STATUS_OK) return PyErr_NoMemory();
    return Py_BuildValue("(NK)", PyBool_FromLong(done), (unsigned long long)functrace_index_parts(self->walk)->words);
}

static PyObject *builder_arrays(PyObject *object, PyObject *arguments) {
    struct builder *self = (struct builder *)object;
    (void)arguments;
    if (self->is_busy) {
        PyErr_SetString(PyExc_RuntimeError, "another thread builds this index");
        return NULL;
    }
    const struct index_parts *parts = functrace_index_parts(self->walk);
    return Py_BuildValue("(NNNNNNN)", functrace_copy(parts->tracks, parts->track_count, sizeof *parts->tracks),
                         functrace_copy(parts->strips, parts->strip_count, sizeof *parts->strips),
                         functrace_copy(parts->parts, parts->part_count, sizeof *parts->parts),
                         functrace_copy(parts->crossings, parts->crossing_count, sizeof *parts->crossings),
                         functrace_copy(parts->summaries, parts->summary_count, sizeof *parts->summaries),
                         functrace_copy(parts->bin_calls, OVERVIEW_BINS, sizeof *parts->bin_calls),
                         functrace_copy(parts->bin_failed, OVERVIEW_BINS, sizeof *parts->bin_failed));
}

static PyMethodDef BUILDER_METHODS[] = {
    {"advance", builder_advance, METH_VARARGS, NULL},
    {"arrays", builder_arrays, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot BUILDER_SLOTS[] = {
    {Py_tp_new, (void *)builder_new},
    {Py_tp_dealloc, (void *)builder_dealloc},
    {Py_tp_methods, BUILDER_METHODS},
    {0, NULL},
};

PyType_Spec functrace_index_builder_type = {"functrace._native._reader.IndexBuilder", sizeof(struct builder), 0,
                                            Py_TPFLAGS_DEFAULT, BUILDER_SLOTS};

/* ---- Index ---- */

struct index_object {
    PyObject_HEAD
    struct index index;
    PyObject *owner; /* keeps what the index and its source point to */
};

static int read_index(PyObject *arguments, struct index *out, PyObject **owner) {
    PyObject *source, *tracks, *strips, *parts, *crossings, *summaries;
    struct array in_tracks, in_strips, in_parts, in_crossings, in_summaries;
    if (!PyArg_ParseTuple(arguments, "OOOOOOO", &source, &tracks, &strips, &parts, &crossings, &summaries, owner))
        return 0;
    if (!functrace_source(source, &out->source) ||
        !functrace_array(tracks, sizeof(struct indexed_track), &in_tracks) ||
        !functrace_array(strips, sizeof(struct strip), &in_strips) ||
        !functrace_array(parts, sizeof(struct part), &in_parts) ||
        !functrace_array(crossings, sizeof(struct crossing), &in_crossings) ||
        !functrace_array(summaries, sizeof(struct summary), &in_summaries))
        return 0;
    out->tracks = in_tracks.items, out->track_count = in_tracks.count;
    out->strips = in_strips.items, out->strip_count = in_strips.count;
    out->parts = in_parts.items, out->part_count = in_parts.count;
    out->crossings = in_crossings.items, out->crossing_count = in_crossings.count;
    out->summaries = in_summaries.items, out->summary_count = in_summaries.count;
    return 1;
}

static PyObject *index_new(PyTypeObject *type, PyObject *arguments, PyObject *named) {
    struct index index = {0};
    PyObject *owner;
    int is_valid;
    (void)named;
    if (!read_index(arguments, &index, &owner)) return NULL;
    Py_BEGIN_ALLOW_THREADS
    is_valid = functrace_index_is_valid(&index);
    Py_END_ALLOW_THREADS
    if (!is_valid) {
        PyErr_SetString(PyExc_ValueError, "an index refers to what is not in it");
        return NULL;
    }
    struct index_object *self = (struct index_object *)allocate(type);
    if (!self) return NULL;
    Py_INCREF(owner);
    self->owner = owner;
    self->index = index;
    return (PyObject *)self;
}

static void index_dealloc(PyObject *object) {
    Py_XDECREF(((struct index_object *)object)->owner);
    release(object);
}

static int read_tracks(const struct index *index, PyObject *argument, const int64_t **out, uint64_t *count) {
    struct array found;
    if (!functrace_array(argument, sizeof(int64_t), &found)) return 0;
    *out = found.items;
    *count = found.count;
    int are_valid = found.count < UINT32_MAX;
    for (uint64_t i = 0; are_valid && i < found.count; i++)
        are_valid = (*out)[i] >= 0 && (uint64_t)(*out)[i] < index->track_count;
    if (!are_valid) PyErr_SetString(PyExc_ValueError, "there is no such track");
    return are_valid;
}

/* Times of a query are such that sums of them and of those in a trace do not overflow. */
static int64_t limited(long long time) {
    return time < 0 ? 0 : time > TIME_LIMIT ? TIME_LIMIT : time;
}

static PyObject *index_window(PyObject *object, PyObject *arguments) {
    struct window_request ask = {0};
    struct window_result found = {0};
    PyObject *tracks, *result = NULL;
    long long since, until, pixel;
    unsigned int depths;
    unsigned long long max_strips, max_slices;
    int status;
    if (!PyArg_ParseTuple(arguments, "OLLLIKK", &tracks, &since, &until, &pixel, &depths, &max_strips, &max_slices))
        return NULL;
    ask.index = &((struct index_object *)object)->index;
    if (!read_tracks(ask.index, tracks, &ask.tracks, &ask.track_count)) return NULL;
    ask.since = limited(since);
    ask.until = limited(until);
    ask.pixel = pixel < 1 ? 1 : limited(pixel);
    ask.depths = depths > UINT16_MAX ? UINT16_MAX : depths;
    ask.max_strips = max_strips;
    ask.max_slices = max_slices;
    Py_BEGIN_ALLOW_THREADS
    status = functrace_window(&ask, &found);
    Py_END_ALLOW_THREADS
    if (status == STATUS_OK)
        result = Py_BuildValue("(NLK)", functrace_copy(found.slices, found.slice_count, sizeof *found.slices),
                               (long long)found.resolution, (unsigned long long)found.strips);
    else
        PyErr_NoMemory();
    free(found.slices);
    return result;
}

static int read_functions(const struct index *index, PyObject *argument, const uint8_t **out) {
    struct array functions;
    if (!functrace_array(argument, 1, &functions)) return 0;
    if (functions.items && functions.count < (uint64_t)index->source.function_count) {
        PyErr_SetString(PyExc_ValueError, "fewer flags than functions");
        return 0;
    }
    *out = functions.items;
    return 1;
}

static PyObject *index_calls(PyObject *object, PyObject *arguments) {
    struct call_request ask = {0};
    struct call_result found = {0};
    PyObject *tracks, *functions, *result = NULL;
    long long since, until, min_duration;
    unsigned long long limit, max_strips;
    int status;
    if (!PyArg_ParseTuple(arguments, "OOLLLpipKK", &tracks, &functions, &since, &until, &min_duration, &ask.failed_only,
                          &ask.order, &ask.descending, &limit, &max_strips))
        return NULL;
    ask.index = &((struct index_object *)object)->index;
    if (!read_tracks(ask.index, tracks, &ask.tracks, &ask.track_count)) return NULL;
    if (!read_functions(ask.index, functions, &ask.functions)) return NULL;
    ask.since = limited(since);
    ask.until = limited(until);
    ask.min_duration = limited(min_duration);
    ask.limit = limit;
    ask.max_strips = max_strips;
    Py_BEGIN_ALLOW_THREADS
    status = functrace_call_list(&ask, &found);
    Py_END_ALLOW_THREADS
    if (status == STATUS_OK)
        result = Py_BuildValue("(NKNK)", functrace_copy(found.calls, found.call_count, sizeof *found.calls),
                               (unsigned long long)found.total, PyBool_FromLong(found.is_complete),
                               (unsigned long long)found.strips);
    else
        PyErr_NoMemory();
    free(found.calls);
    return result;
}

static PyMethodDef INDEX_METHODS[] = {
    {"calls", index_calls, METH_VARARGS, NULL},
    {"window", index_window, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot INDEX_SLOTS[] = {
    {Py_tp_new, (void *)index_new},
    {Py_tp_dealloc, (void *)index_dealloc},
    {Py_tp_methods, INDEX_METHODS},
    {0, NULL},
};

PyType_Spec functrace_index_type = {"functrace._native._reader.Index", sizeof(struct index_object), 0,
                                    Py_TPFLAGS_DEFAULT, INDEX_SLOTS};
