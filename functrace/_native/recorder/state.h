/* State of the process's recorder, shared by the modules that handle events. */
#ifndef FUNCTRACE_STATE_H
#define FUNCTRACE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "interpreter.h"

struct recorder {
    bool open;      /* it has a file */
    bool started;   /* events are recorded */
    bool listening; /* the event source is set up */
    bool forked;    /* the process was forked since the file was opened: it is the parent's */
    uint64_t stops; /* how often recording was stopped; tracks compare it */
    uint64_t stopped_at;
    void (*stop)(void); /* stops recording; set by the module */
    PyObject *describe_thread, *current_task_track, *warn;
};

extern struct recorder recorder;

/* Copies a str as UTF-8, to be freed; NULL and an error if memory has run out. */
char *copy_text(PyObject *text);

#endif
