#include "stored.h"

#include <stdbool.h>

#include "exact_items.h"

/* Returns the names that a class defines itself. */
static PyObject *names_of(PyTypeObject *type) {
#if PY_VERSION_HEX >= 0x030C0000
    return PyType_GetDict(type);
#else
    return Py_XNewRef(type->tp_dict);
#endif
}

/* Returns what a slot of that name contains; NULL if there is none, or it is empty. */
static PyObject *slot_of(PyObject *thing, PyObject *name) {
    PyObject *bases = Py_TYPE(thing)->tp_mro, *slot = NULL;
    for (Py_ssize_t i = 0; bases && !slot && i < PyTuple_GET_SIZE(bases); i++) {
        PyObject *names = names_of((PyTypeObject *)PyTuple_GET_ITEM(bases, i));
        PyObject *found = NULL;
        if (names) exact_items(names, &name, 1, &found);
        if (found && Py_TYPE(found) == &PyMemberDescr_Type) slot = Py_NewRef(found);
        Py_XDECREF(found);
        Py_XDECREF(names);
    }
    if (!slot) return NULL;
    PyObject *value = Py_TYPE(slot)->tp_descr_get(slot, thing, (PyObject *)Py_TYPE(thing));
    Py_DECREF(slot);
    if (!value) PyErr_Clear(); /* it is empty, or defined for another class */
    return value;
}

/* Returns what the dictionary of an object contains; NULL for nothing. */
static PyObject *item_of(PyObject *thing, PyObject *name) {
    if (PyType_Check(thing)) return NULL;
    PyObject *stored = PyObject_GenericGetDict(thing, NULL), *value = NULL;
    if (stored && PyDict_CheckExact(stored)) exact_items(stored, &name, 1, &value);
    Py_XDECREF(stored);
    PyErr_Clear();
    return value;
}

/* Returns whether a look-up in the classes of an object runs no code of the program. */
static bool have_exact_names(PyTypeObject *type) {
    PyObject *bases = type->tp_mro;
    bool are_exact = bases != NULL;
    for (Py_ssize_t i = 0; are_exact && i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(bases, i);
        PyObject *names = base->tp_flags & Py_TPFLAGS_HEAPTYPE ? names_of(base) : NULL;
        are_exact = !names || has_exact_keys(names);
        Py_XDECREF(names);
    }
    return are_exact;
}

/* Reads the attribute without making a dictionary for an object that has none yet: with one, all access
 * to it would be slower. Returns false if a class of the object might hide the attribute, or the look-up
 * run code of the program. */
static bool get_plain(PyObject *thing, PyObject *name, PyObject **value) {
    PyObject *stored = made_dict(thing);
    if (!have_exact_names(Py_TYPE(thing)) || (stored && !has_exact_keys(stored))) return false;
    PyObject *of_class = _PyType_Lookup(Py_TYPE(thing), name); /* borrowed */
    bool is_plain = !of_class || !(Py_TYPE(of_class)->tp_descr_get || Py_TYPE(of_class)->tp_descr_set);
    if (!is_plain || PyType_Check(thing)) return false;
    *value = PyObject_GenericGetAttr(thing, name);
    if (!*value) PyErr_Clear();
    if (!*value || *value != of_class) return true;
    Py_CLEAR(*value); /* the class's or the object's: which, only the dictionary tells */
    return false;
}

static PyObject *get_hidden(PyObject *thing, PyObject *name) {
    PyObject *value = slot_of(thing, name);
    if (value == Py_None) Py_CLEAR(value);
    return value ? value : item_of(thing, name);
}

PyObject *module_get_attribute(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
    (void)self;
    if (count != 2 || !PyUnicode_Check(arguments[1])) {
        PyErr_SetString(PyExc_TypeError, "expected an object and a name");
        return NULL;
    }
    if (arguments[0] == Py_None) Py_RETURN_NONE; /* often, and an error would take long */
    PyObject *value;
    if (!get_plain(arguments[0], arguments[1], &value)) value = get_hidden(arguments[0], arguments[1]);
    return value ? value : Py_NewRef(Py_None);
}
