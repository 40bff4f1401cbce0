/* Hooks of libraries: functions of ours around functions of theirs. */
#ifndef FUNCTRACE_HOOKS_H
#define FUNCTRACE_HOOKS_H

#include "interpreter.h"

/* Functions of the module, see _recorder.pyi. */
PyObject *module_guard(PyObject *self, PyObject *args);
PyObject *module_around(PyObject *self, PyObject *args);

/* Prepares their types; -1 and an error on failure. */
int hooks_begin(void);

#endif
