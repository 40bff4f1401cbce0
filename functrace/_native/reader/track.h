/* The tracks of a trace, and the position of a walk over them. */
#ifndef FUNCTRACE_TRACK_H
#define FUNCTRACE_TRACK_H

#include <setjmp.h>

#include "trace.h"

enum { CALL_ERROR = 1, CALL_PANIC = 2, CALL_GOEXIT = 4, CALL_UNFINISHED = 8, CALL_CUT = 16, CALL_END_UNKNOWN = 32 };

/* id is what the walk knows a call by; same is the frame around it that is of the same function, or -1. */
#define OPEN_CALL \
    int64_t start, id; \
    int32_t function, same

/* innermost is a frame, or -1; last_track is the track whose last call is last, or -1. */
#define LAST_CALL \
    int64_t last; \
    int32_t innermost, last_track

/* In place of a parent: -1 for none; the parent track, or the track's own record, was overwritten. */
enum { PARENT_IS_LOST = -2 };

struct track {
    int64_t start;
    int32_t parent, starter;
};

/* What is walked. Tracks come in the order of their beginnings. */
struct source {
    const uint8_t *data;
    uint64_t start;
    const struct piece *pieces;
    const int64_t *piece_of; /* track's first piece; one more than there are tracks */
    const struct track *tracks;
    const int32_t *function_of; /* by number; -1 where there is none */
    int64_t track_count, number_count, function_count;
    int64_t end; /* where calls without an exit end */
    int is_overwritten; /* events were overwritten */
};

/* Counts of inconsistencies, and of calls whose entries were overwritten. */
struct anomalies {
    int64_t unknown, orphans, skipped, backwards, differing, lost, hidden;
};

#define STATUS_KNOWN ((uint64_t)1 << 63)

/* What a call returns with. status: 0, or the value of a status record and STATUS_KNOWN. */
struct failure {
    uint32_t flags, length;
    int64_t text;
    uint64_t status;
};

struct position {
    const struct source *source;
    struct anomalies anomalies;
    int32_t *first_child; /* by track: where its children begin; one more than there are tracks */
    int32_t *children;
    uint64_t depth, frame_capacity;
    uint64_t inherited; /* the outermost open calls, which another process began and counts */
    /* of the track */
    int32_t track, child, child_end;
    int64_t outer;        /* the call in which its own chain goes on, or -1 */
    int64_t time, waited; /* where the track is, and how much of that it was suspended */
    int suspended;
    struct failure failure; /* with which the call returns whose exit comes next */
    int tolerant;           /* events were lost: what does not match is no wonder */
    /* of the piece */
    int64_t piece;
    uint64_t word, piece_end, base;
    int has_gap;   /* words of the track before the piece are missing */
    int in_gap;    /* the same, and no event has come since then */
    int64_t list;  /* the first piece with a list that is not before the piece at hand */
    int reopening; /* the calls that are open where it begins are still being told */
    uint64_t reopened, opened; /* calls listed as open so far; calls open according to the chunk */
    int64_t entered;       /* the latest call that turned out to be open, which may be before time */
    uint64_t hidden;       /* open calls whose entries were overwritten and that are not listed */
    uint64_t hidden_index; /* the frame that is the first inside them */
    jmp_buf *no_memory;
};

#endif
