/* A track: its open calls, and the writing of its words. Only the thread that runs the track
 * accesses it. All tracks write to trace_writer's chunk, since events occur with the interpreter's
 * lock. */
#ifndef FUNCTRACE_TRACK_H
#define FUNCTRACE_TRACK_H

#include <string.h>

#include "clock.h"
#include "file.h"

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

enum {
    MAY_SUSPEND = 1, /* it and all enclosing calls belong to coroutines or async generators */
    SUSPENDED = 2,   /* it has yielded to the event loop */
    INHERITED = 4,   /* it was open when the process was forked, as were all enclosing calls */
    REQUEST = 8,     /* it is a request, which has no frame */
    INBOUND = 16,    /* with REQUEST */
    ENDED = 32       /* with REQUEST: it ended while recording was stopped */
};

struct call {
    uint64_t entered;  /* ticks */
    const void *frame; /* the interpreter's; never dereferenced. Of a request, see requests.c */
    uint32_t function; /* the function's number */
    uint32_t flags;
};

struct origin {
    uint64_t track, ticks;
    uint32_t function, line;
};

struct track {
    struct call *open; /* innermost last */
    uint32_t depth, capacity;
    uint32_t written;         /* open calls in the file; maintained while some are pending */
    uint32_t suspended_calls; /* number of open calls that are suspended */
    bool needs_slow_path;     /* the fast paths may not be used */
    bool pending;             /* some open calls may not be in the file */
    bool suspended;
    bool begun;         /* the track's record is in the file */
    uint32_t run;       /* number of its latest run */
    uint64_t listed_at; /* position of the chunk with its record, or its latest list of open calls */
    uint64_t suspended_at;
    uint64_t stopped; /* value of recorder.stops when the open calls were checked */

    uint64_t id;
    unsigned kind;
    char *name; /* NULL for none */
    struct origin origin; /* its ticks are the track's start once the record has been written */
    struct track *next; /* next in the hash table */
};

/* Options for all tracks. */
struct options {
    uint32_t depth;
    uint64_t min_duration; /* ticks */
};

extern struct options track_options;

/* Returns the track with that number, or NULL. */
struct track *track_find(uint64_t id);

/* Returns the track with that number, created if necessary; NULL if memory has run out. */
struct track *track_numbered(uint64_t id);

/* Creates a track with the next number; NULL if memory has run out. name may be NULL. */
struct track *track_new(unsigned kind, const char *name, const struct origin *origin);

/* Sets a track's name and origin before its first event. */
void track_describe(struct track *t, unsigned kind, const char *name, const struct origin *origin);

void track_forget(struct track *t);

/* Calls mark with the function of each open call of all tracks. */
void tracks_mark_open(void (*mark)(uint32_t));

/* Returns the track that has an open call with that frame, and the call's index; NULL for none. */
struct track *tracks_find_frame(const void *frame, int64_t *index);

/* Prepares all tracks for a new file. renumber maps a function's old number to its new one. */
void tracks_begin_again(uint32_t (*renumber)(uint32_t));

/* Assigns a number to t, replacing the track that has it. */
void track_renumber(struct track *t, uint64_t id);

bool track_grow(struct track *t);
void track_update_path(struct track *t);

/* Returns the index of the innermost open call with that frame; -1 for none. */
int64_t track_find_frame(const struct track *t, const void *frame);
bool track_extend(struct track *t, uint64_t now, size_t words);
void track_put_text(struct track *t, uint64_t now, unsigned type, uint64_t value, const char *text,
                    size_t size);

/* Returns how many open calls, starting at the outermost, are in the file. */
uint32_t track_written(const struct track *t);
void track_put_inherited(struct track *t);
void track_put_pending(struct track *t);
void track_suspend(struct track *t, uint64_t now);
void track_resume(struct track *t, uint64_t now);

/* Returns whether the next words may follow the track's latest ones. */
static inline bool track_has_space(const struct track *t, uint64_t now, size_t words) {
    const struct chunk_writer *w = &trace_writer;
    return w->current == t && w->used + words <= w->limit && now - w->base < TICKS_SINCE_BASE_LIMIT;
}

static inline void track_store(uint64_t now, uint64_t word) {
    struct chunk_writer *w = &trace_writer;
    store_word(&w->words[w->used], (now - w->base) << TIME_SHIFT | word);
    w->latest = now;
    w->used++;
}

static inline void track_store_text(unsigned type, uint64_t value, const char *text, size_t size) {
    struct chunk_writer *w = &trace_writer;
    uint64_t *at = w->words + w->used;
    memcpy(at + 1, text, size);
    store_word(at, record_head(type, size, value));
    w->used += record_words(size);
}

/* Stores a word whose time may be earlier than that of the latest word. */
static inline void track_put(struct track *t, uint64_t now, uint64_t word) {
    bool is_later = now >= trace_writer.latest;
    if ((likely(is_later) && likely(track_has_space(t, now, 1))) || track_extend(t, now, 1))
        track_store(now, word);
}

#endif
