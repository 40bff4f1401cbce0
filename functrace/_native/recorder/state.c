#include "state.h"

#include <stdlib.h>
#include <string.h>

struct recorder recorder;

char *copy_text(PyObject *text) {
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
    char *copy = bytes ? strdup(PyBytes_AS_STRING(bytes)) : NULL;
    if (bytes && !copy) PyErr_NoMemory();
    Py_XDECREF(bytes);
    return copy;
}
