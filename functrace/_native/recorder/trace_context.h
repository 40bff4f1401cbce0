/* What the trace headers of a request contain, and where libraries keep them. */
#ifndef FUNCTRACE_TRACE_CONTEXT_H
#define FUNCTRACE_TRACE_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "format.h"
#include "interpreter.h"

typedef struct {
    PyObject_HEAD
    char ids[REQUEST_ID_BYTES];
    uint64_t ft[2];
    bool has_ids, is_sampled, has_ft;
    PyObject *traceparent, *tracestate, *b3; /* NULL if absent */
    PyObject *multi;                         /* a dictionary, or NULL */
} TraceContext;

extern PyTypeObject trace_context_type;

/* Function of the module, see _recorder.pyi. */
PyObject *module_parse_headers(PyObject *self, PyObject *headers);

/* Adds the type TraceContext to the module; -1 and an error on failure. */
int trace_context_begin(PyObject *module);

#endif
