#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "guard.h"

/* Sizes in bytes. A room's first chunk is small, since most tracks call little. Where old chunks are
 * overwritten all are small beside the file, so that many tracks at a time have their place. */
enum {
    MAX_CHUNK_BYTES = 64 << 10,
    MIN_CHUNKS = 128,
    FACTS_BYTES = 32 << 10,
    MIN_SEGMENT_BYTES = 64 << 10,
    MAX_SEGMENT_BYTES = 2 << 20,
    PAGE = 4096
};
enum { MAX_COPIES = 4, LOWEST_DESCRIPTOR = 100 };
enum { OPEN_RECORD_WORDS = 1 + 2, BASE_RECORD_WORDS = 1 + 1 };

struct file trace_file = {.descriptor = -1};
struct room no_room;
pthread_mutex_t file_lock;

static const char zeros[1 << 20];

#define smaller(a, b) ((a) < (b) ? (a) : (b))
#define larger(a, b) ((a) > (b) ? (a) : (b))

/* An array with room for one more item; NULL, and nothing changed, where memory has run out. */
static void *more(void *items, size_t count, size_t *room, size_t size) {
    if (count < *room) return items;
    size_t wanted = *room ? 2 * *room : 16;
    void *grown = realloc(items, wanted * size);
    if (grown) *room = wanted;
    return grown;
}

/* A program that closes every descriptor it knows nothing of closes ours, and its number may be
 * another file's by now. */
static bool is_ours(int descriptor) {
    struct stat found;
    return fstat(descriptor, &found) == 0 && found.st_dev == trace_file.device &&
           found.st_ino == trace_file.inode;
}

static char *folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, (size_t)(slash - path) + 1) : strdup("./");
}

/* What was traced is the user's alone, unless the folder's set-group-ID bit shares it with the
 * folder's group. */
static mode_t new_file_mode(const char *path) {
    char *folder = folder_of(path);
    struct stat found;
    bool is_shared = folder && stat(folder, &found) == 0 && found.st_mode & S_ISGID;
    free(folder);
    return is_shared ? 0640 : 0600;
}

/* Opens a file under a number that no standard stream has, nor any that a program expects. */
static int open_high(const char *path, int flags) {
    int opened = open(path, flags | O_CLOEXEC, new_file_mode(path));
    if (opened < 0) return -1;
    int moved = fcntl(opened, F_DUPFD_CLOEXEC, smaller(LOWEST_DESCRIPTOR, sysconf(_SC_OPEN_MAX) / 2));
    int error = errno;
    close(opened);
    errno = error;
    return moved;
}

/* Opens a file in the folder of path that has no name before give_name, which Linux can do on most
 * file systems. */
static int open_nameless(const char *path) {
#ifdef O_TMPFILE
    struct stat found;
    if (lstat(path, &found) == 0) {
        errno = EEXIST;
        return -1;
    }
    char *folder = folder_of(path);
    int descriptor = folder ? open_high(folder, O_RDWR | O_TMPFILE) : -1;
    free(folder);
    return descriptor;
#else
    (void)path;
    errno = ENOTSUP;
    return -1;
#endif
}

