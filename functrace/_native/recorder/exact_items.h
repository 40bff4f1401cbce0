/* Items of the program's dictionaries, whose keys may be of its own classes. */
#ifndef FUNCTRACE_EXACT_ITEMS_H
#define FUNCTRACE_EXACT_ITEMS_H

#include <stdbool.h>

#include "interpreter.h"

/* Returns 0, or -1 with an error. */
int exact_items_begin(void);

/* Finds the items with these names, each an exact str. Among the keys, only exact str count: a look-up
 * runs __eq__ of others. values becomes new references, NULL for what is absent. */
void exact_items(PyObject *items, PyObject *const *names, int count, PyObject **values);

/* Returns whether all keys are exact str, so that a look-up runs no code of the program. */
bool has_exact_keys(PyObject *items);

#endif
