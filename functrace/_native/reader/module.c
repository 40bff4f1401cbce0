/* functrace._native._reader: the trace reader for Python. _reader.pyi describes it. */
#include "python.h"

#include "events.h"
#include "feed.h"
#include "fold.h"
#include "index.h"
#include "module_index.h"
#include "pack.h"
#include "scan.h"
#include "truncation.h"

/* Increase it with every change of a function's arguments or results, or of what a field means. Layouts
 * are compared field by field. */
enum { VERSION = 10 };

/* ---- layout ---- */

struct field {
    const char *structure, *name;
    size_t structure_size, offset, size;
};

#define FIELD(type, field) \
    {#type, #field, sizeof(struct type), offsetof(struct type, field), sizeof(((struct type *)0)->field)}

static const struct field FIELDS[] = {
    FIELD(chunk, offset), FIELD(chunk, sequence), FIELD(chunk, track), FIELD(chunk, base),
    FIELD(chunk, size), FIELD(chunk, kind), FIELD(chunk, open), FIELD(chunk, padding),
    FIELD(piece, track), FIELD(piece, offset), FIELD(piece, base), FIELD(piece, first),
    FIELD(piece, words), FIELD(piece, open), FIELD(piece, run), FIELD(piece, flags),
    FIELD(track_record, id), FIELD(track_record, parent), FIELD(track_record, start),
    FIELD(track_record, name), FIELD(track_record, name_length), FIELD(track_record, kind),
    FIELD(track_record, starter), FIELD(track_record, line),
    FIELD(track, start), FIELD(track, parent), FIELD(track, starter),
    FIELD(node, calls), FIELD(node, total), FIELD(node, self), FIELD(node, suspended), FIELD(node, min),
    FIELD(node, max), FIELD(node, errors), FIELD(node, panics), FIELD(node, unfinished),
    FIELD(node, slowest_start), FIELD(node, failed_start), FIELD(node, failed_text), FIELD(node, last),
    FIELD(node, partial), FIELD(node, max_in_caller), FIELD(node, caller_calls),
    FIELD(node, parent), FIELD(node, function), FIELD(node, slowest_track), FIELD(node, failed_track),
    FIELD(node, histogram), FIELD(node, failed_length), FIELD(node, started), FIELD(node, recursive),
    FIELD(node_origin, node), FIELD(node_origin, origin),
    FIELD(node, window), FIELD(node, padding),
    FIELD(block, owner), FIELD(block, exponent), FIELD(block, counts),
    FIELD(row, start), FIELD(row, duration), FIELD(row, suspended), FIELD(row, text),
    FIELD(row, text_length), FIELD(row, flags), FIELD(row, node), FIELD(row, function), FIELD(row, track),
    FIELD(row, depth), FIELD(row, parent), FIELD(row, padding),
    FIELD(request, number), FIELD(request, inbound), FIELD(request, span_id), FIELD(request, ft_process),
    FIELD(request, ft_number), FIELD(request, trace_id), FIELD(request, start), FIELD(request, end),
    FIELD(request, call), FIELD(request, track), FIELD(request, function), FIELD(request, node),
    FIELD(request, route), FIELD(request, status), FIELD(request, ancestor), FIELD(request, flags),
    FIELD(request, direction), FIELD(request, protocol), FIELD(request, failed), FIELD(request, unfinished),
    FIELD(event, time), FIELD(event, text), FIELD(event, text_length), FIELD(event, flags),
    FIELD(event, function), FIELD(event, track), FIELD(event, kind), FIELD(event, padding),
    FIELD(call, call), FIELD(call, parent), FIELD(call, start), FIELD(call, duration), FIELD(call, self),
    FIELD(call, suspended), FIELD(call, text), FIELD(call, text_length), FIELD(call, flags),
    FIELD(call, function), FIELD(call, track), FIELD(call, depth), FIELD(call, padding),
    FIELD(begun, call), FIELD(begun, parent), FIELD(begun, start), FIELD(begun, outer),
    FIELD(begun, function), FIELD(begun, track), FIELD(begun, outer_track), FIELD(begun, padding),
    FIELD(fed_track, id), FIELD(fed_track, start), FIELD(fed_track, text), FIELD(fed_track, text_length),
    FIELD(fed_track, track), FIELD(fed_track, kind), FIELD(fed_track, evicted),
    FIELD(fed_status, call), FIELD(fed_status, value),
    FIELD(chain, parent), FIELD(chain, function), FIELD(chain, started),
    FIELD(chain_figures, calls), FIELD(chain_figures, failed), FIELD(chain_figures, panicked),
    FIELD(chain_figures, unfinished), FIELD(chain_figures, total), FIELD(chain_figures, max),
    FIELD(chain_figures, chain), FIELD(chain_figures, table),
    FIELD(chain_failure, calls), FIELD(chain_failure, text), FIELD(chain_failure, text_length),
    FIELD(chain_failure, chain), FIELD(chain_failure, panicked), FIELD(chain_failure, window),
    FIELD(chain_open, start), FIELD(chain_open, calls), FIELD(chain_open, chain), FIELD(chain_open, track),
    FIELD(chain_open, suspended), FIELD(chain_open, padding),
    FIELD(rollup_row, calls), FIELD(rollup_row, failed), FIELD(rollup_row, panicked),
    FIELD(rollup_row, unfinished), FIELD(rollup_row, total), FIELD(rollup_row, self),
    FIELD(rollup_row, suspended), FIELD(rollup_row, min), FIELD(rollup_row, max),
    FIELD(rollup_row, slowest_start), FIELD(rollup_row, failed_start), FIELD(rollup_row, slowest_track),
    FIELD(rollup_row, failed_track), FIELD(rollup_row, chain), FIELD(rollup_row, window),
    FIELD(rollup_row, table), FIELD(rollup_row, padding),
    FIELD(indexed_track, start), FIELD(indexed_track, end), FIELD(indexed_track, calls),
    FIELD(indexed_track, failed), FIELD(indexed_track, strip), FIELD(indexed_track, part),
    FIELD(indexed_track, strips), FIELD(indexed_track, depth),
    FIELD(strip, time), FIELD(strip, piece), FIELD(strip, word), FIELD(strip, base), FIELD(strip, words),
    FIELD(strip, open), FIELD(strip, crossing), FIELD(strip, hidden), FIELD(strip, hidden_index),
    FIELD(strip, suspended), FIELD(strip, padding),
    FIELD(part, first), FIELD(part, last), FIELD(part, max_duration), FIELD(part, functions),
    FIELD(part, summary), FIELD(part, summaries), FIELD(part, padding), FIELD(part, calls), FIELD(part, failed),
    FIELD(summary, start), FIELD(summary, duration), FIELD(summary, weight), FIELD(summary, function),
    FIELD(summary, calls), FIELD(summary, depth), FIELD(summary, flags),
    FIELD(crossing, start), FIELD(crossing, duration), FIELD(crossing, self), FIELD(crossing, suspended),
    FIELD(crossing, text), FIELD(crossing, parent), FIELD(crossing, text_length), FIELD(crossing, flags),
    FIELD(crossing, function), FIELD(crossing, depth), FIELD(crossing, last_strip), FIELD(crossing, padding),
    FIELD(slice, start), FIELD(slice, duration), FIELD(slice, calls), FIELD(slice, weight),
    FIELD(slice, function), FIELD(slice, track), FIELD(slice, depth), FIELD(slice, flags), FIELD(slice, padding),
    FIELD(listed_call, start), FIELD(listed_call, duration), FIELD(listed_call, self),
    FIELD(listed_call, suspended), FIELD(listed_call, text), FIELD(listed_call, text_length),
    FIELD(listed_call, flags), FIELD(listed_call, function), FIELD(listed_call, parent),
    FIELD(listed_call, track), FIELD(listed_call, depth),
};

static PyObject *layout(PyObject *module, PyObject *arguments) {
    (void)module, (void)arguments;
    PyObject *fields = PyList_New(0);
    for (size_t i = 0; fields && i < sizeof FIELDS / sizeof *FIELDS; i++) {
        const struct field *f = &FIELDS[i];
        PyObject *made = Py_BuildValue("(ssKKK)", f->structure, f->name, (unsigned long long)f->structure_size,
                                       (unsigned long long)f->offset, (unsigned long long)f->size);
        if (!made || PyList_Append(fields, made) < 0) Py_CLEAR(fields);
        Py_XDECREF(made);
    }
    return fields;
}

/* ---- scan ---- */

static PyObject *chunks(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *data;
    unsigned long long at;
    int overwritten, status;
    struct array bytes;
    if (!PyArg_ParseTuple(arguments, "OKp", &data, &at, &overwritten)) return NULL;
    if (!functrace_array(data, 1, &bytes)) return NULL;
    struct chunks found = {0};
    Py_BEGIN_ALLOW_THREADS
    status = functrace_chunks(bytes.items, bytes.count, at, overwritten, &found);
    Py_END_ALLOW_THREADS
    PyObject *result = NULL;
    if (status == STATUS_OK)
        result = Py_BuildValue("(NKK)", functrace_copy(found.items, found.count, sizeof *found.items),
                               (unsigned long long)found.gaps, (unsigned long long)found.cut);
    else
        PyErr_NoMemory();
    functrace_release_chunks(&found);
    return result;
}

static int are_inside(const struct chunk *chunks, uint64_t count, uint64_t size) {
    for (uint64_t i = 0; i < count; i++)
        if (chunks[i].offset > size || chunks[i].size > size - chunks[i].offset) return 0;
    return 1;
}

static PyObject *pieces(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *data, *chunk_rows;
    unsigned long long start;
    int status;
    struct array bytes, rows;
    int version;
    if (!PyArg_ParseTuple(arguments, "OKiO", &data, &start, &version, &chunk_rows)) return NULL;
    if (!functrace_array(data, 1, &bytes)) return NULL;
    if (!functrace_array(chunk_rows, sizeof(struct chunk), &rows)) return NULL;
    if (!are_inside(rows.items, rows.count, bytes.count)) {
        PyErr_SetString(PyExc_ValueError, "a chunk is outside of its file");
        return NULL;
    }
    struct pieces found = {0};
    Py_BEGIN_ALLOW_THREADS
    status = functrace_pieces(bytes.items, start, version, rows.items, rows.count, &found);
    Py_END_ALLOW_THREADS
    PyObject *result = NULL;
    if (status == STATUS_OK) {
        /* Each array is released before the next one is copied. */
        PyObject *items = functrace_copy(found.items, found.count, sizeof *found.items);
        free(found.items);
        found.items = NULL;
        PyObject *tracks = functrace_copy(found.tracks, found.track_count, sizeof *found.tracks);
        result = Py_BuildValue("(NNKLLKKKK)", items, tracks, (unsigned long long)found.events,
                               (long long)found.first, (long long)found.last,
                               (unsigned long long)found.stray, (unsigned long long)found.cut,
                               (unsigned long long)found.trackless, (unsigned long long)found.bad_tracks);
    } else
        PyErr_NoMemory();
    functrace_release_pieces(&found);
    return result;
}

/* ---- fold ---- */

/* By track or function: NULL, or a byte for each. */
static int choice(PyObject *argument, int64_t count, const uint8_t **out) {
    struct array found;
    if (!functrace_array(argument, 1, &found)) return 0;
    if (found.items && found.count < (uint64_t)count) {
        PyErr_SetString(PyExc_ValueError, "a choice has too few items");
        return 0;
    }
    *out = found.items;
    return 1;
}

/* NULL, or at least two ascending times. */
static int read_bounds(PyObject *argument, struct array *out) {
    if (!functrace_array(argument, sizeof(int64_t), out)) return 0;
    if (!out->items) return 1;
    const int64_t *bounds = out->items;
    int are_ascending = out->count > 1 && out->count < INT32_MAX;
    for (uint64_t i = 1; are_ascending && i < out->count; i++) are_ascending = bounds[i - 1] < bounds[i];
    if (!are_ascending) PyErr_SetString(PyExc_ValueError, "the bounds of windows are not ascending");
    return are_ascending;
}

static int read_origins(PyObject *numbers, PyObject *ids, struct fold_request *ask) {
    struct array in_numbers, in_ids;
    if (!functrace_array(numbers, sizeof(uint64_t), &in_numbers)) return 0;
    if (!functrace_array(ids, sizeof(uint32_t), &in_ids)) return 0;
    if (in_numbers.count != in_ids.count) {
        PyErr_SetString(PyExc_ValueError, "as many numbers of requests as origins are expected");
        return 0;
    }
    ask->origin_numbers = in_numbers.items;
    ask->origin_ids = in_ids.items;
    ask->origin_count = in_numbers.count;
    return 1;
}

static int read_listing(PyObject *arguments, int64_t functions, struct listing_request *ask) {
    PyObject *row_of, *focus;
    long long n[8];
    if (!PyArg_ParseTuple(arguments, "OOLLLLLLLL", &row_of, &focus, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7]))
        return 0;
    ask->row_limit = n[0], ask->min_duration = n[1], ask->failed_only = n[2], ask->include_callers = n[3];
    ask->preceding_rows = n[4], ask->match_since = n[5], ask->match_until = n[6], ask->usual_factor = n[7];
    return choice(row_of, functions, &ask->row_of) && choice(focus, functions, &ask->focus);
}

