/* Overhead budget: functions whose recording costs more than they do are demoted, which means that their
 * calls are not recorded unless they fail (docs/budget.md). Used with the interpreter's lock. */
#ifndef FUNCTRACE_BUDGET_H
#define FUNCTRACE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "file.h"

struct budget {
    double share;      /* of the process's CPU time; 0 for no budget */
    bool is_due;       /* a chunk was counted: call budget_update once no event is being handled */
    uint32_t draining; /* functions in state DRAINING */
    uint64_t next_scan; /* ticks at which open calls may be searched again */
};

extern struct budget budget;

/* Prepares for a new file, with all functions recorded. */
void budget_begin(double share);

/* Ignores the CPU time until now, during which nothing was recorded. */
void budget_restart(void);

/* Counts the events of a full chunk. */
void budget_count_chunk(const struct chunk_writer *w);

/* Demotes or promotes functions as the latest count requires, and ends the events of demoted functions
 * that have no open calls left. */
void budget_update(void);

#endif
