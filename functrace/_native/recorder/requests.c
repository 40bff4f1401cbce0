#include "requests.h"

#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "state.h"

/* In place of a frame's address an open request has twice its number and one, which is odd. */
static const void *frame_of(uint64_t number) { return (const void *)(uintptr_t)(number << 1 | 1); }
static uint64_t number_of(const struct call *c) { return (uint64_t)(uintptr_t)c->frame >> 1; }

struct request_function {
    char *name;
    unsigned direction, protocol;
    uint32_t number, previous_number; /* in the file, and in the previous one; 0 if none */
};

static struct request_function *request_functions; /* by index - 1 */
static uint32_t request_function_count, request_function_capacity;
static uint64_t request_count; /* in the file */

uint32_t request_function_add(const char *name, unsigned direction, unsigned protocol) {
    if (request_function_count == request_function_capacity) {
        uint32_t wanted = 2 * request_function_capacity + 64;
        struct request_function *grown = realloc(request_functions, wanted * sizeof *grown);
        if (!grown) return 0;
        request_functions = grown;
        request_function_capacity = wanted;
    }
    char *copy = strdup(name);
    if (!copy) return 0;
    request_functions[request_function_count++] =
        (struct request_function){.name = copy, .direction = direction, .protocol = protocol};
    return request_function_count;
}

uint32_t request_function_number(uint32_t index) {
    if (index == 0 || index > request_function_count) return 0;
    struct request_function *f = &request_functions[index - 1];
    if (!f->number) f->number = file_put_request_function(f->name, f->direction, f->protocol);
    return f->number;
}

void requests_begin_again(void) {
    request_count = 0;
    for (uint32_t i = 0; i < request_function_count; i++) {
        request_functions[i].previous_number = request_functions[i].number;
        request_functions[i].number = 0;
    }
}

uint32_t request_function_renumber(uint32_t previous_number) {
    for (uint32_t i = 0; i < request_function_count; i++)
        if (request_functions[i].previous_number == previous_number)
            return request_function_number(i + 1);
    return 0;
}

struct request {
    uint32_t function;
    uint64_t value; /* of its record */
    const char *payload;
    size_t bytes; /* of the payload */
};

/* Stores the entry and directly behind it the record of the request. */
static void put_entry(struct track *t, uint64_t now, const struct request *r) {
    track_put_pending(t);
    if (!track_extend(t, now, 1 + record_words(r->bytes))) return;
    track_store(now, (uint64_t)r->function << FUNCTION_SHIFT | ENTRY_WORD);
    track_store_text(REQUEST_RECORD, r->value, r->payload, r->bytes);
}

/* Enters a request on the track; false at the depth limit. */
static bool enter(struct track *t, uint64_t now, const struct request *r, uint64_t number) {
    if (!track_grow(t)) return false;
    put_entry(t, now, r);
    uint32_t flags = REQUEST;
    if ((r->value & DIRECTION_MASK) == IS_INBOUND) flags |= INBOUND;
    if (t->depth == 0 || t->open[t->depth - 1].flags & MAY_SUSPEND) flags |= MAY_SUSPEND;
    t->open[t->depth++] = (struct call){now, frame_of(number), r->function, flags};
    if (track_options.min_duration) t->written = t->depth;
    t->suspended = false;
    track_update_path(t);
    return true;
}

/* Ends the innermost call, which is a request. */
static void leave(struct track *t, uint64_t now, int64_t status, const struct exception_text *text) {
    size_t words = (status >= 0) + (text ? record_words(text->size) : 0) + 1;
    uint64_t exit = (uint64_t)t->open[t->depth - 1].function << FUNCTION_SHIFT | EXIT_WORD;
    track_put_pending(t);
    if (track_extend(t, now, words)) {
        if (status >= 0) track_store_text(STATUS_RECORD, (uint64_t)status, "", 0);
        if (text) track_store_text(ERROR_RECORD, text->is_cut, text->bytes, text->size);
        track_store(now, exit);
    }
    call_pop(t);
}

PyObject *recorder_add_request_function(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *name;
    unsigned direction, protocol;
    if (!PyArg_ParseTuple(args, "UII", &name, &direction, &protocol)) return NULL;
    char *text = copy_text(name);
    uint32_t index = text ? request_function_add(text, direction, protocol) : 0;
    free(text);
    return index ? PyLong_FromUnsignedLong(index) : PyErr_NoMemory();
}

int request_begin(uint32_t function, uint64_t value, const struct request_payload *payload,
                  uint64_t track, uint64_t *number) {
    char bytes[2 * 8 + REQUEST_ID_BYTES + REQUEST_FT_BYTES];
    PyThreadState *state = thread_state();
    struct thread *th;
    *number = 0;
    int status = call_thread(state, &th);
    if (status <= 0) return status;
    struct track *t = track ? track_numbered(track) : th->track;
    size_t size = (value & DIRECTION_MASK) == IS_OUTBOUND ? 16 : 8; /* of the numbers */
    uint64_t numbers[] = {request_count + 1, payload->inbound};
    memcpy(bytes, numbers, size);
    if (value & HAS_IDS) memcpy(bytes + size, payload->ids, REQUEST_ID_BYTES), size += REQUEST_ID_BYTES;
    if (value & HAS_FT) memcpy(bytes + size, payload->ft, REQUEST_FT_BYTES), size += REQUEST_FT_BYTES;
    struct request r = {t ? request_function_number(function) : 0, value, bytes, size};
    if (r.function) {
        uint64_t now = clock_ticks();
        call_drop_dead(state, t, frame_of(numbers[0]), now);
        if (enter(t, now, &r, numbers[0])) *number = ++request_count;
        if (!th->begun_request) th->begun_request = *number;
    }
    call_finish_event();
    return 0;
}