/* The array is to be freed, also after an error. */
static int read_listings(PyObject *argument, struct fold_request *ask, struct listing_request **out) {
    if (!PyTuple_Check(argument)) {
        PyErr_SetString(PyExc_TypeError, "a tuple of listings is expected");
        return 0;
    }
    Py_ssize_t count = PyTuple_Size(argument);
    *out = calloc((size_t)count + 1, sizeof **out);
    if (!*out) return PyErr_NoMemory(), 0;
    for (Py_ssize_t i = 0; i < count; i++)
        if (!read_listing(PyTuple_GetItem(argument, i), ask->source.function_count, *out + i)) return 0;
    ask->listings = *out;
    ask->listing_count = (uint64_t)count;
    return 1;
}

static int read_fold_request(PyObject *arguments, struct fold_request *ask, struct listing_request **listings) {
    PyObject *source, *selected_tracks, *histogram_of, *direction_of, *numbers, *ids, *asked, *bounds;
    long long n[4];
    if (!PyArg_ParseTuple(arguments, "OOOOOOLLLLOOd", &source, &selected_tracks, &histogram_of, &direction_of, &numbers,
                          &ids, &n[0], &n[1], &n[2], &n[3], &asked, &bounds, &ask->ns_per_tick))
        return 0;
    if (!functrace_source(source, &ask->source)) return 0;
    ask->since = n[0], ask->until = n[1], ask->node_limit = n[2], ask->starts_are_observed = n[3];
    struct array windows;
    if (!read_bounds(bounds, &windows)) return 0;
    ask->bounds = windows.items;
    ask->bound_count = windows.count;
    int64_t functions = ask->source.function_count;
    return choice(selected_tracks, ask->source.track_count, &ask->selected_tracks) &&
           choice(histogram_of, functions, &ask->histogram_of) && choice(direction_of, functions, &ask->direction_of) &&
           read_origins(numbers, ids, ask) && read_listings(asked, ask, listings);
}

