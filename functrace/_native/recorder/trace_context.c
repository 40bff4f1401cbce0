#include "trace_context.h"

#include "exact_items.h"
#include "trace_headers.h"

static const char *const header_names[HEADERS] = {
    "traceparent",       "tracestate",   "b3",        "x-b3-traceid", "x-b3-spanid",
    "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags"};
static const char *const environ_keys[HEADERS] = {
    "HTTP_TRACEPARENT",       "HTTP_TRACESTATE",   "HTTP_B3",        "HTTP_X_B3_TRACEID", "HTTP_X_B3_SPANID",
    "HTTP_X_B3_PARENTSPANID", "HTTP_X_B3_SAMPLED", "HTTP_X_B3_FLAGS"};
static PyObject *names[HEADERS], *keys[HEADERS]; /* the same as str */

static TraceContext *no_context; /* that of no header */

/* Values of the headers, each an exact str or NULL, and whether any of them was found. */
struct found {
    PyObject *values[HEADERS];
    bool any;
};

/* Returns the text of a value; of one that is not ASCII, one that is not valid in any header. */
static struct text text_of(PyObject *value) {
    if (!value) return (struct text){NULL, 0};
    if (!PyUnicode_IS_ASCII(value)) return (struct text){"\0", 1};
    return (struct text){(const char *)PyUnicode_1BYTE_DATA(value), (size_t)PyUnicode_GET_LENGTH(value)};
}

/* Returns a value as an exact str without blanks at its ends. */
static PyObject *value_of(PyObject *value) {
    PyObject *text = PyBytes_CheckExact(value) ? PyUnicode_DecodeLatin1(PyBytes_AS_STRING(value),
                                                                        PyBytes_GET_SIZE(value), NULL)
                     : PyUnicode_Check(value)  ? PyUnicode_FromObject(value)
                                               : PyUnicode_FromStringAndSize("", 0);
    if (!text || !PyUnicode_IS_ASCII(text)) return text;
    struct text all = text_of(text), kept = text_stripped(all);
    if (kept.size == all.size) return text;
    PyObject *shorter = PyUnicode_FromStringAndSize(kept.at, (Py_ssize_t)kept.size);
    Py_DECREF(text);
    return shorter;
}

/* Adds a header; one that is sent several times is not valid, but for tracestate. */
static bool add(struct found *found, int header, PyObject *value) {
    PyObject *text = value_of(value), *first = found->values[header], *joined = text;
    found->any = true;
    if (!text) return false;
    if (first) {
        bool may_join = header == TRACESTATE && PyUnicode_GET_LENGTH(first) <= MAX_VALUE;
        joined = may_join ? PyUnicode_FromFormat("%U,%U", first, text) : PyUnicode_FromStringAndSize("\0", 1);
        Py_DECREF(text);
        Py_DECREF(first);
    }
    found->values[header] = joined;
    return joined != NULL;
}

static int header_named(const char *name, size_t size) {
    if (size < 2 || size > sizeof "x-b3-parentspanid" - 1) return -1;
    char lower[sizeof "x-b3-parentspanid"];
    for (size_t i = 0; i < size; i++)
        lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 0x20 : name[i]);
    for (int i = 0; i < HEADERS; i++)
        if (text_equals((struct text){lower, size}, header_names[i])) return i;
    return -1;
}

static bool add_pair(struct found *found, PyObject *pair) {
    bool is_pair = PyTuple_Check(pair) || PyList_Check(pair);
    if (!is_pair || PySequence_Fast_GET_SIZE(pair) < 2) return true;
    PyObject *name = PySequence_Fast_GET_ITEM(pair, 0);
    int header = -1;
    if (PyBytes_CheckExact(name))
        header = header_named(PyBytes_AS_STRING(name), (size_t)PyBytes_GET_SIZE(name));
    else if (PyUnicode_Check(name) && PyUnicode_IS_ASCII(name))
        header = header_named((const char *)PyUnicode_1BYTE_DATA(name), (size_t)PyUnicode_GET_LENGTH(name));
    return header < 0 || add(found, header, PySequence_Fast_GET_ITEM(pair, 1));
}

/* Stores the B3 headers that are valid. */
static bool keep_multi(TraceContext *context, PyObject *const *values, const struct text *valid) {
    for (int i = B3_TRACE; i < HEADERS; i++) {
        if (!valid[i].size) continue;
        if (!context->multi && !(context->multi = PyDict_New())) return false;
        if (PyDict_SetItem(context->multi, names[i], values[i]) < 0) return false;
    }
    return true;
}

static PyObject *kept(struct text text, PyObject *value) { return text.at ? Py_NewRef(value) : NULL; }

