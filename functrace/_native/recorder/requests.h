/* Requests: calls of functions that stand for a request's name, begun and ended by hooks in Python. */
#ifndef FUNCTRACE_REQUESTS_H
#define FUNCTRACE_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "interpreter.h"

/* Adds a function that stands for requests. Returns its index, from 1 on and the same in all files; 0
 * if memory has run out. */
uint32_t request_function_add(const char *name, unsigned direction, unsigned protocol);

/* Returns the number of a request function, written to the file if necessary; 0 if the file is full. */
uint32_t request_function_number(uint32_t index);

/* Removes all numbers, for a new file, in which requests are counted from 1. */
void requests_begin_again(void);

/* Returns the new number of the request function that had this one in the previous file, or 0. */
uint32_t request_function_renumber(uint32_t previous_number);

/* Payload of a request's record: ids and ft count as far as its value says that they follow. */
struct request_payload {
    uint64_t inbound; /* of an outbound call, else ignored */
    const void *ids, *ft;
};

/* Begins a request on a track, 0 for the thread's. number becomes 0 if it is not recorded. Returns 0, or
 * -1 if an error of the program's is set. */
int request_begin(uint32_t function, uint64_t value, const struct request_payload *payload,
                  uint64_t track, uint64_t *number);

/* Ends a request, and the calls inside it; likewise. failure: a str, an exception, a class of exceptions or None. */
int request_end(uint64_t number, int64_t status, uint32_t route, PyObject *failure);

/* Returns the number of the request that this thread's running hook has begun, or 0, and replaces it. A
 * hook may run inside another, in a signal handler: each replaces the number by 0 before it begins, and
 * by the other's again when it has ended. */
uint64_t request_exchange_begun(uint64_t number);

/* Methods of the recorder, see _recorder.pyi. */
PyObject *recorder_add_request_function(PyObject *self, PyObject *args);
PyObject *recorder_begin_request(PyObject *self, PyObject *const *arguments, Py_ssize_t count);
PyObject *recorder_end_request(PyObject *self, PyObject *const *arguments, Py_ssize_t count);
PyObject *recorder_open_inbound(PyObject *self, PyObject *unused);

#endif
