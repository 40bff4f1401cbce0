#include "function.h"

#include <stdlib.h>
#include <string.h>

#include "file.h"

Py_ssize_t function_index = -1;
struct function *functions;

static struct function **numbered; /* by number */
static uint32_t numbered_capacity;

struct function *function_numbered(uint32_t number) {
    return number < numbered_capacity ? numbered[number] : NULL;
}

/* Adds a function to the table; without memory it is not found there. */
static void add_numbered(struct function *f) {
    if (f->number >= numbered_capacity) {
        uint32_t wanted = 2 * f->number + 64;
        struct function **grown = realloc(numbered, wanted * sizeof *grown);
        if (!grown) return;
        memset(grown + numbered_capacity, 0, (wanted - numbered_capacity) * sizeof *grown);
        numbered = grown;
        numbered_capacity = wanted;
    }
    numbered[f->number] = f;
}

/* Called when the code object is deleted. */
static void release(void *memory) {
    struct function *f = entry_function((code_entry)memory);
    if (!f) return;
    if (f->previous) f->previous->next = f->next;
    else functions = f->next;
    if (f->next) f->next->previous = f->previous;
    if (function_numbered(f->number) == f) numbered[f->number] = NULL;
    free(f->name);
    free(f->file);
    PyObject *started = f->started, *returned = f->returned;
    free(f);
    Py_XDECREF(started);
    Py_XDECREF(returned);
}

bool functions_begin(void) {
    if (function_index < 0) function_index = PyUnstable_Eval_RequestCodeExtraIndex(release);
    if (function_index >= 0) return true;
    PyErr_SetString(PyExc_RuntimeError, "too many tools use code objects");
    return false;
}

static enum function_kind kind_of(const PyCodeObject *code) {
    if (code->co_flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE)) return COROUTINE;
    if (code->co_flags & CO_ASYNC_GENERATOR) return ASYNC_GENERATOR;
    return code->co_flags & CO_GENERATOR ? GENERATOR : PLAIN;
}

struct function *function_for(PyCodeObject *code) {
    struct function *f = function_of(code);
    if (f) return f;
    f = calloc(1, sizeof *f);
    if (!f) return (struct function *)PyErr_NoMemory();
    if (PyUnstable_Code_SetExtra((PyObject *)code, function_index, f) < 0) {
        free(f);
        return NULL;
    }
    f->code = code;
    f->kind = kind_of(code);
    f->next = functions;
    if (functions) functions->previous = f;
    functions = f;
    return f;
}

uint32_t function_number(struct function *f) {
    if (!f->number) {
        f->number = file_put_function(f->name, f->file, f->line);
        if (f->number) add_numbered(f);
        if (!f->started && !f->returned) f->direct = f->number;
    }
    return f->number;
}

void functions_begin_again(void) {
    for (struct function *f = functions; f; f = f->next) {
        f->previous_number = f->number;
        f->direct = f->number = 0;
        f->state = RECORDED;
        f->is_mute = false;
        f->demotions = 0;
    }
    if (numbered) memset(numbered, 0, numbered_capacity * sizeof *numbered);
}

uint32_t function_renumber(uint32_t previous_number) {
    for (struct function *f = functions; f; f = f->next)
        if (f->previous_number == previous_number) return function_number(f);
    return 0;
}
