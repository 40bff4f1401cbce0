/* Survives faults in memory that is mapped from the trace: a truncated file, or a disk that turns
 * out to be full only when a page is written. */
#ifndef FUNCTRACE_GUARD_H
#define FUNCTRACE_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* Guards a mapping until the process ends; false where memory has run out. */
bool guard_add(void *memory, size_t bytes);

/* Installs the handler of SIGBUS. after_fault is called in it. */
void guard_begin(void (*after_fault)(void));

/* Restores the action of SIGBUS that was in force before guard_begin. */
void guard_end(void);

#endif
