#ifndef FUNCTRACE_EVENTS_H
#define FUNCTRACE_EVENTS_H

#include "track.h"

enum { ENTERED = 1, LEFT = 2, SUSPENDED = 3, RESUMED = 4, LOST = 5 };

struct event {
    int64_t time, text; /* of LOST, text is how many */
    uint32_t text_length, flags;
    int32_t function, track, kind, padding;
};

struct call {
    int64_t call, parent, start, duration, self, suspended, text;
    uint32_t text_length, flags;
    int32_t function, track, depth, padding;
};

struct events_request {
    struct source source;
    int64_t *caller; /* by track: the call in which its chain goes on, or -1; filled in */
    int64_t whole;   /* calls, not entries and exits */
};

struct rows {
    struct event *events;
    uint64_t event_count, event_capacity;
    struct call *calls;
    uint64_t call_count, call_capacity;
};

struct walk;

struct walk *functrace_events_open(const struct events_request *ask);
int functrace_events_next(struct walk *w, uint64_t count, struct rows **out);
void functrace_events_close(struct walk *w);

#endif
