/* The one recorder of the process: what it asks and tells Python, and the sources of events. */
#ifndef FUNCTRACE_RECORDER_H
#define FUNCTRACE_RECORDER_H

#include "function.h"

struct recorder {
    bool open;      /* there is a file */
    bool started;   /* events are recorded */
    bool listening; /* the source of events is set up */
    bool forked;    /* since the file was opened: it is the parent's */
    uint64_t stops; /* how often it was stopped; tracks compare */
    uint64_t stopped_at;
    PyObject *thread, *current, *say;
};

extern struct recorder recorder;

/* Stops for good, and says why. */
void recorder_fail(const char *why);

/* Stops at once and at the next chance leaves nothing behind, and says why. */
void recorder_tell(void);

/* A str as UTF-8, which is to be freed; NULL and an error where memory has run out. */
char *recorder_copy_text(PyObject *text);

/* The source of events: sys.monitoring or frame evaluation. -1 and an error where it fails. */
int source_start(void);
void source_stop(void);
int source_add(struct function *f);

/* The first argument of the call that has just started; a new reference. */
PyObject *source_first_argument(PyThreadState *state, const void *frame);

#endif
