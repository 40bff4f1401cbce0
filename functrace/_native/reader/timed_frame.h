/* An open call of walks that measure how long calls ran. */
#ifndef FUNCTRACE_TIMED_FRAME_H
#define FUNCTRACE_TIMED_FRAME_H

#include "track.h"

struct frame { /* inside is how long the calls in it ran; waited that of the track at its start */
    OPEN_CALL;
    int64_t inside, waited;
};

struct function {
    LAST_CALL;
};

#endif
