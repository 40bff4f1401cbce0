/* Calls of functrace's own Python code, which the program's tracers and profilers do not see. */
#ifndef FUNCTRACE_CALLBACK_H
#define FUNCTRACE_CALLBACK_H

#include "interpreter.h"

/* Calls back, with an argument or with none for NULL. Returns 1 with the result; 0 where our code
 * has failed, which the program is not to see; -1 where an error of the program's is set: a signal's
 * handler raised it meanwhile. */
int callback_call(PyObject *callback, PyObject *argument, PyObject **result);

/* A callable that calls function where it is not seen. */
PyObject *callback_hide(PyObject *function);

/* Makes its type ready; -1 and an error where that fails. */
int callback_begin(void);

#endif
