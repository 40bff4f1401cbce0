/* What a server knows of a request and its response, in the form of WSGI. */
#ifndef FUNCTRACE_WSGI_H
#define FUNCTRACE_WSGI_H

#include "interpreter.h"

/* Functions of the module, see _recorder.pyi. */
PyObject *module_wsgi_request(PyObject *self, PyObject *environ);
PyObject *module_to_status(PyObject *self, PyObject *value);

/* Returns the status of a response, a number or such as "200 OK"; -1 if it is none. */
int status_number(PyObject *value);

/* Prepares them; -1 and an error on failure. */
int wsgi_begin(void);

#endif
