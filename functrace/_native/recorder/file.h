/* Trace file: mapped memory, divided into chunks. No function here uses Python. Shared state is
 * locked by file_lock, because threads end without the interpreter's lock. */
#ifndef FUNCTRACE_FILE_H
#define FUNCTRACE_FILE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "format.h"

/* Chunk writer of one track at a time; a track that ends releases it for reuse. */
struct room {
    uint64_t *words;   /* of the chunk; mapped, so that stored words survive the process */
    uint32_t used;     /* words */
    uint32_t limit;    /* words that may be used without calling track_extend */
    uint32_t size;     /* words */
    uint32_t next_size; /* of the next chunk, bytes */
    uint64_t base;     /* ticks that the chunk's times count from */
    size_t segment;    /* that the chunk is in */
    bool taken;        /* the chunk has been overwritten */
    struct room *next_idle, *next;
};

struct segment {
    uint64_t *words;
    uint64_t offset; /* in the file */
    size_t bytes, used;
    struct room **owners; /* of its chunks, where old ones are overwritten */
    size_t owner_count, owner_room;
};

struct file {
    int descriptor;
    dev_t device;
    ino_t inode;
    char *path;       /* absolute */
    uint64_t *header; /* NULL: there is no file */
    uint64_t size, max_size, sequence;
    uint64_t start_ticks, start_nanoseconds;
    uint32_t largest_chunk; /* bytes */
    bool overwrites, failed;
    volatile bool torn; /* a part of it cannot be written any more; set in a signal handler */
    char trouble[512]; /* the reason of the failure, until it is reported */

    struct segment *segments;
    size_t segment_count, segment_room, current;
    uint64_t *facts; /* the chunk that facts go to */
    size_t facts_used, facts_words;
    uint64_t facts_at; /* in the file */
    uint32_t functions; /* that have a number */

    struct room *rooms; /* all of them; a signal handler reads the list */
    struct room *idle;
};

extern struct file trace_file;
extern struct room no_room; /* of a track that has not written yet */
extern pthread_mutex_t file_lock;

/* Makes the lock anew; one thread may take it several times. */
void file_lock_begin(void);

enum { SMALLEST_TRACE = HEADER_BYTES + (32 << 10) + 4 * (64 << 10) };

/* Makes the file with its header and facts; false and errno where it cannot. */
bool file_open(const char *path, uint64_t max_size, bool overwrites, const char *facts,
               size_t size);

/* Abandons the file without writing to it. */
void file_abandon(void);

/* Stops all writing in a forked child: the file is the parent's. */
void file_forked(void);

/* A room that no track has; NULL where memory has run out. */
struct room *room_take(void);
void room_leave(struct room *room);

/* Gives the room a chunk that begins on that track with so many open calls, for need words and the
 * records of the open calls that are listed. */
bool room_new_chunk(struct room *room, uint64_t now, size_t need, size_t open, size_t listed,
                    uint64_t track);

/* The function's new number, once it is written down; 0 where the file takes no more. */
uint32_t file_put_function(const char *name, const char *path, int line);

void file_calibrate(void);

/* Marks the file as that of a program that has run to its end, and cuts off what it has not used. */
void file_end(void);

/* Copies the file as it is now; false and errno where that cannot be done. */
bool file_copy(const char *path);

/* Stores a word behind everything that was stored before it. */
static inline void store_word(uint64_t *at, uint64_t word) {
    __atomic_store_n(at, word, __ATOMIC_RELEASE);
}

#endif
