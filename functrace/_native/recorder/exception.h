/* What is told of an exception that passes through a call. */
#ifndef FUNCTRACE_EXCEPTION_H
#define FUNCTRACE_EXCEPTION_H

#include <stdbool.h>

#include "format.h"
#include "interpreter.h"

struct exception_text {
    char bytes[TEXT_MOST];
    size_t size;
    bool is_cut;
};

/* False where the exception is how an iterator ends. Runs no code of the program's; leaves no error
 * set. value may be NULL, or what the exception will be made of. */
bool exception_describe(PyObject *type, PyObject *value, struct exception_text *text);

#endif
