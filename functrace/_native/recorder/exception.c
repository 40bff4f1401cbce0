#include "exception.h"

#include <string.h>

enum { INT_BITS_MOST = 128, BYTES_MOST = 1 << 16 };

static void append(struct exception_text *text, const char *bytes, size_t size) {
    size_t room = TEXT_MOST - text->size;
    if (size > room) text->is_cut = true;
    if (size > room) size = room;
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
}

/* Appends a str, as far as there is room. */
static void append_object(struct exception_text *text, PyObject *object) {
    PyObject *start = PyUnicode_Substring(object, 0, TEXT_MOST + 1), *bytes = NULL;
    if (start) bytes = PyUnicode_AsEncodedString(start, "utf-8", "backslashreplace");
    if (bytes) append(text, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    else PyErr_Clear();
    Py_XDECREF(bytes);
    Py_XDECREF(start);
}

static void append_type(struct exception_text *text, PyTypeObject *type) {
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        append(text, type->tp_name, strlen(type->tp_name));
        return;
    }
    PyObject *module = PyDict_GetItemString(type->tp_dict, "__module__");
    if (module && PyUnicode_CheckExact(module) &&
        PyUnicode_CompareWithASCIIString(module, "builtins") != 0 &&
        PyUnicode_CompareWithASCIIString(module, "__main__") != 0) {
        append_object(text, module);
        append(text, ".", 1);
    }
    append_object(text, ((PyHeapTypeObject *)type)->ht_qualname);
}

static bool has_str_of(PyTypeObject *type, PyObject *builtin) {
    return type->tp_str == ((PyTypeObject *)builtin)->tp_str;
}

static bool is_short_int(PyObject *number) {
    int overflow;
    (void)PyLong_AsLongLongAndOverflow(number, &overflow);
    if (!overflow) return true;
    PyObject *length = PyObject_CallMethod(number, "bit_length", NULL);
    long bits = length ? PyLong_AsLongAndOverflow(length, &overflow) : INT_BITS_MOST + 1;
    if (!length) PyErr_Clear();
    Py_XDECREF(length);
    return !overflow && bits <= INT_BITS_MOST;
}

/* Whether str() and repr() of the object run no Python code and take little time. */
static bool is_simple(PyObject *object, Py_ssize_t *bytes) {
    if (object == NULL || object == Py_None || PyBool_Check(object) || PyFloat_CheckExact(object))
        return true;
    if (PyLong_CheckExact(object)) return is_short_int(object);
    if (PyUnicode_CheckExact(object)) *bytes += PyUnicode_GET_LENGTH(object);
    else if (PyBytes_CheckExact(object)) *bytes += PyBytes_GET_SIZE(object);
    else return false;
    return *bytes <= BYTES_MOST;
}

static bool are_simple(PyObject *args, Py_ssize_t *bytes) {
    if (!args || !PyTuple_CheckExact(args)) return false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++)
        if (!is_simple(PyTuple_GET_ITEM(args, i), bytes)) return false;
    return true;
}

/* Whether str() of the exception runs no Python code. */
static bool has_simple_text(PyObject *exception) {
    PyTypeObject *type = Py_TYPE(exception);
    Py_ssize_t bytes = 0;
    if (has_str_of(type, PyExc_SyntaxError))
        return is_simple(((PySyntaxErrorObject *)exception)->msg, &bytes);
    if (!are_simple(((PyBaseExceptionObject *)exception)->args, &bytes)) return false;
    if (has_str_of(type, PyExc_OSError)) {
        const PyOSErrorObject *error = (PyOSErrorObject *)exception;
        return is_simple(error->myerrno, &bytes) && is_simple(error->strerror, &bytes) &&
               is_simple(error->filename, &bytes) && is_simple(error->filename2, &bytes);
    }
    return has_str_of(type, PyExc_BaseException) || has_str_of(type, PyExc_KeyError) ||
           has_str_of(type, PyExc_ImportError);
}

/* str() of the exception, NULL where that is not to be had. */
static PyObject *text_of(PyObject *exception) {
    if (!has_simple_text(exception)) return NULL;
    PyObject *args = ((PyBaseExceptionObject *)exception)->args;
    PyObject *text;
    if (PyTuple_GET_SIZE(args) == 1 && PyBytes_Check(PyTuple_GET_ITEM(args, 0)))
        text = PyObject_Repr(PyTuple_GET_ITEM(args, 0)); /* the same, and python -b does not mind */
    else
        text = PyObject_Str(exception);
    if (!text) PyErr_Clear();
    return text;
}

static bool ends_iteration(PyObject *type) {
    PyTypeObject *t = (PyTypeObject *)type;
    return PyType_IsSubtype(t, (PyTypeObject *)PyExc_StopIteration) ||
           PyType_IsSubtype(t, (PyTypeObject *)PyExc_StopAsyncIteration) ||
           PyType_IsSubtype(t, (PyTypeObject *)PyExc_GeneratorExit);
}

bool exception_describe(PyObject *type, PyObject *value, struct exception_text *text) {
    if (!PyExceptionClass_Check(type) || ends_iteration(type)) return false;
    text->size = 0;
    text->is_cut = false;
    append_type(text, (PyTypeObject *)type);
    PyObject *said = NULL;
    if (value && PyExceptionInstance_Check(value)) said = text_of(value);
    else if (value && PyUnicode_CheckExact(value) &&
             has_str_of((PyTypeObject *)type, PyExc_BaseException))
        said = Py_NewRef(value); /* the one argument of an exception that is not made yet */
    if (said && PyUnicode_GET_LENGTH(said) > 0) {
        append(text, ": ", 2);
        append_object(text, said);
    }
    Py_XDECREF(said);
    return true;
}
