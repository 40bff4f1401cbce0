/* Metadata of code objects whose calls are recorded or watched. */
#ifndef FUNCTRACE_FUNCTION_H
#define FUNCTRACE_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

#include "interpreter.h"

enum function_kind { PLAIN, GENERATOR, COROUTINE, ASYNC_GENERATOR };

struct function {
    uint32_t direct; /* its number if calls need no other handling, else 0 */
    uint32_t number; /* in the file; 0: not yet */
    uint32_t before; /* in the file before this one; 0: none */
    enum function_kind kind;
    bool recorded;
    char *name, *file;
    int line;
    PyObject *started, *returned; /* of a watched one; NULL for none */
    PyCodeObject *code;           /* which owns this, not the other way round */
    struct function *previous, *next;
};

extern Py_ssize_t function_index;   /* index of our data in code objects */
extern struct function *functions; /* all, in no order */

/* False, and an error is set, where code objects cannot carry anything for us. */
bool functions_begin(void);

/* The code object's record, a new one if it has none; NULL and an error where there is no memory. */
struct function *function_for(PyCodeObject *code);

/* Its number, given now if it has none; 0 where the file takes no more. */
uint32_t function_number(struct function *f);

/* For a new file: none has a number. */
void functions_begin_again(void);

/* The number of the function that had the one given in the file before; 0 if there is none. */
uint32_t function_renumber(uint32_t before);

/* The record of a code object, or NULL. */
static inline struct function *function_of(PyCodeObject *code) {
#if PY_VERSION_HEX < 0x030E0000
    const struct {
        Py_ssize_t size;
        void *items[1];
    } *extra = code->co_extra; /* as _PyCode_GetExtra has it, without the checks */
    return extra && extra->size > function_index ? extra->items[function_index] : NULL;
#else
    void *found = NULL;
    PyUnstable_Code_GetExtra((PyObject *)code, function_index, &found);
    return found;
#endif
}

#endif
