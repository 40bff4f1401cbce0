/* How the reader talks to Python: arrays come as (address, bytes, item size) or None. */
#ifndef FUNCTRACE_PYTHON_H
#define FUNCTRACE_PYTHON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "track.h"

struct array {
    void *items;
    uint64_t count;
};

/* Return 1, or 0 with an exception set if the argument is not an array of such items. None is an empty
 * array whose items are NULL. */
int functrace_array(PyObject *argument, size_t item_size, struct array *out);

/* Return a bytearray with a copy of the items, or NULL with an exception set. */
PyObject *functrace_copy(const void *items, uint64_t count, size_t item_size);

/* Fill in a source from the tuple that functrace.analysis.track_words makes, after checking that every index
 * in it is in range. The tuple does not own the arrays: the caller keeps them alive. */
int functrace_source(PyObject *argument, struct source *out);

#endif
