#include "exception.h"

#include <string.h>

enum { MAX_INT_BITS = 128, MAX_SIMPLE_BYTES = 1 << 16 };

static void append(struct exception_text *text, const char *bytes, size_t size) {
    size_t space = MAX_TEXT_BYTES - text->size;
    if (size > space) text->is_cut = true;
    if (size > space) size = space;
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
}

/* Appends a str as far as it fits. ASCII, the usual case, requires no intermediate object. */
static void append_object(struct exception_text *text, PyObject *object) {
    if (PyUnicode_IS_COMPACT_ASCII(object)) {
        append(text, PyUnicode_DATA(object), (size_t)PyUnicode_GET_LENGTH(object));
        return;
    }
    PyObject *start = PyUnicode_Substring(object, 0, MAX_TEXT_BYTES + 1), *bytes = NULL;
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
    long bits = length ? PyLong_AsLongAndOverflow(length, &overflow) : MAX_INT_BITS + 1;
    if (!length) PyErr_Clear();
    Py_XDECREF(length);
    return !overflow && bits <= MAX_INT_BITS;
}

/* Returns whether str() and repr() of the object run no Python code and take little time. */
static bool is_simple(PyObject *object, Py_ssize_t *bytes) {
    if (object == NULL || object == Py_None || PyBool_Check(object) || PyFloat_CheckExact(object))
        return true;
    if (PyLong_CheckExact(object)) return is_short_int(object);
    if (PyUnicode_CheckExact(object)) *bytes += PyUnicode_GET_LENGTH(object);
    else if (PyBytes_CheckExact(object)) *bytes += PyBytes_GET_SIZE(object);
    else return false;
    return *bytes <= MAX_SIMPLE_BYTES;
}

static bool are_simple(PyObject *args, Py_ssize_t *bytes) {
    if (!args || !PyTuple_CheckExact(args)) return false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++)
        if (!is_simple(PyTuple_GET_ITEM(args, i), bytes)) return false;
    return true;
}

/* Returns whether str() of the error is safe: it relies on the object's type and a valid start. */
static bool is_whole_unicode_error(const PyUnicodeErrorObject *error) {
    bool decodes = has_str_of(Py_TYPE(error), PyExc_UnicodeDecodeError);
    Py_ssize_t bytes = 0;
    return error->object && error->start >= 0 &&
           (decodes ? PyBytes_CheckExact(error->object) : PyUnicode_CheckExact(error->object)) &&
           is_simple(error->encoding, &bytes) && is_simple(error->reason, &bytes);
}

/* Returns whether str() of the exception runs no Python code. */
static bool has_simple_text(PyObject *exception) {
    PyTypeObject *type = Py_TYPE(exception);
    Py_ssize_t bytes = 0;
    if (has_str_of(type, PyExc_SyntaxError))
        return is_simple(((PySyntaxErrorObject *)exception)->msg, &bytes);
    if (has_str_of(type, PyExc_UnicodeDecodeError) || has_str_of(type, PyExc_UnicodeEncodeError) ||
        has_str_of(type, PyExc_UnicodeTranslateError))
        return is_whole_unicode_error((PyUnicodeErrorObject *)exception);
#if PY_VERSION_HEX >= 0x030B0000
    if (has_str_of(type, PyExc_BaseExceptionGroup))
        return is_simple(((PyBaseExceptionGroupObject *)exception)->msg, &bytes);
#endif
    if (!are_simple(((PyBaseExceptionObject *)exception)->args, &bytes)) return false;
    if (has_str_of(type, PyExc_OSError)) {
        const PyOSErrorObject *error = (PyOSErrorObject *)exception;
        return is_simple(error->myerrno, &bytes) && is_simple(error->strerror, &bytes) &&
               is_simple(error->filename, &bytes) && is_simple(error->filename2, &bytes);
    }
    return has_str_of(type, PyExc_BaseException) || has_str_of(type, PyExc_KeyError) ||
           has_str_of(type, PyExc_ImportError);
}

/* Returns str() of the exception or, if its class overrides it, what BaseException's returns; NULL
 * if neither is available. */
static PyObject *text_of(PyObject *exception) {
    bool is_plain = has_simple_text(exception);
    Py_ssize_t bytes = 0;
    PyObject *args = ((PyBaseExceptionObject *)exception)->args;
    if (!is_plain && !are_simple(args, &bytes)) return NULL;
    PyObject *text;
    bool is_base = is_plain && has_str_of(Py_TYPE(exception), PyExc_BaseException);
    if (is_base && PyTuple_GET_SIZE(args) == 0) return NULL;
    if (is_base && PyTuple_GET_SIZE(args) == 1 && PyUnicode_CheckExact(PyTuple_GET_ITEM(args, 0)))
        return Py_NewRef(PyTuple_GET_ITEM(args, 0)); /* as str() does, at a fraction of the cost */
    if (PyTuple_GET_SIZE(args) == 1 && PyBytes_Check(PyTuple_GET_ITEM(args, 0)))
        text = PyObject_Repr(PyTuple_GET_ITEM(args, 0)); /* the same, without python -b's warning */
    else if (is_plain)
        text = PyObject_Str(exception);
    else
        text = ((PyTypeObject *)PyExc_BaseException)->tp_str(exception);
    if (!text) PyErr_Clear();
    return text;
}

static void append_attribute(struct exception_text *text, PyObject *name, PyObject *value) {
    PyObject *message = PyUnicode_FromFormat("%U=%R", name, value);
    if (message) append_object(text, message);
    else PyErr_Clear();
    Py_XDECREF(message);
}

/* Appends the exception's public attributes that are simple and not None. */
static void append_attributes(struct exception_text *text, PyObject *exception) {
    PyObject *attributes = ((PyBaseExceptionObject *)exception)->dict, *name, *value;
    if (!attributes || !PyDict_CheckExact(attributes)) return;
    const char *before = ": ";
    Py_ssize_t bytes = 0;
    for (Py_ssize_t at = 0; !text->is_cut && PyDict_Next(attributes, &at, &name, &value);) {
        if (!PyUnicode_CheckExact(name) || value == Py_None) continue;
        if (PyUnicode_GET_LENGTH(name) && PyUnicode_READ_CHAR(name, 0) == '_') continue;
        if (!is_simple(value, &bytes)) continue;
        Py_INCREF(name); /* the garbage collector may run code that deletes the attribute */
        Py_INCREF(value);
        append(text, before, 2);
        append_attribute(text, name, value);
        Py_DECREF(value);
        Py_DECREF(name);
        before = ", ";
    }
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
    PyObject *message = NULL;
    if (value && PyExceptionInstance_Check(value)) message = text_of(value);
    else if (value && PyUnicode_CheckExact(value) &&
             has_str_of((PyTypeObject *)type, PyExc_BaseException))
        message = Py_NewRef(value); /* the only argument of an exception that is not created yet */
    if (message && PyUnicode_GET_LENGTH(message) > 0) {
        append(text, ": ", 2);
        append_object(text, message);
    } else if (value && PyExceptionInstance_Check(value)) {
        append_attributes(text, value);
    }
    Py_XDECREF(message);
    return true;
}

void exception_fetch(PyObject **type, PyObject **value, PyObject **traceback) {
    PyErr_Fetch(type, value, traceback);
    bool is_builtin = *type && PyExceptionClass_Check(*type) &&
                      !(((PyTypeObject *)*type)->tp_flags & Py_TPFLAGS_HEAPTYPE);
    if (is_builtin) PyErr_NormalizeException(type, value, traceback);
}
