/* Trace file: mapped memory, divided into chunks. No function here uses Python. Shared state is
 * locked by file_lock, because threads end without the interpreter's lock. */
#ifndef FUNCTRACE_FILE_H
#define FUNCTRACE_FILE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "format.h"

struct track;

/* Writer of all chunks of events, which all tracks share. Only the thread that has the interpreter's
 * lock uses it, except where noted. */
struct chunk_writer {
    uint64_t *words;             /* of the chunk; mapped, so that stored words survive the process */
    uint32_t used;               /* words */
    uint32_t limit;              /* words that may be used without calling track_extend */
    const struct track *current; /* the track of the latest words, or NULL; changed atomically */
    uint64_t base;               /* ticks that the words' times count from */
    uint64_t latest;             /* ticks of the latest word */
    uint64_t position;           /* of the chunk, see struct file */
    uint32_t size;               /* words */
    uint32_t next_size;          /* of the next chunk, bytes */
};

struct segment {
    uint64_t *words;
    uint64_t offset; /* in the file */
    size_t bytes, used;
    uint64_t last; /* sequence number of its last chunk, once it has been left */
};

struct file {
    int descriptor;
    dev_t device;
    ino_t inode;
    char *path;       /* absolute */
    uint64_t *header; /* NULL if no file is open */
    uint64_t size, max_size, sequence;
    uint64_t position; /* bytes allocated for chunks, overwritten ones included */
    uint64_t start_ticks, start_nanoseconds;
    uint32_t max_chunk_bytes; /* bytes */
    bool overwrites, failed;
    volatile bool unwritable; /* a store into mapped memory failed; set in a signal handler */
    char failure[512];        /* why recording stopped, until it is reported; else empty */

    struct segment *segments;
    size_t segment_count, segment_capacity, current;
    uint64_t *facts; /* the current chunk of facts */
    size_t facts_used, facts_words;
    uint64_t facts_offset;   /* in the file */
    uint32_t function_count; /* functions that have a number */
};

extern struct file trace_file;
extern struct chunk_writer trace_writer;
extern pthread_mutex_t file_lock;

/* Initializes file_lock, which is recursive. */
void file_lock_begin(void);

enum { MIN_TRACE_BYTES = HEADER_BYTES + (32 << 10) + 4 * (64 << 10) };

/* Creates the file with its header and facts; false and errno on failure. */
bool file_open(const char *path, uint64_t max_size, bool overwrites, const char *facts,
               size_t size);

/* Abandons the file without writing to it. */
void file_abandon(void);

/* Stops all writing in a forked child, because the file belongs to the parent. */
void file_forked(void);

/* Begins another chunk of trace_writer, with space for `need` words and a base record. */
bool writer_begin_chunk(uint64_t now, size_t need);

/* Writes a function record and returns the function's new number; 0 if the file is full. */
uint32_t file_put_function(const char *name, const char *path, int line);

/* Writes a function that stands for requests, likewise. */
uint32_t file_put_request_function(const char *name, unsigned direction, unsigned protocol);

/* Writes that a function was demoted or promoted; value as in the format. */
void file_put_demotion(uint32_t function, unsigned value, uint64_t ticks, uint32_t calls_per_second);

void file_calibrate(void);

/* Marks the trace as ended cleanly and truncates the file after its last chunk. */
void file_end(void);

/* Copies the current content of the file; false and errno on failure. */
bool file_copy(const char *path);

/* Stores a word that becomes visible only after everything stored before it. */
static inline void store_word(uint64_t *at, uint64_t word) {
    __atomic_store_n(at, word, __ATOMIC_RELEASE);
}

#endif