/* Return for each listing its rows, whether calls are missing, and what was omitted by function. */
static PyObject *listed_rows(const struct fold_result *found, int64_t functions) {
    PyObject *tables = PyList_New(0);
    for (uint64_t i = 0; tables && i < found->listing_count; i++) {
        const struct row_table *t = &found->listed[i];
        uint64_t omitted = t->omitted ? (uint64_t)functions : 0;
        PyObject *made = Py_BuildValue("(NLN)", functrace_copy(t->rows, t->count, sizeof *t->rows), (long long)t->truncated,
                                       functrace_copy(t->omitted, omitted, sizeof *t->omitted));
        if (!made || PyList_Append(tables, made) < 0) Py_CLEAR(tables);
        Py_XDECREF(made);
    }
    return tables;
}

static PyObject *fold(PyObject *module, PyObject *arguments) {
    (void)module;
    struct fold_request ask = {0};
    struct fold_result found = {0};
    struct listing_request *listings = NULL;
    int status = STATUS_OK, is_valid = read_fold_request(arguments, &ask, &listings);
    if (is_valid) {
        Py_BEGIN_ALLOW_THREADS
        status = functrace_fold(&ask, &found);
        Py_END_ALLOW_THREADS
    }
    free(listings);
    PyObject *result = NULL;
    const struct anomalies *a = &found.anomalies;
    if (is_valid && status == STATUS_OK)
        result = Py_BuildValue("(NNNNN(LLLLLLLLL))", functrace_copy(found.nodes, found.node_count, sizeof *found.nodes),
                               functrace_copy(found.blocks, found.block_count, sizeof *found.blocks),
                               listed_rows(&found, ask.source.function_count),
                               functrace_copy(found.origins, found.origin_count, sizeof *found.origins),
                               functrace_copy(found.requests.items, found.requests.count, sizeof(struct request)),
                               (long long)a->unknown, (long long)a->orphans, (long long)a->skipped,
                               (long long)a->backwards, (long long)a->differing, (long long)a->lost,
                               (long long)a->hidden, (long long)found.overflow, (long long)found.requests.invalid);
    else if (is_valid)
        PyErr_NoMemory();
    functrace_release_result(&found);
    return result;
}

