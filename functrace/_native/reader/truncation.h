#ifndef FUNCTRACE_TRUNCATION_H
#define FUNCTRACE_TRUNCATION_H

#include <stdint.h>

/* From now on, what a mapped file does not have any more reads as zeros until the process ends, instead of ending
 * it with SIGBUS. Return 0 where memory has run out. */
int functrace_guard(void *begin, uint64_t size);

/* The number of mappings that were read beyond the end of their file. */
int functrace_truncated(void);

#endif
