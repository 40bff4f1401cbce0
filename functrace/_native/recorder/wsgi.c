#include "wsgi.h"

#include <stdbool.h>

#include "exact_items.h"

enum { METHOD, SCRIPT, PATH, QUERY, KEYS };

static const char *const key_names[KEYS] = {"REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING"};
static PyObject *keys[KEYS], *empty;

int wsgi_begin(void) {
    empty = PyUnicode_FromStringAndSize("", 0);
    for (int i = 0; empty && i < KEYS; i++)
        if (!(keys[i] = PyUnicode_InternFromString(key_names[i]))) return -1;
    return empty ? 0 : -1;
}

/* Replaces a value by an exact str: "" for what is no str. Returns false and an error on failure. */
static bool make_text(PyObject **value) {
    PyObject *text = *value && PyUnicode_Check(*value) ? PyUnicode_FromObject(*value) : Py_NewRef(empty);
    Py_XSETREF(*value, text);
    return text != NULL;
}

static PyObject *join(PyObject *script, PyObject *path, PyObject *query) {
    bool has_query = PyUnicode_GET_LENGTH(query) > 0;
    if (!PyUnicode_GET_LENGTH(script) && !has_query) return Py_NewRef(path);
    return PyUnicode_FromFormat(has_query ? "%U%U?%U" : "%U%U", script, path, query);
}

PyObject *module_wsgi_request(PyObject *self, PyObject *environ) {
    (void)self;
    PyObject *items[KEYS], *target = NULL, *request = NULL;
    if (!PyDict_CheckExact(environ)) Py_RETURN_NONE;
    bool is_complete = true;
    exact_items(environ, keys, KEYS, items);
    for (int i = 0; i < KEYS; i++) is_complete &= make_text(&items[i]);
    if (is_complete) target = join(items[SCRIPT], items[PATH], items[QUERY]);
    if (target) request = PyTuple_Pack(2, items[METHOD], target);
    for (int i = 0; i < KEYS; i++) Py_XDECREF(items[i]);
    Py_XDECREF(target);
    return request;
}

static bool is_digit(Py_UCS4 c) { return c >= '0' && c <= '9'; }

/* Returns the number in front of a text such as "200 OK"; -1 if there is none. */
static long leading_number(PyObject *text) {
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    long number = size ? 0 : -1;
    for (Py_ssize_t i = 0; number >= 0 && i < size && i < 3; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(text, i);
        number = is_digit(c) ? 10 * number + (long)(c - '0') : -1;
    }
    return number;
}

int status_number(PyObject *value) {
    int overflow;
    long number = -1;
    if (PyUnicode_CheckExact(value)) number = leading_number(value);
    else if (PyLong_Check(value)) number = PyLong_AsLongAndOverflow(value, &overflow);
    return number > 0 && number < 1000 ? (int)number : -1;
}

PyObject *module_to_status(PyObject *self, PyObject *value) {
    (void)self;
    return PyLong_FromLong(status_number(value));
}
