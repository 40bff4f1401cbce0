/* The index of a trace: each track in strips of a number of words, from which a walk can start, with
 * the figures of the calls in them. Strips form groups of GROUP, these form larger groups, up to one.
 *
 * A call is *inside* a strip or group that both its entry and its exit belong to; a call that is not
 * inside a strip *crosses* strips, and is a row of its own. Times are ticks after the start of the trace. */
#ifndef FUNCTRACE_INDEX_H
#define FUNCTRACE_INDEX_H

#include "track.h"

enum { GROUP = 8, LEVELS = 12, SUMMARY_DEPTHS = 256, OVERVIEW_BINS = 1 << 14 };
enum { CROSSING_INHERITED = 1 << 16 }; /* a flag of a crossing, beside those of calls */
enum {
    SLICE_FAILED = 1,
    SLICE_PANICKED = 2,
    SLICE_UNFINISHED = 4,
    SLICE_MERGED = 8,
    SLICE_SUSPENDED = 16
};

#define NO_STRIP UINT32_MAX

/* A track that is too short for two strips has none. Its strips and parts are consecutive: all strips, the
 * groups of strips, the groups of these, and so on. */
struct indexed_track {
    int64_t start, end, calls, failed;
    int64_t strip, part; /* the first ones */
    uint32_t strips, depth;
};

/* A place at which a walk over a track can start. */
struct strip {
    int64_t time, piece;
    uint64_t word, base, words;
    int64_t open;     /* of the calls open there, the innermost one: a crossing, or -1 */
    int64_t crossing; /* the first one that begins in this strip or behind it */
    uint32_t hidden, hidden_index, suspended, padding;
};

/* The calls inside a strip or group: the times of the first entry and the last exit, the longest duration, the
 * set of their functions by number modulo 64, and a summary for each depth. */
struct part {
    int64_t first, last, max_duration;
    uint64_t functions;
    int64_t summary;
    uint32_t summaries, padding;
    int64_t calls, failed;
};

/* The calls of one depth, from the first entry to the last exit. weight is by how much the time in function
 * exceeds that in all others; each step that adds calls keeps this, so that the function has more than half
 * of the time if any has. */
struct summary {
    int64_t start, duration;
    float weight;
    int32_t function;
    uint32_t calls;
    uint16_t depth, flags;
};

/* parent is a crossing, too, or -1; last_strip the strip of its track in which it ends. */
struct crossing {
    int64_t start, duration, self, suspended, text, parent;
    uint32_t text_length, flags;
    int32_t function;
    uint32_t depth, last_strip, padding;
};

/* A single call. parent is the function of its caller, or -1. */
struct listed_call {
    int64_t start, duration, self, suspended, text;
    uint32_t text_length, flags;
    int32_t function, parent, track;
    uint32_t depth;
};

struct index {
    struct source source;
    const struct indexed_track *tracks;
    const struct strip *strips;
    const struct part *parts;
    const struct crossing *crossings;
    const struct summary *summaries;
    uint64_t track_count, strip_count, part_count, crossing_count, summary_count;
};

/* Whether every index in it is in range. */
int functrace_index_is_valid(const struct index *index);

static inline uint32_t slice_flags(uint32_t call_flags, int64_t suspended) {
    return (call_flags & (CALL_ERROR | CALL_PANIC) ? SLICE_FAILED : 0u) |
           (call_flags & CALL_PANIC ? SLICE_PANICKED : 0u) |
           (call_flags & CALL_UNFINISHED ? SLICE_UNFINISHED : 0u) | (suspended > 0 ? SLICE_SUSPENDED : 0u);
}

static inline int is_failed(uint32_t call_flags) { return (call_flags & (CALL_ERROR | CALL_PANIC)) != 0; }
static inline uint64_t function_bit(int32_t function) { return (uint64_t)1 << (function & 63); }
static inline uint32_t groups_of(uint32_t count) { return count / GROUP + (count % GROUP != 0); }

/* Add the time of some calls to that of others, which has the function with most of it. */
static inline void add_weight(float *weight, int32_t *function, float more, int32_t more_of) {
    if (*function == more_of) {
        *weight += more;
    } else if (*weight >= more) {
        *weight -= more;
    } else {
        *function = more_of;
        *weight = more - *weight;
    }
}

/* How many parts there are of a track with so many strips. */
static inline uint64_t parts_of(uint32_t strips) {
    uint64_t parts = strips;
    while (strips > 1) parts += strips = groups_of(strips);
    return parts;
}

/* ---- building ---- */

struct index_request {
    struct source source;
    int64_t first_track, last_track; /* tracks from first_track to before last_track */
    uint64_t strip_words;            /* a strip has about as many */
    int bin_shift;                   /* an overview's bin has 1 << bin_shift ticks */
};

struct index_parts {
    struct indexed_track *tracks;
    struct strip *strips;
    struct part *parts;
    struct crossing *crossings;
    struct summary *summaries;
    uint64_t track_count, strip_count, part_count, crossing_count, summary_count;
    uint64_t track_capacity, strip_capacity, part_capacity, crossing_capacity, summary_capacity;
    int64_t bin_calls[OVERVIEW_BINS], bin_failed[OVERVIEW_BINS];
    uint64_t words; /* that were walked so far */
};

struct walk;

struct walk *functrace_index_open(const struct index_request *ask);
/* Walk about `words` more words; *done once all tracks were walked. */
int functrace_index_advance(struct walk *w, uint64_t words, int *done);
struct index_parts *functrace_index_parts(struct walk *w);
void functrace_index_close(struct walk *w);

/* ---- the calls inside strips ---- */

struct strip_reader;

struct strip_reader *functrace_strips_open(const struct index *index);
void functrace_strips_close(struct strip_reader *reader);
/* List the calls inside a strip in the order of their ends; they stay until the next call. strip < 0: of a track
 * without strips. */
int functrace_strips_read(struct strip_reader *reader, int64_t track, int64_t strip, const struct listed_call **out,
                          uint64_t *count);

/* ---- windows ---- */

/* Slices of calls that overlap the time from since to until. Calls shorter than a pixel are merged, or longer
 * ones where more than max_strips strips would have to be read, or more than max_slices slices returned. */
struct window_request {
    const struct index *index;
    const int64_t *tracks;
    uint64_t track_count;
    int64_t since, until, pixel;
    uint32_t depths;
    uint64_t max_strips, max_slices;
};

/* track is an index into the request's tracks. */
struct slice {
    int64_t start, duration, calls;
    float weight;
    int32_t function;
    uint32_t track, depth, flags, padding;
};

/* Slices by track, depth and start. */
struct window_result {
    struct slice *slices;
    uint64_t slice_count, slice_capacity;
    int64_t resolution; /* no call of this duration is merged */
    uint64_t strips;    /* that were read */
};

int functrace_window(const struct window_request *ask, struct window_result *out);

/* ---- lists of calls ---- */

enum call_order { BY_START, BY_DURATION, BY_SELF };

/* Calls that overlap the time from since to until. functions: NULL, or a byte for each. */
struct call_request {
    const struct index *index;
    const int64_t *tracks;
    uint64_t track_count;
    const uint8_t *functions;
    int64_t since, until, min_duration;
    int failed_only, order, descending;
    uint64_t limit;      /* on the calls that are returned: the first ones */
    uint64_t max_strips; /* that are read */
};

/* The first calls in the given order. is_complete: all calls were considered and counted. */
struct call_result {
    struct listed_call *calls;
    uint64_t call_count, call_capacity, total;
    uint64_t strips; /* that were read */
    int is_complete;
};

int functrace_call_list(const struct call_request *ask, struct call_result *out);

#endif
