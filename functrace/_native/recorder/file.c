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

/* Sizes in bytes. The first chunk is small, since a program may record few calls. If old chunks are
 * overwritten, all are small compared with the file. */
enum {
    MAX_CHUNK_BYTES = 64 << 10,
    MIN_CHUNKS = 128,
    FACTS_BYTES = 32 << 10,
    MIN_SEGMENT_BYTES = 64 << 10,
    MAX_SEGMENT_BYTES = 2 << 20,
    PAGE = 4096
};
enum { MAX_COPIES = 4, LOWEST_DESCRIPTOR = 100 };
enum { BASE_RECORD_WORDS = 1 + 1, WRITER_NUMBER = 1 };

struct file trace_file = {.descriptor = -1};
struct chunk_writer trace_writer;
pthread_mutex_t file_lock;

static const char zeros[1 << 20];

#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))

/* Returns the array with space for one more item; NULL, without effect, if memory has run out. */
static void *reserve_item(void *items, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity) return items;
    size_t wanted = *capacity ? 2 * *capacity : 16;
    void *grown = realloc(items, wanted * size);
    if (grown) *capacity = wanted;
    return grown;
}

/* Returns whether the descriptor is still the trace's. A program may close descriptors that it did
 * not open, and reuse the number. */
static bool is_ours(int descriptor) {
    struct stat found;
    return fstat(descriptor, &found) == 0 && found.st_dev == trace_file.device &&
           found.st_ino == trace_file.inode;
}

static char *folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, (size_t)(slash - path) + 1) : strdup("./");
}

/* Returns a mode that only the user may read, or the folder's group too if the folder has the
 * set-group-ID bit. */
static mode_t new_file_mode(const char *path) {
    char *folder = folder_of(path);
    struct stat found;
    bool is_shared = folder && stat(folder, &found) == 0 && found.st_mode & S_ISGID;
    free(folder);
    return is_shared ? 0640 : 0600;
}

/* Opens a file under a high descriptor number: programs expect the low ones to be theirs. */
static int open_high(const char *path, int flags) {
    int opened = open(path, flags | O_CLOEXEC, new_file_mode(path));
    if (opened < 0) return -1;
    long lowest = MIN_OF(LOWEST_DESCRIPTOR, sysconf(_SC_OPEN_MAX) / 2);
    int moved = fcntl(opened, F_DUPFD_CLOEXEC, lowest);
    int error = errno;
    close(opened);
    errno = error;
    return moved;
}

/* Opens a file without a name, in the folder of path, until link_file. Linux supports that on most
 * file systems. */
