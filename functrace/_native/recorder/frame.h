/* Access to the arguments of the interpreter's frames. */
#ifndef FUNCTRACE_FRAME_H
#define FUNCTRACE_FRAME_H

#include "interpreter.h"

/* Returns a new reference to the first argument of a call that has just started, or None. */
PyObject *frame_first_argument(PyThreadState *state, const void *frame);

#endif
