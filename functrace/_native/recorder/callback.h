/* Calls of functrace's own Python code, hidden from the program's tracers and profilers. */
#ifndef FUNCTRACE_CALLBACK_H
#define FUNCTRACE_CALLBACK_H

#include "interpreter.h"

/* Calls back, with an argument or, for NULL, none. Returns 1 and the result; 0 if our code
 * failed, which is hidden from the program; -1 if an error of the program's is set, raised
 * meanwhile by a signal handler. */
int callback_call(PyObject *callback, PyObject *argument, PyObject **result);

/* Takes the error that a callback has raised and returns it; NULL if it is the program's, which stays
 * set without our frames in its traceback. */
PyObject *callback_take_error(PyObject *callback);

/* Returns a callable that calls function unseen. */
PyObject *callback_hide(PyObject *function);

/* Prepares its type; -1 and an error on failure. */
int callback_begin(void);

#endif