/* ---- events ---- */

struct events {
    PyObject_HEAD
    struct walk *walk;
    PyObject *owner; /* keeps what the request points to */
    int whole, is_busy;
};

static PyObject *events_new(PyTypeObject *type, PyObject *arguments, PyObject *named) {
    PyObject *source, *caller, *owner;
    struct array callers;
    struct events_request ask = {0};
    int whole;
    (void)named;
    if (!PyArg_ParseTuple(arguments, "OOpO", &source, &caller, &whole, &owner)) return NULL;
    if (!functrace_source(source, &ask.source)) return NULL;
    if (!functrace_array(caller, sizeof(int64_t), &callers)) return NULL;
    if (callers.count < (uint64_t)ask.source.track_count) {
        PyErr_SetString(PyExc_ValueError, "fewer callers than tracks");
        return NULL;
    }
    ask.caller = callers.items;
    ask.whole = whole;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    struct events *self = (struct events *)allocate(type, 0);
    if (!self) return NULL;
    Py_INCREF(owner);
    self->owner = owner;
    self->whole = whole;
    self->is_busy = 0;
    self->walk = functrace_events_open(&ask);
    if (self->walk) return (PyObject *)self;
    Py_DECREF((PyObject *)self);
    return PyErr_NoMemory();
}

static void events_dealloc(PyObject *object) {
    struct events *self = (struct events *)object;
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    functrace_events_close(self->walk);
    Py_XDECREF(self->owner);
    release(object);
    Py_DECREF((PyObject *)type);
}

