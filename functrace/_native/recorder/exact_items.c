#include "exact_items.h"

#include <stdint.h>

/* The first fields of a dictionary's keys. CPython notes there whether all of them are exact str: in 3.10
 * by the function that looks a key up, and later by a number. */
struct keys {
    Py_ssize_t references;
#if PY_VERSION_HEX >= 0x030B0000
    uint8_t log2_size, log2_index_bytes, kind;
#else
    Py_ssize_t size;
    void *kind;
#endif
};

static uintptr_t mixed; /* the kind of keys that need not be str */
static bool are_kinds_known;

static uintptr_t kind_of(PyObject *items) {
    return (uintptr_t)((const struct keys *)(const void *)((PyDictObject *)items)->ma_keys)->kind;
}

/* Finds the kind of a dictionary with that key, which becomes owned by this function. Returns false and an
 * error on failure. */
static bool find_kind(PyObject *key, uintptr_t *kind) {
    PyObject *items = PyDict_New();
    bool is_made = key && items && PyDict_SetItem(items, key, Py_None) == 0;
    if (is_made) *kind = kind_of(items);
    Py_XDECREF(items);
    Py_XDECREF(key);
    return is_made;
}

int exact_items_begin(void) {
    uintptr_t of_text;
    if (!find_kind(PyLong_FromLong(1), &mixed)) return -1;
    if (!find_kind(PyUnicode_FromString("text"), &of_text)) return -1;
    are_kinds_known = mixed != of_text;
    return 0;
}

static bool is_exact_kind(PyObject *items) { return are_kinds_known && kind_of(items) != mixed; }

static bool is_same(PyObject *key, PyObject *name) {
    if (key == name) return true;
    if (!PyUnicode_CheckExact(key) || PyObject_Hash(key) != PyObject_Hash(name)) return false;
    return PyUnicode_Compare(key, name) == 0;
}

/* Finds an item by comparing all keys. */
static PyObject *search(PyObject *items, PyObject *name) {
    PyObject *key, *value;
    Py_ssize_t at = 0;
    while (PyDict_Next(items, &at, &key, &value))
        if (is_same(key, name)) return value;
    return NULL;
}

void exact_items(PyObject *items, PyObject *const *names, int count, PyObject **values) {
    bool is_exact = is_exact_kind(items);
    for (int i = 0; i < count; i++)
        values[i] = Py_XNewRef(is_exact ? PyDict_GetItemWithError(items, names[i]) : search(items, names[i]));
}

bool has_exact_keys(PyObject *items) {
    PyObject *key;
    Py_ssize_t at = 0;
    if (is_exact_kind(items)) return true;
    while (PyDict_Next(items, &at, &key, NULL))
        if (!PyUnicode_CheckExact(key)) return false;
    return true;
}
