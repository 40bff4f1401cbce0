/* Which track a thread is in. */
#ifndef FUNCTRACE_THREAD_H
#define FUNCTRACE_THREAD_H

#include "interpreter.h"
#include "track.h"

struct thread {
    PyThreadState *state; /* this thread's; NULL: find out again which track this is */
    uint64_t context;     /* the state's context_ver when that was found out */
    struct track *track;
    struct track *own, *home; /* home: where switch() has put it, or NULL */
    bool on_task, busy;       /* busy: in a callback of ours, whose calls are not recorded */
    struct binding *binding;  /* says when the interpreter's state of this thread is gone */
    struct thread *previous, *next;
};

/* One pointer fits into what the C library sets aside for libraries that come later. */
#ifdef __GLIBC__
#define THREAD_LOCAL __thread __attribute__((tls_model("initial-exec")))
#else
#define THREAD_LOCAL __thread
#endif
extern THREAD_LOCAL struct thread *this_thread;

bool threads_begin(void);

/* This thread with its track found out: 1; 0 where nothing is to be recorded; -1 where an error of
 * the program's came in between. */
int thread_find(PyThreadState *state, struct thread **found);

/* This thread with its own track, asked for if need be; likewise. */
int thread_with_own(struct thread **found);

/* Reads a tuple that current_origin() returned, or None; false and an error if it is neither. */
bool origin_parse(PyObject *parent, struct origin *origin);

/* Every thread is to find out again. */
void threads_look_again(void);

/* Nobody is in that track any more; false where it is a thread's own. */
bool threads_leave(struct track *t);

/* The threads of the parent process are not here. */
void threads_forked(void);

/* The interpreter's state of this thread, or NULL where it is to be asked for. To ask costs as much
 * as all else that is done at an event. */
static inline PyThreadState *thread_state_known(void) {
    const struct thread *th = this_thread;
    return likely(th != NULL) ? th->state : NULL;
}

/* The track of a thread that has been found out already. */
static inline struct track *thread_track(PyThreadState *state) {
    const struct thread *th = this_thread;
    return likely(th && th->state == state && th->context == state->context_ver) ? th->track : NULL;
}

#endif