static PyObject *events_next(PyObject *object, PyObject *arguments) {
    struct events *self = (struct events *)object;
    unsigned long long count;
    struct rows *rows = NULL;
    int status;
    if (!PyArg_ParseTuple(arguments, "K", &count)) return NULL;
    if (self->is_busy) {
        PyErr_SetString(PyExc_RuntimeError, "another thread reads these events");
        return NULL;
    }
    self->is_busy = 1;
    Py_BEGIN_ALLOW_THREADS
    status = functrace_events_next(self->walk, count, &rows);
    Py_END_ALLOW_THREADS
    self->is_busy = 0;
    if (status != STATUS_OK) return PyErr_NoMemory();
    return self->whole ? functrace_copy(rows->calls, rows->call_count, sizeof *rows->calls)
                       : functrace_copy(rows->events, rows->event_count, sizeof *rows->events);
}

static PyMethodDef EVENTS_METHODS[] = {
    {"next", events_next, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot EVENTS_SLOTS[] = {
    {Py_tp_new, (void *)events_new},
    {Py_tp_dealloc, (void *)events_dealloc},
    {Py_tp_methods, EVENTS_METHODS},
    {0, NULL},
};

static PyType_Spec EVENTS = {"functrace._native._reader.Events", sizeof(struct events), 0, Py_TPFLAGS_DEFAULT,
                             EVENTS_SLOTS};

/* ---- feed ---- */

struct feeder {
    PyObject_HEAD
    struct feed *feed;
    int folds, is_busy;
};

static PyObject *feed_new(PyTypeObject *type, PyObject *arguments, PyObject *named) {
    unsigned long long start, calls, tracks, words, chains;
    (void)named;
    if (!PyArg_ParseTuple(arguments, "KKKKK", &start, &calls, &tracks, &words, &chains)) return NULL;
    struct limits limits = {calls, tracks, words, chains};
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    struct feeder *self = (struct feeder *)allocate(type, 0);
    if (!self) return NULL;
    self->folds = chains > 0;
    self->feed = functrace_feed_open(start, &limits);
    if (self->feed) return (PyObject *)self;
    Py_DECREF((PyObject *)self);
    return PyErr_NoMemory();
}

static void feed_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    functrace_feed_close(((struct feeder *)object)->feed);
    release(object);
    Py_DECREF((PyObject *)type);
}

/* The feed, or NULL with an exception set while another thread is in it. */
static struct feed *feed_of(PyObject *object) {
    struct feeder *self = (struct feeder *)object;
    if (!self->is_busy) return self->feed;
    PyErr_SetString(PyExc_RuntimeError, "another thread uses this feed");
    return NULL;
}

static PyObject *nothing(int status) {
    if (status != STATUS_OK) return PyErr_NoMemory();
    Py_INCREF(Py_None);
    return Py_None;
}

static PyObject *feed_functions(PyObject *object, PyObject *arguments) {
    PyObject *list, *marks;
    struct array numbers, requests;
    struct feed *feed = feed_of(object);
    if (!feed || !PyArg_ParseTuple(arguments, "OO", &list, &marks)) return NULL;
    if (!functrace_array(list, sizeof(int32_t), &numbers) || !functrace_array(marks, 1, &requests)) return NULL;
    const int32_t *function_of = numbers.items;
    for (uint64_t i = 0; i < numbers.count; i++)
        if (function_of[i] < -1 || function_of[i] >= (int64_t)requests.count) return PyErr_SetString(PyExc_ValueError, "a number has no function"), NULL;
    return nothing(functrace_feed_functions(feed, function_of, numbers.count, requests.items, (int32_t)requests.count));
}

static PyObject *feed_begin(PyObject *object, PyObject *arguments) {
    unsigned long long base, sequence;
    struct feed *feed = feed_of(object);
    if (!feed || !PyArg_ParseTuple(arguments, "KK", &base, &sequence)) return NULL;
    int64_t chunk = functrace_feed_begin(feed, base, sequence);
    return chunk < 0 ? PyErr_NoMemory() : PyLong_FromLongLong(chunk);
}

static PyObject *feed_read(PyObject *object, PyObject *arguments) {
    long long chunk;
    const char *words, *payloads;
    Py_ssize_t word_bytes, payload_bytes;
    struct reading found;
    int status;
    struct feed *feed = feed_of(object);
    if (!feed || !PyArg_ParseTuple(arguments, "Ly#y#", &chunk, &words, &word_bytes, &payloads, &payload_bytes))
        return NULL;
    uint64_t size = (uint64_t)(word_bytes < payload_bytes ? word_bytes : payload_bytes);
    ((struct feeder *)object)->is_busy = 1;
    Py_BEGIN_ALLOW_THREADS
    status = functrace_feed_read(feed, chunk, (const uint8_t *)words, (const uint8_t *)payloads, size, &found);
    Py_END_ALLOW_THREADS
    ((struct feeder *)object)->is_busy = 0;
    if (status != STATUS_OK) return PyErr_NoMemory();
    return Py_BuildValue("(KLO)", (unsigned long long)found.words, (long long)found.last,
                         found.is_damaged ? Py_True : Py_False);
}

static PyObject *feed_miss(PyObject *object, PyObject *arguments) {
    long long chunk;
    int is_sure;
    struct feed *feed = feed_of(object);
    if (!feed || !PyArg_ParseTuple(arguments, "Lp", &chunk, &is_sure)) return NULL;
    return nothing(functrace_feed_miss(feed, chunk, is_sure));
}

static PyObject *feed_end_chunk(PyObject *object, PyObject *arguments) {
    long long chunk;
    struct feed *feed = feed_of(object);
    if (!feed || !PyArg_ParseTuple(arguments, "L", &chunk)) return NULL;
    return nothing(functrace_feed_end_chunk(feed, chunk));
}

static PyObject *feed_miss_chunks(PyObject *object, PyObject *arguments) {
    struct feed *feed = feed_of(object);
    (void)arguments;
    if (!feed) return NULL;
    functrace_feed_miss_chunks(feed);
    return nothing(STATUS_OK);
}

static PyObject *walk_feed(PyObject *object, PyObject *arguments, int (*walk)(struct feed *, int64_t)) {
    long long time;
    int status;
    struct feed *feed = feed_of(object);
    if (!feed || !PyArg_ParseTuple(arguments, "L", &time)) return NULL;
    ((struct feeder *)object)->is_busy = 1;
    Py_BEGIN_ALLOW_THREADS
    status = walk(feed, time);
    Py_END_ALLOW_THREADS
    ((struct feeder *)object)->is_busy = 0;
    return nothing(status);
}

static PyObject *feed_advance(PyObject *object, PyObject *arguments) {
    return walk_feed(object, arguments, functrace_feed_advance);
}

static PyObject *feed_end(PyObject *object, PyObject *arguments) {
    return walk_feed(object, arguments, functrace_feed_end);
}

static PyObject *feed_open_calls(PyObject *object, PyObject *arguments) {
    struct feed *feed = feed_of(object);
    struct begun *found = NULL;
    uint64_t count = 0;
    (void)arguments;
    if (!feed) return NULL;
    if (functrace_feed_open_calls(feed, &found, &count) != STATUS_OK) return PyErr_NoMemory();
    return functrace_copy(found, count, sizeof *found);
}

static PyObject *feed_drain(PyObject *object, PyObject *arguments) {
    struct feed *feed = feed_of(object);
    (void)arguments;
    if (!feed) return NULL;
    struct fed *out = functrace_feed_drain(feed);
    PyObject *result = Py_BuildValue("(NNNNNNN)", functrace_copy(out->tracks, out->track_count, sizeof *out->tracks),
                                     functrace_copy(out->begun, out->begun_count, sizeof *out->begun),
                                     functrace_copy(out->finished, out->finished_count, sizeof *out->finished),
                                     functrace_copy(out->requests, out->request_count, sizeof *out->requests),
                                     functrace_copy(out->statuses, out->status_count, sizeof *out->statuses),
                                     functrace_copy(out->released, out->released_count, sizeof *out->released),
                                     functrace_copy(out->texts, out->text_count, 1));
    if (!result) return NULL;
    out->track_count = out->begun_count = out->finished_count = out->released_count = out->text_count = 0;
    out->request_count = out->status_count = 0;
    return result;
}

static PyObject *copy_window(const struct chain_table *table, uint64_t live) {
    return Py_BuildValue("(NNNNNNK)",
                         functrace_copy(table->chains + table->listed, table->chain_count - table->listed,
                                        sizeof *table->chains),
                         functrace_copy(table->figures, table->figure_count, sizeof *table->figures),
                         functrace_copy(table->blocks, table->block_count, sizeof *table->blocks),
                         functrace_copy(table->failures, table->failure_count, sizeof *table->failures),
                         functrace_copy(table->texts, table->text_count, 1),
                         functrace_copy(table->open, table->open_count, sizeof *table->open), (unsigned long long)live);
}

static PyObject *feed_window(PyObject *object, PyObject *arguments) {
    struct feed *feed = feed_of(object);
    struct chain_table *table = NULL;
    uint64_t live = 0;
    (void)arguments;
    if (!feed) return NULL;
    if (!((struct feeder *)object)->folds) return PyErr_SetString(PyExc_ValueError, "this feed lists calls"), NULL;
    if (functrace_feed_window(feed, &table, &live) != STATUS_OK) return PyErr_NoMemory();
    PyObject *result = copy_window(table, live);
    if (result) functrace_chains_reset(table);
    return result;
}

static PyObject *feed_roll(PyObject *object, PyObject *arguments) {
    PyObject *list;
    double ns_per_tick;
    struct array bounds;
    struct feed *feed = feed_of(object);
    if (!feed || !PyArg_ParseTuple(arguments, "Od", &list, &ns_per_tick) || !read_bounds(list, &bounds)) return NULL;
    if (!((struct feeder *)object)->folds || !bounds.items)
        return PyErr_SetString(PyExc_ValueError, "this feed lists calls, or there are no bounds"), NULL;
    return nothing(functrace_feed_roll(feed, bounds.items, bounds.count, ns_per_tick));
}

static PyObject *feed_rollup(PyObject *object, PyObject *arguments) {
    struct feed *feed = feed_of(object);
    (void)arguments;
    if (!feed) return NULL;
    struct rollup *found = functrace_feed_rollup(feed);
    PyObject *result = Py_BuildValue("(NN)", functrace_copy(found->rows, found->row_count, sizeof *found->rows),
                                     functrace_copy(found->blocks, found->block_count, sizeof *found->blocks));
    if (result) functrace_rollup_reset(found);
    return result;
}

static PyMethodDef FEED_METHODS[] = {
    {"functions", feed_functions, METH_VARARGS, NULL},
    {"begin", feed_begin, METH_VARARGS, NULL},
    {"read", feed_read, METH_VARARGS, NULL},
    {"miss", feed_miss, METH_VARARGS, NULL},
    {"end_chunk", feed_end_chunk, METH_VARARGS, NULL},
    {"miss_chunks", feed_miss_chunks, METH_NOARGS, NULL},
    {"advance", feed_advance, METH_VARARGS, NULL},
    {"end", feed_end, METH_VARARGS, NULL},
    {"open_calls", feed_open_calls, METH_NOARGS, NULL},
    {"drain", feed_drain, METH_NOARGS, NULL},
    {"window", feed_window, METH_NOARGS, NULL},
    {"roll", feed_roll, METH_VARARGS, NULL},
    {"rollup", feed_rollup, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot FEED_SLOTS[] = {
    {Py_tp_new, (void *)feed_new},
    {Py_tp_dealloc, (void *)feed_dealloc},
    {Py_tp_methods, FEED_METHODS},
    {0, NULL},
};

static PyType_Spec FEED = {"functrace._native._reader.Feed", sizeof(struct feeder), 0, Py_TPFLAGS_DEFAULT, FEED_SLOTS};

/* ---- pack ---- */

static int read_column(PyObject *argument, uint64_t rows, struct column *out) {
    PyObject *cells, *sizes;
    unsigned long long width, step;
    struct array found, counted;
    if (!PyArg_ParseTuple(argument, "OOKK", &cells, &sizes, &width, &step)) return 0;
    if (!functrace_array(cells, 1, &found)) return 0;
    if (!functrace_array(sizes, sizeof(int64_t), &counted)) return 0;
    const int64_t *counts = counted.items;
    uint64_t needed = rows ? (step ? rows * width : width) : 0;
    int is_valid = found.count >= needed && (step == 0 || step == width) && (!counts || counted.count == rows);
    for (uint64_t i = 0; is_valid && counts && i < rows; i++)
        is_valid = counts[i] >= 0 && (uint64_t)counts[i] <= width;
    if (!is_valid) {
        PyErr_SetString(PyExc_ValueError, "a column's cells are fewer than its rows");
        return 0;
    }
    out->cells = found.items;
    out->sizes = counts;
    out->width = (int64_t)width;
    out->step = (int64_t)step;
    return 1;
}

static uint64_t packed_size(const struct column *columns, Py_ssize_t count, uint64_t rows) {
    uint64_t size = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!columns[i].sizes) size += rows * (uint64_t)columns[i].width;
        for (uint64_t row = 0; columns[i].sizes && row < rows; row++) size += (uint64_t)columns[i].sizes[row];
    }
    return size;
}

static PyObject *pack(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *list, *result = NULL;
    unsigned long long rows;
    if (!PyArg_ParseTuple(arguments, "O!K", &PyList_Type, &list, &rows)) return NULL;
    Py_ssize_t count = PyList_Size(list);
    struct column *columns = calloc((size_t)count + 1, sizeof *columns);
    if (!columns) return PyErr_NoMemory();
    int is_valid = 1;
    for (Py_ssize_t i = 0; is_valid && i < count; i++)
        is_valid = read_column(PyList_GetItem(list, i), rows, &columns[i]);
    if (is_valid) result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)packed_size(columns, count, rows));
    if (result) {
        uint8_t *out = (uint8_t *)PyBytes_AsString(result);
        Py_BEGIN_ALLOW_THREADS
        functrace_pack(columns, count, (int64_t)rows, out);
        Py_END_ALLOW_THREADS
    }
    free(columns);
    return result;
}

