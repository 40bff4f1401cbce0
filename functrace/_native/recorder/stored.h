/* Attributes as they are stored in an object, read without running program code. */
#ifndef FUNCTRACE_STORED_H
#define FUNCTRACE_STORED_H

#include "interpreter.h"

/* Function of the module, see _recorder.pyi. */
PyObject *module_get_attribute(PyObject *self, PyObject *const *arguments, Py_ssize_t count);

#endif
