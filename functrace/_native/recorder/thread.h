/* Threads, and the track that each one runs. */
#ifndef FUNCTRACE_THREAD_H
#define FUNCTRACE_THREAD_H

#include "interpreter.h"
#include "track.h"

struct thread {
    PyThreadState *state; /* this thread's; NULL: the track must be determined again */
    uint64_t context;     /* the state's context_ver when the track was determined */
    struct track *track;
    struct track *own, *home; /* home: where switch() has put it, or NULL */
    bool on_task, busy;       /* busy: in one of our callbacks, whose calls are not recorded */
    uint64_t begun_request;   /* the number of the first that the running hook has begun, or 0 */
    struct binding *binding;  /* notified when this thread's interpreter state is deleted */
    struct thread *previous, *next;
};

/* One pointer fits into the space that the C library reserves for libraries loaded later. */
#ifdef __GLIBC__
#define THREAD_LOCAL __thread __attribute__((tls_model("initial-exec")))
#else
#define THREAD_LOCAL __thread
#endif
extern THREAD_LOCAL struct thread *this_thread;

bool threads_begin(void);

/* Finds this thread and its track: 1; 0 if nothing is to be recorded; -1 if an error of the
 * program's occurred. */
int thread_find(PyThreadState *state, struct thread **found);

/* Finds this thread and its own track, which is described if necessary; likewise. */
int thread_with_own(struct thread **found);

/* Reads a tuple that current_origin() returned, or None; false and an error if it is neither. */
bool origin_parse(PyObject *parent, struct origin *origin);

/* Makes every thread determine its track again. */
void threads_invalidate(void);

/* Removes all threads from that track; false if it is a thread's own. */
bool threads_release_track(struct track *t);

/* Forgets the parent process's threads after a fork. */
void threads_forked(void);

/* Returns this thread's interpreter state, or NULL if it must be queried, which costs as much as
 * the rest of an event. */
static inline PyThreadState *thread_state_known(void) {
    const struct thread *th = this_thread;
    return likely(th != NULL) ? th->state : NULL;
}

/* Returns the track of a thread if it has been determined. */
static inline struct track *thread_track(PyThreadState *state) {
    const struct thread *th = this_thread;
    return likely(th && th->state == state && th->context == state->context_ver) ? th->track : NULL;
}

#endif