static int open_unnamed(const char *path) {
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

/* Gives the file its name; fails if the name exists. */
static bool link_file(int descriptor, const char *path) {
    char own[40];
    snprintf(own, sizeof own, "/proc/self/fd/%d", descriptor);
    return linkat(AT_FDCWD, own, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

static bool ensure_open(void) {
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

/* Writes zeros at the end of the file; without effect if that fails. */
static bool write_zeros(uint64_t offset, size_t bytes) {
    for (size_t done = 0; done < bytes; done += sizeof zeros) {
        size_t size = MIN_OF(sizeof zeros, bytes - done);
        if (write_at(trace_file.descriptor, zeros, size, (off_t)(offset + done))) continue;
        int error = errno;
        if (ftruncate(trace_file.descriptor, (off_t)offset) == 0) errno = error;
        return false;
    }
    return true;
}

static bool is_truncated(void) {
    struct stat found;
    return is_ours(trace_file.descriptor) && fstat(trace_file.descriptor, &found) == 0 &&
           (uint64_t)found.st_size < trace_file.size;
}

static bool is_unwritable(void) {
    return trace_file.unwritable = trace_file.unwritable || is_truncated();
}

/* Runs in a signal handler: makes the writer request another chunk. */
static void on_fault(void) {
    trace_writer.limit = 0;
    trace_file.unwritable = true;
}

/* Extends the file and maps the new part. The new part is written first: on a full disk the write
 * fails here, whereas a later store would raise a signal that ends the program. It also is cheaper
 * to map pages that are in the kernel's cache. */
static uint64_t *extend_file(size_t bytes) {
    if (!ensure_open() || is_unwritable()) return NULL;
    uint64_t offset = trace_file.size;
    if (!write_zeros(offset, bytes)) return NULL;
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
    snprintf(f->failure, sizeof f->failure, "%s; tracing is off", reason);
}

/* Fails because a store into mapped memory failed, or the file is shorter than its mapping. */
static void fail_to_store(void) {
    char reason[480];
    snprintf(reason, sizeof reason, "cannot write the trace: %.300s %s", trace_file.path,
             is_truncated() ? "has been truncated" : "takes no more");
    fail(WRITE_FAILED, reason);
}

static void fail_to_write(void) {
    char reason[480], error[100];
    if (trace_file.unwritable) {
        fail_to_store();
        return;
    }
    snprintf(error, sizeof error, "%s", strerror(errno));
    if (error[0] >= 'A' && error[0] <= 'Z') error[0] += 'a' - 'A';
    snprintf(reason, sizeof reason, "cannot write the trace: write %.300s: %s", trace_file.path,
             error);
    fail(WRITE_FAILED, reason);
}

/* Completes a chunk's head. Its first word is stored last: without it the chunk does not exist. */
static void write_chunk_head(uint64_t *words, size_t bytes, uint64_t kind) {
    words[C_SEQUENCE] = ++trace_file.sequence;
    words[C_SIZE] = bytes;
    store_word(words, CHUNK_MAGIC | kind << 32);
}

/* Returns the number of entries and exits in a chunk. */
static uint64_t count_events(const uint64_t *words, size_t count) {
    uint64_t events = 0;
    if (words[0] != (CHUNK_MAGIC | (uint64_t)EVENTS << 32)) return 0;
    for (size_t i = CHUNK_HEAD_WORDS; i < count && words[i]; i++) {
        if ((words[i] & 3) == RECORD_WORD) i += record_words(words[i] >> 8 & 0xFFFF) - 1;
        else events++;
    }
    return events;
}

/* Counts the events of a segment, which is about to be overwritten. */
static void count_overwritten(const struct segment *s) {
    for (size_t at = 0; at < s->used;) {
        const uint64_t *words = s->words + at / 8;
        uint64_t bytes = words[C_SIZE] & UINT32_MAX;
        if (bytes < CHUNK_STEP || bytes > s->used - at) return; /* corrupt */
        trace_file.header[H_OVERWRITTEN] += count_events(words, bytes / 8);
        at += bytes;
    }
}

/* Removes a segment's pages from the process's memory, which a trace must not increase. */
static void drop_pages(const struct segment *s) {
    uint64_t before = s->offset % (uint64_t)sysconf(_SC_PAGESIZE);
    madvise((char *)s->words - before, s->bytes + before, MADV_DONTNEED);
}

/* Leaves the current segment, which is full. */
static void leave_segment(void) {
    if (trace_file.segment_count == 0) return;
    struct segment *s = &trace_file.segments[trace_file.current];
    s->last = trace_file.sequence;
    drop_pages(s);
}

static bool can_overwrite(void) { return trace_file.overwrites && trace_file.segment_count >= 3; }

/* Makes the oldest segment the current one, or stops recording if nothing is to be overwritten. */
static bool reuse_segment(size_t min_bytes) {
    struct file *f = &trace_file;
    if (!can_overwrite()) {
        fail(STOPPED_FULL, "the trace has reached FUNCTRACE_MAX_SIZE");
        return false;
    }
    leave_segment();
    f->current = (f->current + 1) % f->segment_count;
    struct segment *s = &f->segments[f->current];
    /* An exchange: stores behind it stay behind it. */
    __atomic_exchange_n(&f->header[H_LAST_OVERWRITTEN], s->last, __ATOMIC_SEQ_CST);
    count_overwritten(s);
    memset(s->words, 0, s->bytes);
    s->used = 0;
    return min_bytes <= s->bytes;
}

/* Returns whether the trace continues in the segments that it has because the file system is full. */
static bool keeps_size(int error) {
    struct file *f = &trace_file;
    bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    if (!is_full || !can_overwrite()) return false;
    f->max_size = 0;
    for (size_t i = 0; i < f->segment_count; i++) f->max_size += f->segments[i].bytes;
    return true;
}

static bool next_segment(size_t min_bytes) {
    struct file *f = &trace_file;
    size_t want = MIN_SEGMENT_BYTES, count = f->segment_count;
    if (count > 0) want = MIN_OF(2 * f->segments[count - 1].bytes, MAX_SEGMENT_BYTES);
    want = MAX_OF(want, (min_bytes + PAGE - 1) / PAGE * PAGE);
    if (f->overwrites && want > f->max_size / 8)
        want = MAX_OF(MIN_SEGMENT_BYTES, f->max_size / 8 / PAGE * PAGE);
    if (f->size + want > f->max_size) return reuse_segment(min_bytes);
    void *segments = reserve_item(f->segments, count, &f->segment_capacity, sizeof *f->segments);
    if (segments) f->segments = segments;
    errno = 0;
    uint64_t *words = segments ? extend_file(want) : NULL;
    if (!words && keeps_size(errno)) return reuse_segment(min_bytes);
    if (!words) {
        fail_to_write();
        return false;
    }
    leave_segment();
    f->segments[count] = (struct segment){.words = words, .bytes = want, .offset = f->size - want};
    f->current = f->segment_count++;
    return true;
}

/* Allocates zeroed memory for a chunk of size bytes, or at least min_bytes; NULL if full. */
static uint64_t *allocate_chunk(size_t min_bytes, size_t size, size_t *allocated) {
    struct file *f = &trace_file;
    for (;;) {
        if (f->segment_count > 0) {
            struct segment *s = &f->segments[f->current];
            size_t left = s->bytes - s->used;
            uint64_t *words = s->words + s->used / 8;
            size_t taken = left >= min_bytes ? MIN_OF(size, left) : left;
            s->used += taken;
            f->position += taken;
            if (left >= min_bytes) {
                *allocated = taken;
                return words;
            }
            if (left > 0) write_chunk_head(words, left, FACTS); /* empty; gaps are invalid */
        }
        if (!next_segment(min_bytes)) return NULL;
    }
}

bool writer_begin_chunk(uint64_t now, size_t need) {
    struct file *f = &trace_file;
    struct chunk_writer *w = &trace_writer;
    pthread_mutex_lock(&file_lock);
    uint64_t *words = NULL;
    size_t allocated = 0;
    if (f->unwritable && !f->failed) fail_to_store();
    if (!f->failed) {
        size_t bytes = 8 * (CHUNK_HEAD_WORDS + need + BASE_RECORD_WORDS);
        bytes = (bytes + CHUNK_STEP - 1) / CHUNK_STEP * CHUNK_STEP;
        words = allocate_chunk(bytes, MAX_OF(bytes, w->next_size), &allocated);
    }
    if (words) {
        words[C_WRITER] = WRITER_NUMBER;
        words[C_BASE] = now;
        write_chunk_head(words, allocated, EVENTS);
        file_calibrate();
        *w = (struct chunk_writer){.words = words,
                                   .used = CHUNK_HEAD_WORDS,
                                   .limit = f->unwritable ? 0 : (uint32_t)(allocated / 8),
                                   .base = now,
                                   .latest = now,
                                   .position = f->position - allocated,
                                   .size = (uint32_t)(allocated / 8),
                                   .next_size = MIN_OF(8 * w->next_size, f->max_chunk_bytes)};
    } else if (f->header) {
        f->header[H_LOST]++;
    }
    pthread_mutex_unlock(&file_lock);
    return words != NULL;
}

/* Begins another chunk of facts, which is never overwritten. */
static bool begin_facts_chunk(void) {
    struct file *f = &trace_file;
    size_t allocated = FACTS_BYTES;
    uint64_t *words;
    if (f->overwrites) {
        words = extend_file(FACTS_BYTES);
        if (!words) fail_to_write();
    } else {
        words = allocate_chunk(FACTS_BYTES, FACTS_BYTES, &allocated);
    }
    if (!words) return false;
    write_chunk_head(words, allocated, FACTS);
    const struct segment *s = &f->segments[f->current];
    f->facts_offset = f->overwrites ? f->size - FACTS_BYTES
                                    : s->offset + 8 * (uint64_t)(words - s->words);
    f->facts = words;
    f->facts_used = CHUNK_HEAD_WORDS;
    f->facts_words = allocated / 8;
    return true;
}

/* Allocates space in the facts for a record with that many bytes; NULL if the file is full. */
static uint64_t *allocate_fact(size_t bytes) {
    struct file *f = &trace_file;
    if (f->failed) return NULL;
    if (f->facts_used + record_words(bytes) > f->facts_words && !begin_facts_chunk()) return NULL;
    uint64_t *at = f->facts + f->facts_used;
    f->facts_used += record_words(bytes);
    return at;
}

uint32_t file_put_function(const char *name, const char *path, int line) {
    struct file *f = &trace_file;
    size_t name_size = MIN_OF(strlen(name), MAX_NAME_BYTES);
    size_t path_size = MIN_OF(strlen(path), MAX_NAME_BYTES);
    size_t bytes = 2 * 8 + 2 * 2 + name_size + path_size;
    uint32_t number = 0;
    pthread_mutex_lock(&file_lock);
    uint64_t *at = f->function_count < MAX_FUNCTIONS ? allocate_fact(bytes) : NULL;
    if (at) {
        number = ++f->function_count;
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

uint32_t file_put_request_function(const char *name, unsigned direction, unsigned protocol) {
    pthread_mutex_lock(&file_lock);
    uint32_t number = file_put_function(name, "", 0);
    uint64_t *at = number ? allocate_fact(8) : NULL;
    if (at) {
        at[1] = number | (uint64_t)direction << 32 | (uint64_t)protocol << 40;
        store_word(at, record_head(REQUEST_NAME_RECORD, 8, 0));
    }
    pthread_mutex_unlock(&file_lock);
    return at ? number : 0;
}

void file_put_demotion(uint32_t function, unsigned value, uint64_t ticks,
                       uint32_t calls_per_second) {
    pthread_mutex_lock(&file_lock);
    uint64_t *at = allocate_fact(2 * 8);
    if (at) {
        at[1] = ticks;
        at[2] = function | (uint64_t)calls_per_second << 32;
        store_word(at, record_head(DEMOTION_RECORD, 2 * 8, value));
    }
    pthread_mutex_unlock(&file_lock);
}

/* Updates the older of the two pairs of ticks and time. */
void file_calibrate(void) {
    struct file *f = &trace_file;
    uint64_t *pair = f->header + H_CALIBRATION + 4 * (f->sequence & 1);
    store_word(pair, f->sequence);
    uint64_t passed = clock_nanoseconds(CLOCK_MONOTONIC) - f->start_nanoseconds;
    store_word(pair + 1, clock_ticks());
    store_word(pair + 2, passed);
    store_word(pair + 3, f->sequence);
}

/* Writes the header; its first word, which makes the file a trace, comes last. */
static void write_header(void) {
    struct file *f = &trace_file;
    f->start_nanoseconds = clock_nanoseconds(CLOCK_MONOTONIC);
    f->start_ticks = clock_ticks();
    f->header[H_VERSION] = FORMAT_VERSION | (uint64_t)HEADER_BYTES << 32;
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
    guard_begin(on_fault);
    f->header = extend_file(HEADER_BYTES);
    if (!f->header) return false;
    write_header();
    if (!begin_facts_chunk()) return false;
    uint64_t *at = allocate_fact(size);
    if (!at) return false;
    memcpy(at + 1, facts, size);
    store_word(at, record_head(PROCESS_RECORD, size, 0));
    return true;
}

static uint32_t max_chunk_bytes(uint64_t max_size, bool overwrites) {
    uint64_t fit = max_size / MIN_CHUNKS / CHUNK_STEP * CHUNK_STEP;
    return overwrites && fit < MAX_CHUNK_BYTES ? (uint32_t)fit : MAX_CHUNK_BYTES;
}

/* Makes the path absolute, since the program may change its directory. */
static void make_path_absolute(void) {
    char *absolute = realpath(trace_file.path, NULL);
    if (!absolute) return;
    free(trace_file.path);
    trace_file.path = absolute;
}

/* Creates the file. If is_unnamed, it gets its name once it is a valid trace, so that a process
 * that is killed before leaves no file. */
static bool create(const char *path, bool is_unnamed, const struct file *wanted, const char *facts,
                   size_t size) {
    struct file *f = &trace_file;
    int descriptor =
        is_unnamed ? open_unnamed(path) : open_high(path, O_RDWR | O_CREAT | O_EXCL);
    if (descriptor < 0) return false;
    *f = *wanted;
    f->descriptor = descriptor;
    if (begin(path, facts, size) && (!is_unnamed || link_file(descriptor, path))) {
        make_path_absolute();
        return true;
    }
    int error = errno;
    file_abandon();
    if (!is_unnamed) unlink(path);
    errno = error;
    return false;
}

bool file_open(const char *path, uint64_t max_size, bool overwrites, const char *facts,
               size_t size) {
    struct file wanted = {.max_size = max_size,
                          .max_chunk_bytes = max_chunk_bytes(max_size, overwrites),
                          .overwrites = overwrites};
    if (create(path, true, &wanted, facts, size)) return true;
    return errno != EEXIST && create(path, false, &wanted, facts, size);
}

void file_lock_begin(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&file_lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

void file_forked(void) {
    file_lock_begin(); /* the thread that held it is not in this process */
    trace_file.failed = true;
    trace_file.header = NULL;
    trace_writer.limit = 0;
}

/* Memory stays mapped, because threads may still write to it. */
void file_abandon(void) {
    struct file *f = &trace_file;
    if (f->descriptor >= 0 && is_ours(f->descriptor)) close(f->descriptor);
    f->descriptor = -1;
    free(f->path);
    f->path = NULL;
    f->header = NULL;
    f->failed = true;
    free(f->segments);
    f->segments = NULL;
    f->segment_count = f->segment_capacity = 0;
    trace_writer = (struct chunk_writer){.next_size = CHUNK_STEP};
    guard_end();
}

/* Copies a part of the file. Holding file_lock during each read prevents copying half of a chunk's
 * head. */
static bool copy_part(int from, int to, uint64_t at, uint64_t end) {
    static const size_t step = 1 << 16;
    char *buffer = malloc(step);
    bool copied = buffer != NULL;
    while (copied && at < end) {
        pthread_mutex_lock(&file_lock);
        ssize_t got = pread(from, buffer, MIN_OF(step, end - at), (off_t)at);
        pthread_mutex_unlock(&file_lock);
        if (got == 0) errno = EIO; /* the file has been truncated */
        copied = got > 0 && write_at(to, buffer, (size_t)got, (off_t)at);
        if (copied) at += (uint64_t)got;
    }
    free(buffer);
    return copied;
}

/* Returns the offset after the last chunk; the whole size if old chunks are overwritten. */
static uint64_t end_of_chunks(void) {
    const struct file *f = &trace_file;
    if (f->overwrites || !f->segment_count) return f->size;
    const struct segment *s = &f->segments[f->current];
    return s->offset + s->used;
}

/* Threads that still run may write to the current chunk, but get no other. */
void file_end(void) {
    struct file *f = &trace_file;
    pthread_mutex_lock(&file_lock);
    file_calibrate();
    if (is_unwritable()) {
        if (!f->failed) fail_to_store();
    } else {
        f->header[H_FLAGS] |= ENDED_CLEANLY;
    }
    f->failed = true;
    if (is_ours(f->descriptor)) {
        uint64_t end = end_of_chunks();
        if (!f->unwritable && end < f->size && ftruncate(f->descriptor, (off_t)end) == 0)
            f->size = end;
        close(f->descriptor);
    }
    f->descriptor = -1;
    guard_end();
    pthread_mutex_unlock(&file_lock);
}

/* Copies all chunks, and last the current facts again, which contain the functions of the events
 * that were copied. is_whole is false if another chunk of facts was begun meanwhile. */
static bool copy_all(int from, int to, bool *is_whole) {
    struct file *f = &trace_file;
    pthread_mutex_lock(&file_lock);
    file_calibrate();
    uint64_t end = end_of_chunks(), facts = f->facts_offset;
    pthread_mutex_unlock(&file_lock);
    if (!copy_part(from, to, 0, end) || !copy_part(from, to, facts, facts + FACTS_BYTES))
        return false;
    *is_whole = f->facts_offset == facts;
    return true;
}

bool file_copy(const char *path) {
    pthread_mutex_lock(&file_lock);
    int from = ensure_open() ? dup(trace_file.descriptor) : -1;
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