/* Returns the bytes of a payload's part; NULL and an error if they have another length. */
static const char *bytes_of(PyObject *bytes, bool is_there, Py_ssize_t wanted) {
    if (PyBytes_Check(bytes) && PyBytes_GET_SIZE(bytes) == (is_there ? wanted : 0))
        return PyBytes_AS_STRING(bytes);
    PyErr_SetString(PyExc_ValueError, "ids have another length");
    return NULL;
}

static bool check_count(Py_ssize_t count, Py_ssize_t wanted) {
    if (count == wanted) return true;
    PyErr_Format(PyExc_TypeError, "expected %zd arguments, not %zd", wanted, count);
    return false;
}

PyObject *recorder_begin_request(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
    (void)self;
    if (count != 6 && !check_count(count, 5)) return NULL;
    uint32_t function = (uint32_t)PyLong_AsUnsignedLong(arguments[0]);
    uint64_t value = PyLong_AsUnsignedLongLong(arguments[1]), number;
    struct request_payload payload = {PyLong_AsUnsignedLongLong(arguments[2]), NULL, NULL};
    uint64_t track = count == 6 ? PyLong_AsUnsignedLongLong(arguments[5]) : 0;
    if (PyErr_Occurred()) return NULL;
    payload.ids = bytes_of(arguments[3], value & HAS_IDS, REQUEST_ID_BYTES);
    payload.ft = payload.ids ? bytes_of(arguments[4], value & HAS_FT, REQUEST_FT_BYTES) : NULL;
    if (!payload.ft || request_begin(function, value, &payload, track, &number) < 0) return NULL;
    return PyLong_FromUnsignedLongLong(number);
}

/* Describes a failure: a text, an exception or the class of one. Returns false if there is none. */
static bool describe(PyObject *failure, struct exception_text *text) {
    if (failure == Py_None) return false;
    if (PyExceptionClass_Check(failure)) return exception_describe(failure, NULL, text);
    if (!PyUnicode_Check(failure))
        return exception_describe((PyObject *)Py_TYPE(failure), failure, text);
    char *copy = copy_text(failure);
    if (!copy) PyErr_Clear();
    size_t size = copy ? strlen(copy) : 0;
    text->is_cut = size > MAX_TEXT_BYTES;
    text->size = text->is_cut ? MAX_TEXT_BYTES : size;
    if (copy) memcpy(text->bytes, copy, text->size);
    free(copy);
    return true;
}

/* Marks a request that ends while recording is stopped. */
static void end_unseen(uint64_t number) {
    int64_t i;
    struct track *t = recorder.open ? tracks_find_frame(frame_of(number), &i) : NULL;
    if (t) t->open[i].flags |= ENDED;
}

int request_end(uint64_t number, int64_t status, uint32_t route, PyObject *failure) {
    struct exception_text text;
    bool failed = describe(failure, &text);
    struct thread *th;
    int found = call_thread(thread_state(), &th);
    if (found == 0) end_unseen(number);
    if (found <= 0) return found;
    struct track *t = th->track;
    int64_t i = track_find_frame(t, frame_of(number));
    if (i < 0) t = tracks_find_frame(frame_of(number), &i);
    if (t) {
        uint64_t now = clock_ticks();
        if (status >= 0 && route)
            status |= (int64_t)request_function_number(route) << STATUS_ROUTE_SHIFT;
        call_leave_down_to(t, (uint32_t)i + 1, now);
        leave(t, now, status, failed ? &text : NULL);
    }
    call_finish_event();
    return 0;
}

PyObject *recorder_end_request(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
    (void)self;
    if (!check_count(count, 4)) return NULL;
    uint64_t number = PyLong_AsUnsignedLongLong(arguments[0]);
    int64_t status = PyLong_AsLongLong(arguments[1]);
    uint32_t route = (uint32_t)PyLong_AsUnsignedLong(arguments[2]);
    if (PyErr_Occurred() || request_end(number, status, route, arguments[3]) < 0) return NULL;
    Py_RETURN_NONE;
}

uint64_t request_exchange_begun(uint64_t number) {
    if (!this_thread) return 0;
    uint64_t begun = this_thread->begun_request;
    this_thread->begun_request = number;
    return begun;
}

PyObject *recorder_open_inbound(PyObject *self, PyObject *unused) {
    (void)self, (void)unused;
    struct thread *th;
    int found = call_thread(thread_state(), &th);
    if (found < 0) return NULL;
    const struct track *t = found ? th->track : NULL;
    for (uint32_t i = t ? t->depth : 0; i-- > 0;)
        if (t->open[i].flags & INBOUND && !(t->open[i].flags & INHERITED))
            return PyLong_FromUnsignedLongLong(number_of(&t->open[i]));
    return PyLong_FromLong(0);
}
