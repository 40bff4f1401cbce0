/* Event source: sys.monitoring (monitoring.c) or frame evaluation (evaluation.c). */
#ifndef FUNCTRACE_SOURCE_H
#define FUNCTRACE_SOURCE_H

#include "function.h"

/* Each returns -1 and sets an error on failure. */
int source_start(void);
int source_add(struct function *f); /* again after each change of its state */

void source_stop(void);

#endif
