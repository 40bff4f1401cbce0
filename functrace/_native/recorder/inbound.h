/* Inbound calls, and the context variable that holds the one which a thread or task handles. */
#ifndef FUNCTRACE_INBOUND_H
#define FUNCTRACE_INBOUND_H

#include "interpreter.h"

/* Functions of the module, see _recorder.pyi. */
PyObject *module_begin_inbound(PyObject *self, PyObject *const *arguments, Py_ssize_t count);
PyObject *module_end_inbound(PyObject *self, PyObject *const *arguments, Py_ssize_t count);
PyObject *module_current_inbound(PyObject *self, PyObject *unused);
PyObject *module_find_inbound(PyObject *self, PyObject *number);
PyObject *module_forget_inbounds(PyObject *self, PyObject *unused);
PyObject *module_note_status(PyObject *self, PyObject *owner);

/* Ends the request with that number, whose hook was interrupted. Keeps the error that is set. */
void inbound_cancel(uint64_t number);

/* Adds the type Inbound to the module; -1 and an error on failure. */
int inbound_begin(PyObject *module);

#endif
