/* Text of an exception that leaves a call. */
#ifndef FUNCTRACE_EXCEPTION_H
#define FUNCTRACE_EXCEPTION_H

#include <stdbool.h>

#include "format.h"
#include "interpreter.h"

struct exception_text {
    char bytes[MAX_TEXT_BYTES];
    size_t size;
    bool is_cut;
};

/* Returns false if the exception is the end of an iterator. Runs no program code and leaves no
 * error set. value may be NULL, or the argument of an exception that has not been created. */
bool exception_describe(PyObject *type, PyObject *value, struct exception_text *text);

/* Takes the exception that is set, as PyErr_Fetch does. One raised in C is often not created yet: it is
 * created here if that runs no program code, so that its text is available. */
void exception_fetch(PyObject **type, PyObject **value, PyObject **traceback);

#endif
