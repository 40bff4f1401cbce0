/* The words of docs/trace-format.md, the rows of a scan, and arrays that grow. The structs that Python
 * reads are mirrored by functrace/_native/row_types.py; module.c lists them. */
#ifndef FUNCTRACE_TRACE_H
#define FUNCTRACE_TRACE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_ENTRY = 1, WORD_EXIT = 2, WORD_RECORD = 3 };
enum {
    RECORD_BASE = 1,
    RECORD_TRACK = 2,
    RECORD_ERROR = 3,
    RECORD_PANIC = 4,
    RECORD_OPEN = 5,
    RECORD_LOST = 6,
    RECORD_SUSPENDED = 7,
    RECORD_RESUMED = 8,
    RECORD_INHERITED = 9,
    RECORD_SWITCH = 10,
    RECORD_REQUEST = 11,
    RECORD_STATUS = 12
};
enum { CHUNK_HEAD = 40, CHUNK_STEP = 512, CHUNK_LIMIT = 16 << 20, TRACK_PAYLOAD = 32 };
enum { OPEN_INHERITED = 1 }; /* a value of RECORD_OPEN */
enum { TRACK_KIND_MASK = 0xFF, TRACK_AGAIN = 1 << 8 }; /* parts of the value of RECORD_TRACK */
enum { RUN_BITS = 24, RUN_MASK = (1 << RUN_BITS) - 1, RUN_OPEN_LIMIT = 0xFFFF }; /* of RECORD_SWITCH */
enum { STATUS_OK = 0, STATUS_MEMORY = 1 };

/* No time is later than this, so that a sum of two never overflows. */
#define TIME_LIMIT ((int64_t)1 << 60)

struct chunk {
    uint64_t offset, sequence, track, base;
    uint32_t size, kind, open, padding;
};

enum {
    PIECE_COUNTED = 1, /* open is how many calls are open where it begins */
    PIECE_LISTS = 2,   /* it lists them */
    PIECE_STARTS = 4,  /* with the record that begins the track */
    PIECE_GAP = 8,     /* words of the track before it are missing */
    PIECE_TIMED = 16   /* first is the earliest time in it, not its base */
};

struct piece {
    uint64_t track, offset, base;
    int64_t first;
    uint32_t words, open, run, flags;
};

struct track_record {
    uint64_t id, parent;
    int64_t start;
    uint64_t name;
    uint32_t name_length, kind, starter, line;
};

/* The file may change under a reader, so words are copied once and then judged. */
static inline uint64_t load64(const uint8_t *from) {
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline uint32_t load32(const uint8_t *from) {
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

enum { FUNCTION_MASK = 0xFFFFF };

static inline uint32_t word_function(uint64_t word) { return (word >> 2) & FUNCTION_MASK; }
static inline uint64_t word_ticks(uint64_t word) { return word >> 22; }
static inline uint32_t record_type(uint64_t word) { return (word >> 2) & 0x3F; }
static inline uint32_t record_bytes(uint64_t word) { return (word >> 8) & 0xFFFF; }
static inline uint64_t record_value(uint64_t word) { return word >> 24; }
static inline uint64_t record_size(uint64_t word) {
    return 8 + (((uint64_t)record_bytes(word) + 7) & ~(uint64_t)7);
}

static inline int64_t ticks_since(uint64_t ticks, uint64_t start) {
    if (ticks < start) return 0;
    if (ticks - start > (uint64_t)TIME_LIMIT) return TIME_LIMIT;
    return (int64_t)(ticks - start);
}

/* Makes room for one more item; NULL, and the old array is as it was, where memory has run out. */
static inline void *room(void *items, uint64_t used, uint64_t *capacity, size_t size) {
    if (used < *capacity) return items;
    uint64_t wanted = *capacity ? *capacity + *capacity / 2 + 1 : 16;
    void *grown = realloc(items, wanted * size);
    if (grown) *capacity = wanted;
    return grown;
}

#endif