static PyObject *varints(PyObject *module, PyObject *arguments) {
    (void)module;
    PyObject *values;
    struct array found;
    if (!PyArg_ParseTuple(arguments, "O", &values) || !functrace_array(values, 8, &found)) return NULL;
    PyObject *cells = functrace_copy(NULL, found.count, 10);
    PyObject *sizes = functrace_copy(NULL, found.count, sizeof(int64_t));
    if (cells && sizes) {
        uint8_t *to = (uint8_t *)PyByteArray_AsString(cells);
        int64_t *counts = (int64_t *)(void *)PyByteArray_AsString(sizes);
        Py_BEGIN_ALLOW_THREADS
        functrace_varints(found.items, (int64_t)found.count, to, counts);
        Py_END_ALLOW_THREADS
        return Py_BuildValue("(NN)", cells, sizes);
    }
    Py_XDECREF(cells);
    Py_XDECREF(sizes);
    return NULL;
}

/* ---- truncation ---- */

static PyObject *guard(PyObject *module, PyObject *data) {
    (void)module;
    struct array bytes;
    if (!functrace_array(data, 1, &bytes)) return NULL;
    if (bytes.items && !functrace_guard(bytes.items, bytes.count)) return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *truncated(PyObject *module, PyObject *arguments) {
    (void)module, (void)arguments;
    return PyLong_FromLong(functrace_truncated());
}

/* ---- the module ---- */

static PyMethodDef METHODS[] = {
    {"layout", layout, METH_NOARGS, NULL},
    {"chunks", chunks, METH_VARARGS, NULL},
    {"pieces", pieces, METH_VARARGS, NULL},
    {"fold", fold, METH_VARARGS, NULL},
    {"pack", pack, METH_VARARGS, NULL},
    {"varints", varints, METH_VARARGS, NULL},
    {"guard", guard, METH_O, NULL},
    {"truncated", truncated, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static int add_type(PyObject *module, const char *name, PyType_Spec *spec) {
    PyObject *type = PyType_FromSpec(spec);
    if (!type) return -1;
    if (PyModule_AddObject(module, name, type) == 0) return 0;
    Py_DECREF(type);
    return -1;
}

static int execute(PyObject *module) {
    if (PyModule_AddIntConstant(module, "VERSION", VERSION) < 0) return -1;
    int failed = add_type(module, "Events", &EVENTS) || add_type(module, "Feed", &FEED) ||
                 add_type(module, "IndexBuilder", &functrace_index_builder_type) ||
                 add_type(module, "Index", &functrace_index_type);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot SLOTS[] = {
    {Py_mod_exec, (void *)execute},
    {0, NULL},
};

static PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "_reader", NULL, 0, METHODS, SLOTS, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__reader(void) { return PyModuleDef_Init(&MODULE); }
