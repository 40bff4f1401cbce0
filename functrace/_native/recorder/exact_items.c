#include "exact_items.h"

static bool is_same(PyObject *key, PyObject *name) {
    if (key == name) return true;
    if (!PyUnicode_CheckExact(key) || PyObject_Hash(key) != PyObject_Hash(name)) return false;
    return PyUnicode_Compare(key, name) == 0;
}

void exact_items(PyObject *items, PyObject *const *names, int count, PyObject **values) {
    PyObject *key, *value;
    Py_ssize_t at = 0;
    for (int i = 0; i < count; i++) values[i] = NULL;
    while (PyDict_Next(items, &at, &key, &value))
        for (int i = 0; i < count; i++)
            if (!values[i] && is_same(key, names[i])) values[i] = Py_NewRef(value);
}

bool has_exact_keys(PyObject *items) {
    PyObject *key;
    Py_ssize_t at = 0;
    while (PyDict_Next(items, &at, &key, NULL))
        if (!PyUnicode_CheckExact(key)) return false;
    return true;
}
