/* The numbers of docs/trace-format.md that a writer needs. */
#ifndef FUNCTRACE_FORMAT_H
#define FUNCTRACE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

enum { HEADER_BYTES = 4096, FORMAT_VERSION = 2, HEADER_LANGUAGE = 2 };
enum { H_VERSION = 1, H_PROCESS, H_RATE, H_TICKS, H_TIME, H_FLAGS, H_LOST, H_CALIBRATION };
enum { H_OVERWRITTEN = 17, H_LAST_OVERWRITTEN };
enum { ENDED_CLEANLY = 1, STOPPED_FULL = 2, OVERWRITES = 4, WRITE_FAILED = 8 };

enum { CHUNK_STEP = 512, CHUNK_HEAD_WORDS = 5, FACTS = 1, EVENTS = 2 };
enum { C_SIZE = 1, C_SEQUENCE, C_WRITER, C_BASE };
#define CHUNK_MAGIC 0x4b4e4843u

enum { ENTRY_WORD = 1, EXIT_WORD = 2, RECORD_WORD = 3 };
enum { FUNCTION_SHIFT = 2, TIME_SHIFT = 22 };
enum { MAX_FUNCTIONS = (1 << (TIME_SHIFT - FUNCTION_SHIFT)) - 1 };
#define RECORD_VALUE_LIMIT ((uint64_t)1 << 40)
#define TICKS_SINCE_BASE_LIMIT ((uint64_t)1 << (64 - TIME_SHIFT))

enum {
    BASE_RECORD = 1,
    TRACK_RECORD = 2,
    ERROR_RECORD = 3,
    PANIC_RECORD = 4,
    OPEN_RECORD = 5,
    SUSPENDED_RECORD = 7,
    RESUMED_RECORD = 8,
    INHERITED_RECORD = 9,
    SWITCH_RECORD = 10,
    REQUEST_RECORD = 11,
    STATUS_RECORD = 12,
    FUNCTION_RECORD = 16,
    PROCESS_RECORD = 17,
    DEMOTION_RECORD = 18,
    REQUEST_NAME_RECORD = 19
};
enum { IS_DEMOTED = 1, IS_MUTE = 2 }; /* in a value of DEMOTION_RECORD */
enum { IS_INBOUND = 1, IS_OUTBOUND = 2, DIRECTION_MASK = 3 }; /* in a value of REQUEST_RECORD */
enum { PROTOCOL_SHIFT = 2, HAS_IDS = 1 << 8, IS_SAMPLED = 1 << 9, HAS_FT = 1 << 10, IS_OWN = 1 << 11 };
enum { REQUEST_ID_BYTES = 16 + 8, REQUEST_FT_BYTES = 2 * 8 };
enum { STATUS_ROUTE_SHIFT = 20 }; /* in a value of STATUS_RECORD */
enum { OPEN_IS_INHERITED = 1 }; /* a value of OPEN_RECORD */
enum { TRACK_IS_AGAIN = 1 << 8 }; /* in a value of TRACK_RECORD */
enum { MAX_RUN = (1 << 24) - 1, OPEN_IN_RUN_SHIFT = 24, MAX_OPEN_IN_RUN = (1 << 16) - 1 };
enum { THREAD_KIND = 2, TASK_KIND = 3, IS_CUT = 1, MAX_TEXT_BYTES = 200, MAX_NAME_BYTES = 8 << 10 };

static inline uint64_t record_head(unsigned type, size_t bytes, uint64_t value) {
    return RECORD_WORD | type << 2 | (uint64_t)bytes << 8 | value << 24;
}

/* Returns the size in words of a record whose payload has that many bytes. */
static inline size_t record_words(size_t bytes) { return 1 + (bytes + 7) / 8; }

#endif