static PyObject *parse(const struct found *found) {
    PyObject *const *values = found->values;
    struct text texts[HEADERS];
    TraceContext *context = PyObject_New(TraceContext, &trace_context_type);
    if (!context) return NULL;
    memset(&context->ids, 0, sizeof *context - offsetof(TraceContext, ids));
    for (int i = 0; i < HEADERS; i++) texts[i] = text_of(values[i]);
    trace_headers_parse(context, texts);
    context->traceparent = kept(texts[TRACEPARENT], values[TRACEPARENT]);
    context->tracestate = kept(texts[TRACESTATE], values[TRACESTATE]);
    context->b3 = kept(texts[B3], values[B3]);
    if (keep_multi(context, values, texts)) return (PyObject *)context;
    Py_DECREF(context);
    return NULL;
}

static bool add_pairs(struct found *found, PyObject *pairs) {
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(pairs); i++)
        if (!add_pair(found, PySequence_Fast_GET_ITEM(pairs, i))) return false;
    return true;
}

static bool add_environ(struct found *found, PyObject *environ) {
    PyObject *values[HEADERS];
    bool is_complete = true;
    exact_items(environ, keys, HEADERS, values);
    for (int i = 0; i < HEADERS; i++) {
        if (values[i] && PyUnicode_Check(values[i])) is_complete = is_complete && add(found, i, values[i]);
        Py_XDECREF(values[i]);
    }
    return is_complete;
}

PyObject *module_parse_headers(PyObject *self, PyObject *headers) {
    (void)self;
    struct found found = {0};
    bool is_complete = true;
    if (PyDict_CheckExact(headers)) is_complete = add_environ(&found, headers);
    else if (PyList_Check(headers) || PyTuple_Check(headers)) is_complete = add_pairs(&found, headers);
    PyObject *context = !is_complete ? NULL : found.any ? parse(&found) : Py_NewRef(no_context);
    for (int i = 0; i < HEADERS; i++) Py_XDECREF(found.values[i]);
    return context;
}

static PyObject *context_ids(PyObject *self, void *unused) {
    (void)unused;
    const TraceContext *context = (TraceContext *)self;
    return PyBytes_FromStringAndSize(context->ids, context->has_ids ? REQUEST_ID_BYTES : 0);
}

static PyObject *context_ft(PyObject *self, void *unused) {
    (void)unused;
    const TraceContext *context = (TraceContext *)self;
    return PyBytes_FromStringAndSize((const char *)context->ft, context->has_ft ? REQUEST_FT_BYTES : 0);
}

static PyObject *context_text(PyObject *self, void *offset) {
    PyObject *text = *(PyObject **)((char *)self + (size_t)offset);
    return text ? Py_NewRef(text) : PyUnicode_FromStringAndSize("", 0);
}

static PyObject *context_multi(PyObject *self, void *unused) {
    (void)unused;
    PyObject *multi = ((TraceContext *)self)->multi;
    return multi ? Py_NewRef(multi) : PyDict_New();
}

static PyObject *context_members(PyObject *self, void *unused) {
    (void)unused;
    struct text members[MAX_MEMBERS];
    PyObject *tracestate = ((TraceContext *)self)->tracestate;
    int count = tracestate ? tracestate_split(text_of(tracestate), members) : 0;
    if (count < 0) Py_RETURN_NONE;
    PyObject *list = PyList_New(count);
    for (int i = 0; list && i < count; i++) {
        PyObject *member = PyUnicode_FromStringAndSize(members[i].at, (Py_ssize_t)members[i].size);
        if (!member) Py_CLEAR(list);
        else PyList_SET_ITEM(list, i, member);
    }
    return list;
}

static void context_dealloc(PyObject *self) {
    TraceContext *context = (TraceContext *)self;
    Py_XDECREF(context->traceparent);
    Py_XDECREF(context->tracestate);
    Py_XDECREF(context->b3);
    Py_XDECREF(context->multi);
    PyObject_Free(self);
}

#define TEXT(name) {#name, context_text, NULL, NULL, (void *)offsetof(TraceContext, name)}

static PyGetSetDef context_properties[] = {
    {"ids", context_ids, NULL, NULL, NULL},
    {"ft", context_ft, NULL, NULL, NULL},
    TEXT(traceparent),
    TEXT(tracestate),
    TEXT(b3),
    {"multi", context_multi, NULL, NULL, NULL},
    {"members", context_members, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef context_fields[] = {
    {"is_sampled", T_BOOL, offsetof(TraceContext, is_sampled), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject trace_context_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "functrace._native._recorder.TraceContext",
    .tp_basicsize = sizeof(TraceContext),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_getset = context_properties,
    .tp_members = context_fields,
    .tp_dealloc = context_dealloc,
};

int trace_context_begin(PyObject *module) {
    if (PyModule_AddType(module, &trace_context_type) < 0) return -1;
    for (int i = 0; i < HEADERS; i++) {
        names[i] = PyUnicode_InternFromString(header_names[i]);
        keys[i] = PyUnicode_InternFromString(environ_keys[i]);
        if (!names[i] || !keys[i]) return -1;
    }
    struct found none = {0};
    no_context = (TraceContext *)parse(&none);
    return no_context ? 0 : -1;
}
