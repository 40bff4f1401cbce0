/* Metadata of code objects whose calls are recorded or watched. */
#ifndef FUNCTRACE_FUNCTION_H
#define FUNCTRACE_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

#include "interpreter.h"

enum function_kind { PLAIN, GENERATOR, COROUTINE, ASYNC_GENERATOR };

/* DRAINING and SILENT are those of demoted functions, of whose calls only failures are recorded. */
enum function_state {
    RECORDED,
    DRAINING, /* recorded calls may still be open */
    SILENT    /* none is open */
};

struct function {
    uint32_t direct;          /* its number if calls need no other handling, else 0 */
    uint32_t number;          /* in the file; 0 if not written yet */
    uint32_t previous_number; /* in the previous file; 0 if none */
    enum function_kind kind;
    bool recorded;
    enum function_state state;
    bool is_mute;                   /* demoted, and its failures are not recorded either */
    bool is_open, has_stale_events; /* of budget.c, while it runs */
    uint32_t demotions;             /* number of times that it was demoted */
    uint32_t calls_per_second;      /* when it was demoted */
    double share;                   /* of the CPU time that its events cost, as last known */
    uint64_t promotable_at;         /* ticks */
    char *name, *file;
    int line;
    PyObject *started, *returned; /* callbacks of a watched function; otherwise NULL */
    PyCodeObject *code;           /* not a reference: the code object owns this struct */
    struct function *previous, *next;
};

extern Py_ssize_t function_index;  /* index of our data in code objects */
extern struct function *functions; /* all, unordered */

/* Reserves an index for our data in code objects; false and an error if none is free. */
bool functions_begin(void);

/* Returns the code object's function, created if necessary; NULL and an error if memory has run
 * out. */
struct function *function_for(PyCodeObject *code);

/* Returns the function's number, written to the file if necessary; 0 if the file is full. */
uint32_t function_number(struct function *f);

/* Returns the function with that number, or NULL. */
struct function *function_numbered(uint32_t number);

/* Removes all numbers and demotions, for a new file. */
void functions_begin_again(void);

/* Returns the new number of the function that had this one in the previous file; 0 if none had. */
uint32_t function_renumber(uint32_t previous_number);

/* Our data in a code object: the address of its function, and UNWATCHED or 0. */
typedef uintptr_t code_entry;

/* Marks a function of whose calls only failures are recorded: all others need nothing of the struct,
 * which would take one more line of the processor's cache. */
enum { UNWATCHED = 1 };

/* Returns the function of an entry, or NULL. */
static inline struct function *entry_function(code_entry entry) {
    return (struct function *)(entry & ~(code_entry)UNWATCHED);
}

#if PY_VERSION_HEX < 0x030E0000

/* Returns the place of the code object's entry, or NULL; as _PyCode_GetExtra reads it, without
 * checks. */
static inline code_entry *entry_place(PyCodeObject *code) {
    struct {
        Py_ssize_t size;
        code_entry items[1];
    } *extra = code->co_extra;
    return extra && extra->size > function_index ? &extra->items[function_index] : NULL;
}

/* Returns the code object's entry, or 0. */
static inline code_entry entry_of(PyCodeObject *code) {
    const code_entry *place = entry_place(code);
    return place ? *place : 0;
}

#else

/* Returns the code object's entry, or 0. */
static inline code_entry entry_of(PyCodeObject *code) {
    void *found = NULL;
    PyUnstable_Code_GetExtra((PyObject *)code, function_index, &found);
    return (code_entry)found;
}

#endif

/* Returns the code object's function, or NULL. */
static inline struct function *function_of(PyCodeObject *code) {
    return entry_function(entry_of(code));
}

#endif
