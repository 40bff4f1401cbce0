/* The reader of a trace file that grows or wraps around: it is fed new words of chunks, and since the last query
 * it either lists the calls that have begun and ended, or folds those that have ended into their chains. */
#ifndef FUNCTRACE_FEED_H
#define FUNCTRACE_FEED_H

#include "chains.h"
#include "events.h"
#include "requests.h"
#include "rollup.h"

struct begun { /* outer: of a track's first call, the call of outer_track in which its chain goes on, or -1 */
    int64_t call, parent, start, outer;
    int32_t function, track, outer_track, padding;
};

struct fed_track {
    uint64_t id;
    int64_t start, text;
    uint32_t text_length;
    int32_t track, kind, evicted;
};

struct fed_status { /* value: of the status record of a call that ended */
    int64_t call;
    uint64_t value;
};

/* requests: records of calls that began, which may be of no request function */
struct fed {
    struct begun *begun;
    uint64_t begun_count, begun_capacity;
    struct call *finished;
    uint64_t finished_count, finished_capacity;
    struct fed_track *tracks;
    uint64_t track_count, track_capacity;
    struct request *requests;
    uint64_t request_count, request_capacity;
    struct fed_status *statuses;
    uint64_t status_count, status_capacity;
    int64_t *released; /* calls that are not referred to any more */
    uint64_t released_count, released_capacity;
    uint8_t *texts;
    uint64_t text_count, text_capacity;
};

struct limits {
    uint64_t calls, tracks, words; /* retained calls and tracks; words processed between evictions */
    uint64_t chains;               /* 0: calls are listed, not folded */
};

struct reading { /* what a chunk's new words were */
    uint64_t words;
    int64_t last;
    int is_damaged;
};

struct feed;

struct feed *functrace_feed_open(uint64_t start, const struct limits *limits);
void functrace_feed_close(struct feed *feed);
/* is_request: of each function, whether it stands for requests. */
int functrace_feed_functions(struct feed *feed, const int32_t *function_of, uint64_t count, const uint8_t *is_request,
                             int32_t functions);
/* Return the number of a chunk, or -1 where memory has run out. */
int64_t functrace_feed_begin(struct feed *feed, uint64_t base, uint64_t sequence);
int functrace_feed_read(struct feed *feed, int64_t chunk, const uint8_t *words, const uint8_t *payloads,
                        uint64_t size, struct reading *out);
int functrace_feed_miss(struct feed *feed, int64_t chunk, int is_sure);
int functrace_feed_end_chunk(struct feed *feed, int64_t chunk);
void functrace_feed_miss_chunks(struct feed *feed);
int functrace_feed_advance(struct feed *feed, int64_t until);
int functrace_feed_end(struct feed *feed, int64_t time);
int functrace_feed_open_calls(struct feed *feed, struct begun **out, uint64_t *count);
struct fed *functrace_feed_drain(struct feed *feed);
/* List the open calls by chain, and return the window; it stays until the next word is walked. live: tracks
 * with open calls. */
int functrace_feed_window(struct feed *feed, struct chain_table **out, uint64_t *live);
/* Count the calls that end from now on also by chain and window, and drop what was counted so. */
int functrace_feed_roll(struct feed *feed, const int64_t *bounds, uint64_t count, double ns_per_tick);
struct rollup *functrace_feed_rollup(struct feed *feed);

#endif