/* Fails if there is a file of that name. */
static bool give_name(int descriptor, const char *path) {
    char own[40];
    snprintf(own, sizeof own, "/proc/self/fd/%d", descriptor);
    return linkat(AT_FDCWD, own, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

static bool open_again(void) {
    if (is_ours(trace_file.descriptor)) return true;
    trace_file.descriptor = open_high(trace_file.path, O_RDWR);
    if (trace_file.descriptor < 0) return false;
    if (is_ours(trace_file.descriptor)) return true;
    close(trace_file.descriptor);
    trace_file.descriptor = -1;
    errno = ENOENT;
    return false;
}

static bool write_at(int descriptor, const char *bytes, size_t size, off_t offset) {
    while (size > 0) {
        ssize_t written = pwrite(descriptor, bytes, size, offset);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes += written;
        offset += written;
        size -= (size_t)written;
    }
    return true;
}

static bool is_truncated(void) {
    struct stat found;
    return is_ours(trace_file.descriptor) && fstat(trace_file.descriptor, &found) == 0 &&
           (uint64_t)found.st_size < trace_file.size;
}

static bool is_torn(void) { return trace_file.torn = trace_file.torn || is_truncated(); }

/* Runs in a signal handler: has every room ask for another chunk. */
static void tear(void) {
    struct room *room = __atomic_load_n(&trace_file.rooms, __ATOMIC_ACQUIRE);
    for (; room; room = room->next) room->limit = 0;
    trace_file.torn = true;
}

/* Lengthens the file and maps what is new. It is written first: a full disk is an error here, and
 * would be a signal later that ends the program; and the kernel maps what it has in its cache at a
 * fraction of the cost. */
static uint64_t *grow(size_t bytes) {
    if (!open_again() || is_torn()) return NULL;
    uint64_t offset = trace_file.size;
    for (size_t done = 0; done < bytes; done += sizeof zeros)
        if (!write_at(trace_file.descriptor, zeros, smaller(sizeof zeros, bytes - done),
                      (off_t)(offset + done)))
            return NULL;
    uint64_t before = offset % (uint64_t)sysconf(_SC_PAGESIZE);
    char *memory = mmap(NULL, bytes + before, PROT_READ | PROT_WRITE, MAP_SHARED,
                        trace_file.descriptor, (off_t)(offset - before));
    if (memory == MAP_FAILED || !guard_add(memory, bytes + before)) return NULL;
    trace_file.size += bytes;
    return (uint64_t *)(memory + before);
}

static void fail(uint64_t flag, const char *reason) {
    struct file *f = &trace_file;
    f->failed = true;
    f->header[H_FLAGS] |= flag;
    snprintf(f->trouble, sizeof f->trouble, "%s; tracing is off", reason);
}

/* A store into mapped memory has failed, or the file is shorter than what is mapped. */
static void fail_to_store(void) {
    char reason[480];
    snprintf(reason, sizeof reason, "cannot write the trace: %.300s %s", trace_file.path,
             is_truncated() ? "has been truncated" : "takes no more");
    fail(WRITE_FAILED, reason);
}

static void fail_to_write(void) {
    char reason[480], error[100];
    if (trace_file.torn) {
        fail_to_store();
        return;
    }
    snprintf(error, sizeof error, "%s", strerror(errno));
    if (error[0] >= 'A' && error[0] <= 'Z') error[0] += 'a' - 'A';
    snprintf(reason, sizeof reason, "cannot write the trace: write %.300s: %s", trace_file.path,
             error);
    fail(WRITE_FAILED, reason);
}

/* Makes a chunk of the memory. Its first word comes last: without it there is none. */
static void put_head(uint64_t *words, size_t bytes, uint64_t kind) {
    words[C_SEQUENCE] = ++trace_file.sequence;
    words[C_SIZE_AND_OPEN] |= bytes;
    store_word(words, CHUNK_MAGIC | kind << 32);
}

/* Takes the segment's chunks from the rooms that use them. */
static void give_up(struct segment *s) {
    for (size_t i = 0; i < s->owner_count; i++) {
        struct room *room = s->owners[i];
        if (room->words >= s->words && room->words < s->words + s->bytes / 8) {
            room->taken = true;
            room->limit = 0;
        }
    }
    s->owner_count = 0;
}

/* Takes a segment's pages out of the process's memory, which a trace must not make grow; a thread
 * that still writes there gets them back from the file. */
static void drop_pages(const struct segment *s) {
    uint64_t before = s->offset % (uint64_t)sysconf(_SC_PAGESIZE);
    madvise((char *)s->words - before, s->bytes + before, MADV_DONTNEED);
}

/* The current segment is used up. */
static void leave_segment(void) {
    if (trace_file.segment_count > 0) drop_pages(&trace_file.segments[trace_file.current]);
}

/* Gives up the oldest segment, or recording if nothing is to be overwritten. */
static bool reuse_segment(size_t min_bytes) {
    struct file *f = &trace_file;
    if (!f->overwrites || f->segment_count < 3) {
        fail(STOPPED_FULL, "the trace has reached FUNCTRACE_MAX_SIZE");
        return false;
    }
    leave_segment();
    f->current = (f->current + 1) % f->segment_count;
    struct segment *s = &f->segments[f->current];
    give_up(s);
    memset(s->words, 0, s->bytes);
    s->used = 0;
    return min_bytes <= s->bytes;
}

static bool next_segment(size_t min_bytes) {
    struct file *f = &trace_file;
    size_t want = MIN_SEGMENT_BYTES, count = f->segment_count;
    if (count > 0) want = smaller(2 * f->segments[count - 1].bytes, MAX_SEGMENT_BYTES);
    want = larger(want, (min_bytes + PAGE - 1) / PAGE * PAGE);
    if (f->overwrites && want > f->max_size / 8)
        want = larger(MIN_SEGMENT_BYTES, f->max_size / 8 / PAGE * PAGE);
    if (f->size + want > f->max_size) return reuse_segment(min_bytes);
    void *segments = more(f->segments, count, &f->segment_room, sizeof *f->segments);
    if (segments) f->segments = segments;
    uint64_t *words = segments ? grow(want) : NULL;
    if (!words) {
        fail_to_write();
        return false;
    }
    leave_segment();
    f->segments[count] = (struct segment){.words = words, .bytes = want, .offset = f->size - want};
    f->current = f->segment_count++;
    return true;
}

static bool own(struct segment *s, struct room *room) {
    if (!trace_file.overwrites || !room) return true;
    void *owners = more(s->owners, s->owner_count, &s->owner_room, sizeof *s->owners);
    if (!owners) return false;
    s->owners = owners;
    s->owners[s->owner_count++] = room;
    return true;
}

/* Allocates zeroed memory for a chunk of size bytes if possible, at least min_bytes; NULL if full. */
static uint64_t *take(struct room *room, size_t min_bytes, size_t size, size_t *given) {
    struct file *f = &trace_file;
    for (;;) {
        if (f->segment_count > 0) {
            struct segment *s = &f->segments[f->current];
            size_t left = s->bytes - s->used;
            uint64_t *words = s->words + s->used / 8;
            if (left >= min_bytes && own(s, room)) {
                *given = smaller(size, left);
                s->used += *given;
                return words;
            }
            if (left > 0) put_head(words, left, FACTS); /* an empty one: there are no gaps */
            s->used = s->bytes;
        }
        if (!next_segment(min_bytes)) return NULL;
    }
}

bool room_new_chunk(struct room *room, uint64_t now, size_t need, size_t open, size_t listed,
                    uint64_t track) {
    struct file *f = &trace_file;
    pthread_mutex_lock(&file_lock);
    uint64_t *words = NULL;
    size_t given = 0;
    if (f->torn && !f->failed) fail_to_store();
    if (!f->failed) {
        size_t records = BASE_RECORD_WORDS + OPEN_RECORD_WORDS * listed;
        size_t bytes = 8 * (CHUNK_HEAD_WORDS + need + records);
        bytes = (bytes + CHUNK_STEP - 1) / CHUNK_STEP * CHUNK_STEP;
        words = take(room, bytes, larger(bytes, room->next_size), &given);
    }
    if (room->words && room->segment != f->current && f->segment_count)
        drop_pages(&f->segments[room->segment]);
    if (words) {
        room->segment = f->current;
        room->next_size = smaller(8 * room->next_size, f->largest_chunk);
        words[C_SIZE_AND_OPEN] = (uint64_t)open << 32;
        words[C_TRACK] = track;
        words[C_BASE] = now;
        put_head(words, given, EVENTS);
        file_calibrate();
        room->words = words;
        room->base = now;
        room->used = CHUNK_HEAD_WORDS;
        room->size = (uint32_t)(given / 8);
        room->limit = f->torn ? 0 : room->size;
        room->taken = false;
    } else if (f->header) {
        f->header[H_LOST]++;
    }
    pthread_mutex_unlock(&file_lock);
    return words != NULL;
}

struct room *room_take(void) {
    struct file *f = &trace_file;
    pthread_mutex_lock(&file_lock);
    struct room *room = f->idle;
    if (room) {
        f->idle = room->next_idle;
    } else {
        room = calloc(1, sizeof *room);
        if (room) {
            *room = (struct room){.next_size = CHUNK_STEP, .next = f->rooms};
            __atomic_store_n(&f->rooms, room, __ATOMIC_RELEASE);
        }
    }
    pthread_mutex_unlock(&file_lock);
    return room;
}

void room_leave(struct room *room) {
    pthread_mutex_lock(&file_lock);
    room->limit = 0; /* whoever has it next begins with a look at it */
    room->next_idle = trace_file.idle;
    trace_file.idle = room;
    pthread_mutex_unlock(&file_lock);
}

/* Begins another chunk of facts. Where old chunks are overwritten it is none of those that are. */
static bool new_facts(void) {
    struct file *f = &trace_file;
    size_t given = FACTS_BYTES;
    uint64_t *words;
    if (f->overwrites) {
        words = grow(FACTS_BYTES);
        if (!words) fail_to_write();
    } else {
        words = take(NULL, FACTS_BYTES, FACTS_BYTES, &given);
    }
    if (!words) return false;
    put_head(words, given, FACTS);
    const struct segment *s = &f->segments[f->current];
    f->facts_at = f->overwrites ? f->size - FACTS_BYTES
                                : s->offset + 8 * (uint64_t)(words - s->words);
    f->facts = words;
    f->facts_used = CHUNK_HEAD_WORDS;
    f->facts_words = given / 8;
    return true;
}

/* A place in the facts for a record with that many bytes. */
static uint64_t *facts_for(size_t bytes) {
    struct file *f = &trace_file;
    if (f->failed) return NULL;
    if (f->facts_used + record_words(bytes) > f->facts_words && !new_facts()) return NULL;
    uint64_t *at = f->facts + f->facts_used;
    f->facts_used += record_words(bytes);
    return at;
}

uint32_t file_put_function(const char *name, const char *path, int line) {
    struct file *f = &trace_file;
    size_t name_size = smaller(strlen(name), MAX_NAME_BYTES), path_size = smaller(strlen(path), MAX_NAME_BYTES);
    size_t bytes = 2 * 8 + 2 * 2 + name_size + path_size;
    uint32_t number = 0;
    pthread_mutex_lock(&file_lock);
    uint64_t *at = f->functions < MAX_FUNCTIONS ? facts_for(bytes) : NULL;
    if (at) {
        number = ++f->functions;
        uint16_t sizes[2] = {(uint16_t)name_size, (uint16_t)path_size};
        char *text = (char *)(at + 3);
        at[1] = number | (uint64_t)(uint32_t)line << 32;
        memcpy(text, sizes, sizeof sizes);
        memcpy(text + sizeof sizes, name, name_size);
        memcpy(text + sizeof sizes + name_size, path, path_size);
        store_word(at, record_head(FUNCTION_RECORD, bytes, 0));
    }
    pthread_mutex_unlock(&file_lock);
    return number;
}

/* Renews one of the two pairs of ticks and time. */
void file_calibrate(void) {
    struct file *f = &trace_file;
    uint64_t *pair = f->header + H_CALIBRATION + 4 * (f->sequence & 1);
    store_word(pair, f->sequence);
    uint64_t passed = clock_nanoseconds(CLOCK_MONOTONIC) - f->start_nanoseconds;
    store_word(pair + 1, clock_ticks());
    store_word(pair + 2, passed);
    store_word(pair + 3, f->sequence);
}


/* With its first bytes the file becomes a trace. */
static void put_header(void) {
    struct file *f = &trace_file;
    f->start_nanoseconds = clock_nanoseconds(CLOCK_MONOTONIC);
    f->start_ticks = clock_ticks();
    f->header[H_VERSION] = 1 | (uint64_t)HEADER_BYTES << 32;
    f->header[H_PROCESS] = (uint32_t)getpid() | (uint64_t)HEADER_LANGUAGE << 32;
    f->header[H_RATE] = trace_clock.ticks_per_second;
    f->header[H_TICKS] = f->start_ticks;
    f->header[H_TIME] = clock_nanoseconds(CLOCK_REALTIME);
    f->header[H_FLAGS] = f->overwrites ? OVERWRITES : 0;
    uint64_t magic;
    memcpy(&magic, "FTRACE\r\n", sizeof magic);
    store_word(f->header, magic);
}

static bool begin(const char *path, const char *facts, size_t size) {
    struct file *f = &trace_file;
    struct stat made;
    f->path = strdup(path);
    if (!f->path || fstat(f->descriptor, &made) != 0) return false;
    f->device = made.st_dev;
    f->inode = made.st_ino;
    guard_begin(tear);
    f->header = grow(HEADER_BYTES);
    if (!f->header) return false;
    put_header();
    if (!new_facts()) return false;
    uint64_t *at = facts_for(size);
    if (!at) return false;
    memcpy(at + 1, facts, size);
    store_word(at, record_head(PROCESS_RECORD, size, 0));
    return true;
}

static uint32_t largest_chunk(uint64_t max_size, bool overwrites) {
    uint64_t fit = max_size / MIN_CHUNKS / CHUNK_STEP * CHUNK_STEP;
    return overwrites && fit < MAX_CHUNK_BYTES ? (uint32_t)fit : MAX_CHUNK_BYTES;
}

/* The program may change its directory. */
static void make_path_absolute(void) {
    char *absolute = realpath(trace_file.path, NULL);
    if (!absolute) return;
    free(trace_file.path);
    trace_file.path = absolute;
}

/* Makes the file by one of two ways. With nameless it appears once it is a trace: a process that is
 * killed in between leaves none. */
static bool make(const char *path, bool nameless, const struct file *wanted, const char *facts,
                 size_t size) {
    struct file *f = &trace_file;
    int descriptor =
        nameless ? open_nameless(path) : open_high(path, O_RDWR | O_CREAT | O_EXCL);
    if (descriptor < 0) return false;
    struct room *rooms = f->rooms, *idle = f->idle;
    *f = *wanted;
    f->descriptor = descriptor;
    f->rooms = rooms;
    f->idle = idle;
    if (begin(path, facts, size) && (!nameless || give_name(descriptor, path))) {
        make_path_absolute();
        return true;
    }
    int error = errno;
    file_abandon();
    if (!nameless) unlink(path);
    errno = error;
    return false;
}

bool file_open(const char *path, uint64_t max_size, bool overwrites, const char *facts,
               size_t size) {
    struct file wanted = {.max_size = max_size,
                          .largest_chunk = largest_chunk(max_size, overwrites),
                          .overwrites = overwrites};
    if (make(path, true, &wanted, facts, size)) return true;
    return errno != EEXIST && make(path, false, &wanted, facts, size);
}

void file_lock_begin(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&file_lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

void file_forked(void) {
    file_lock_begin(); /* whoever had it is not in this process */
    trace_file.failed = true;
    trace_file.header = NULL;
    for (struct room *room = trace_file.rooms; room; room = room->next) room->limit = 0;
}

/* Memory stays mapped: it is in the file's size, and nobody knows that no thread writes any more. */
void file_abandon(void) {
    struct file *f = &trace_file;
    if (f->descriptor >= 0 && is_ours(f->descriptor)) close(f->descriptor);
    f->descriptor = -1;
    free(f->path);
    f->path = NULL;
    f->header = NULL;
    f->failed = true;
    for (size_t i = 0; i < f->segment_count; i++) free(f->segments[i].owners);
    free(f->segments);
    f->segments = NULL;
    f->segment_count = f->segment_room = 0;
    for (struct room *room = f->rooms; room; room = room->next)
        *room = (struct room){
            .next_size = CHUNK_STEP, .next_idle = room->next_idle, .next = room->next};
    guard_end();
}

/* Copies a part. No chunk begins while a piece is read, so that no half of a head is copied. */
static bool copy_part(int from, int to, uint64_t at, uint64_t end) {
    static const size_t step = 1 << 16;
    char *buffer = malloc(step);
    bool copied = buffer != NULL;
    while (copied && at < end) {
        pthread_mutex_lock(&file_lock);
        ssize_t got = pread(from, buffer, smaller(step, end - at), (off_t)at);
        pthread_mutex_unlock(&file_lock);
        if (got == 0) errno = EIO; /* somebody has cut the file off */
        copied = got > 0 && write_at(to, buffer, (size_t)got, (off_t)at);
        if (copied) at += (uint64_t)got;
    }
    free(buffer);
    return copied;
}

/* Where the last chunk ends that has begun by now. Where old ones are overwritten that says nothing. */
static uint64_t end_of_chunks(void) {
    const struct file *f = &trace_file;
    if (f->overwrites || !f->segment_count) return f->size;
    const struct segment *s = &f->segments[f->current];
    return s->offset + s->used;
}

/* Threads that still run store in the chunks that they have; there are no more. */
void file_end(void) {
    struct file *f = &trace_file;
    pthread_mutex_lock(&file_lock);
    file_calibrate();
    if (is_torn()) {
        if (!f->failed) fail_to_store();
    } else {
        f->header[H_FLAGS] |= ENDED_CLEANLY;
    }
    f->failed = true;
    if (is_ours(f->descriptor)) {
        if (!f->torn && end_of_chunks() < f->size && ftruncate(f->descriptor, (off_t)end_of_chunks()) == 0)
            f->size = end_of_chunks();
        close(f->descriptor);
    }
    f->descriptor = -1;
    guard_end();
    pthread_mutex_unlock(&file_lock);
}

/* Copies what there is, the functions after the events that are theirs. True as well where they went
 * on in another chunk meanwhile: then is_whole is false. */
static bool copy_all(int from, int to, bool *is_whole) {
    struct file *f = &trace_file;
    pthread_mutex_lock(&file_lock);
    file_calibrate();
    uint64_t end = end_of_chunks(), facts = f->facts_at;
    pthread_mutex_unlock(&file_lock);
    if (!copy_part(from, to, 0, end) || !copy_part(from, to, facts, facts + FACTS_BYTES))
        return false;
    *is_whole = f->facts_at == facts;
    return true;
}

bool file_copy(const char *path) {
    pthread_mutex_lock(&file_lock);
    int from = open_again() ? dup(trace_file.descriptor) : -1;
    pthread_mutex_unlock(&file_lock);
    if (from < 0) return false;
    int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, new_file_mode(path));
    bool copied = to >= 0, is_whole = false;
    for (int i = 0; i < MAX_COPIES && copied && !is_whole; i++)
        copied = copy_all(from, to, &is_whole);
    int error = errno;
    if (to >= 0) close(to);
    close(from);
    errno = error;
    return copied;
}
