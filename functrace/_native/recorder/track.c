#include "track.h"

#include <stdlib.h>
#include <string.h>

#include "budget.h"

enum { FIRST_CAPACITY = 8, MAX_TRACK_NAME_BYTES = 255, MAX_OPEN_RECORDED = 1 << 11, MAX_SHORT_LIST = 16 };
enum { OPEN_PAYLOAD_WORDS = 2, SWITCH_WORDS = 1 + 1, BASE_WORDS = 1 + 1 };
enum { TRACK_NUMBERS = 4 }; /* words before the name in a track record */

struct options track_options;

/* Hash table of tracks by number. Locked by file_lock, because threads end without the
 * interpreter's lock. */
static struct {
    struct track **buckets;
    size_t size, count;
    uint64_t last_id;
} table = {.last_id = 1};

static struct track **bucket_of(uint64_t id) { return &table.buckets[id & (table.size - 1)]; }

static bool grow_table(void) {
    size_t size = table.size ? 2 * table.size : 64, old_size = table.size;
    struct track **buckets = calloc(size, sizeof *buckets), **old = table.buckets;
    if (!buckets) return table.size > 0; /* the chains get longer instead */
    table.buckets = buckets;
    table.size = size;
    for (size_t i = 0; i < old_size; i++)
        for (struct track *t = old[i], *next; t; t = next) {
            next = t->next;
            t->next = *bucket_of(t->id);
            *bucket_of(t->id) = t;
        }
    free(old);
    return true;
}

static struct track *find(uint64_t id) {
    if (!table.size) return NULL;
    struct track *t = *bucket_of(id);
    while (t && t->id != id) t = t->next;
    return t;
}

struct track *track_find(uint64_t id) {
    pthread_mutex_lock(&file_lock);
    struct track *t = find(id);
    pthread_mutex_unlock(&file_lock);
    return t;
}

static void unlink_track(struct track *t) {
    struct track **at = bucket_of(t->id);
    while (*at != t) at = &(*at)->next;
    *at = t->next;
    table.count--;
}

static struct track *add(uint64_t id) {
    if (table.count >= table.size && !grow_table()) return NULL;
    struct track *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->id = id;
    t->kind = TASK_KIND;
    t->next = *bucket_of(id);
    *bucket_of(id) = t;
    table.count++;
    track_update_path(t);
    return t;
}

struct track *track_numbered(uint64_t id) {
    pthread_mutex_lock(&file_lock);
    struct track *t = find(id);
    if (!t) t = add(id);
    if (table.last_id < id) table.last_id = id;
    pthread_mutex_unlock(&file_lock);
    return t;
}

void track_describe(struct track *t, unsigned kind, const char *name, const struct origin *origin) {
    t->kind = kind;
    free(t->name);
    t->name = name ? strndup(name, MAX_TRACK_NAME_BYTES) : NULL;
    t->origin = origin ? *origin : (struct origin){0};
}

struct track *track_new(unsigned kind, const char *name, const struct origin *origin) {
    pthread_mutex_lock(&file_lock);
    struct track *t = add(table.last_id + 1);
    if (t) table.last_id++;
    pthread_mutex_unlock(&file_lock);
    if (t) track_describe(t, kind, name, origin);
    return t;
}

void track_forget(struct track *t) {
    pthread_mutex_lock(&file_lock);
    unlink_track(t);
    pthread_mutex_unlock(&file_lock);
    const struct track *current = t; /* this thread may not have the interpreter's lock */
    __atomic_compare_exchange_n(&trace_writer.current, &current, NULL, false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
    free(t->open);
    free(t->name);
    free(t);
}

void track_renumber(struct track *t, uint64_t id) {
    if (t->id == id) return;
    struct track *other = track_find(id);
    if (other) track_forget(other);
    pthread_mutex_lock(&file_lock);
    unlink_track(t);
    t->id = id;
    t->next = *bucket_of(id);
    *bucket_of(id) = t;
    table.count++;
    pthread_mutex_unlock(&file_lock);
}

/* Inherited calls are counted in the file in which they began. A call whose function was deleted
 * is dropped, as are the calls inside it. */
static void begin_again(struct track *t, uint32_t (*renumber)(uint32_t)) {
    uint32_t kept = 0;
    t->suspended_calls = 0;
    for (struct call *c = t->open; kept < t->depth; c++, kept++) {
        c->function = renumber(c->function);
        if (!c->function) break;
        c->entered = trace_file.start_ticks;
        c->flags |= INHERITED;
        if (c->flags & REQUEST) c->frame = NULL; /* the parent ends it */
        if (c->flags & SUSPENDED) t->suspended_calls++;
    }
    t->begun = t->suspended = false;
    t->depth = kept;
    t->written = 0;
    t->pending = t->depth > 0;
    track_update_path(t);
}

void tracks_begin_again(uint32_t (*renumber)(uint32_t)) {
    pthread_mutex_lock(&file_lock);
    for (size_t i = 0; i < table.size; i++)
        for (struct track *t = table.buckets[i]; t; t = t->next) begin_again(t, renumber);
    pthread_mutex_unlock(&file_lock);
}

void tracks_mark_open(void (*mark)(uint32_t)) {
    pthread_mutex_lock(&file_lock);
    for (size_t i = 0; i < table.size; i++)
        for (const struct track *t = table.buckets[i]; t; t = t->next)
            for (uint32_t j = 0; j < t->depth; j++) mark(t->open[j].function);
    pthread_mutex_unlock(&file_lock);
}

int64_t track_find_frame(const struct track *t, const void *frame) {
    for (int64_t i = (int64_t)t->depth - 1; i >= 0; i--)
        if (t->open[i].frame == frame) return i;
    return -1;
}

struct track *tracks_find_frame(const void *frame, int64_t *index) {
    struct track *found = NULL;
    *index = -1;
    pthread_mutex_lock(&file_lock);
    for (size_t i = 0; i < table.size && !found; i++)
        for (struct track *t = table.buckets[i]; t && !found; t = t->next)
            if ((*index = track_find_frame(t, frame)) >= 0) found = t;
    pthread_mutex_unlock(&file_lock);
    return found;
}

/* Allocates space for more open calls, up to the depth limit. */
bool track_grow(struct track *t) {
    if (t->depth < t->capacity) return true;
    if (t->depth >= track_options.depth) return false;
    uint32_t wanted = t->capacity ? 2 * t->capacity : FIRST_CAPACITY;
    if (wanted > track_options.depth) wanted = track_options.depth;
    struct call *open = realloc(t->open, wanted * sizeof *open);
    if (!open) return false;
    t->open = open;
    t->capacity = wanted;
    return true;
}

/* Determines whether the fast paths may be used, after a change of state that they do not check. */
void track_update_path(struct track *t) {
    if (t->pending && !track_options.min_duration) t->pending = t->written < t->depth;
    t->needs_slow_path = t->pending || t->suspended_calls || t->suspended || track_options.min_duration;
}

uint32_t track_written(const struct track *t) {
    return t->pending || track_options.min_duration ? t->written : t->depth;
}

/* Stores a record of whole words, for which there is space. */
static void put_record(unsigned type, uint64_t value, const uint64_t *payload, size_t words) {
    struct chunk_writer *w = &trace_writer;
    uint64_t *at = w->words + w->used;
    memcpy(at + 1, payload, 8 * words);
    store_word(at, record_head(type, 8 * words, value));
    w->used += 1 + words;
}

static void put_base(uint64_t now) {
    trace_writer.base = trace_writer.latest = now;
    put_record(BASE_RECORD, 0, &now, 1);
}

static size_t track_record_bytes(const struct track *t) {
    return 8 * TRACK_NUMBERS + (t->name ? strlen(t->name) : 0);
}

/* Writes the track's number, origin and name. */
static void put_track(struct track *t, uint64_t flags) {
    struct chunk_writer *w = &trace_writer;
    uint64_t *at = w->words + w->used;
    size_t bytes = track_record_bytes(t);
    at[1] = t->id;
    at[2] = t->origin.track;
    at[3] = t->origin.ticks;
    at[4] = t->origin.function | (uint64_t)t->origin.line << 32;
    if (t->name) memcpy(at + 1 + TRACK_NUMBERS, t->name, bytes - 8 * TRACK_NUMBERS);
    store_word(at, record_head(TRACK_RECORD, bytes, t->kind | flags));
    w->used += record_words(bytes);
    t->listed_at = w->position;
}

/* Begins the track with its run 0. */
static void begin_track(struct track *t, uint64_t now) {
    if (!t->origin.track) t->origin.ticks = now;
    t->begun = true;
    t->run = 0;
    put_track(t, 0);
}

/* Begins the track's next run. */
static void put_switch(struct track *t) {
    uint64_t open = track_written(t);
    t->run = (t->run + 1) & MAX_RUN;
    if (open > MAX_OPEN_IN_RUN) open = MAX_OPEN_IN_RUN;
    put_record(SWITCH_RECORD, t->run | open << OPEN_IN_RUN_SHIFT, &t->id, 1);
}

static void put_open_call(unsigned type, uint64_t value, const struct call *c) {
    uint64_t payload[OPEN_PAYLOAD_WORDS] = {c->entered, c->function};
    put_record(type, value, payload, OPEN_PAYLOAD_WORDS);
}

/* Returns how many open calls the track lists, starting at the outermost. */
static uint32_t listed_calls(const struct track *t) {
    uint32_t open = track_written(t);
    return open < MAX_OPEN_RECORDED ? open : MAX_OPEN_RECORDED;
}

/* Describes the track again, and lists its open calls. */
static void put_list(struct track *t) {
    put_track(t, TRACK_IS_AGAIN);
    for (uint32_t i = 0, count = listed_calls(t); i < count; i++) {
        const struct call *c = &t->open[i];
        put_open_call(OPEN_RECORD, c->flags & INHERITED ? OPEN_IS_INHERITED : 0, c);
    }
}

/* Returns whether the track's latest list may soon be overwritten. */
static bool must_list(const struct track *t) {
    return trace_file.overwrites && trace_file.position - t->listed_at > trace_file.max_size / 4;
}

/* Returns whether the track lists its open calls at the start of a new chunk, where they are few beside
 * the chunk: a reader of a trace that begins there then knows them. */
static bool lists_in_new_chunk(const struct track *t) {
    return trace_file.overwrites && track_written(t) <= MAX_SHORT_LIST;
}

/* Returns how many words precede the track's next word. */
static size_t preface_words(const struct track *t, bool continues, bool lists) {
    size_t track_words = record_words(track_record_bytes(t));
    if (!t->begun) return track_words;
    if (continues) return 0;
    return SWITCH_WORDS +
           (lists ? track_words + (1 + OPEN_PAYLOAD_WORDS) * listed_calls(t) : 0);
}

/* Writes the records that precede the track's next word. */
static void put_preface(struct track *t, uint64_t now, bool lists) {
    struct chunk_writer *w = &trace_writer;
    if (!t->begun) {
        begin_track(t, now);
    } else if (w->current != t) {
        put_switch(t);
        if (lists) put_list(t);
    }
    __atomic_store_n(&w->current, t, __ATOMIC_RELAXED);
    if (now < w->latest || now - w->base >= TICKS_SINCE_BASE_LIMIT) put_base(now);
}

/* Ensures space for that many words in a run of the track, and writes the records that must precede
 * them. */
bool track_extend(struct track *t, uint64_t now, size_t words) {
    struct chunk_writer *w = &trace_writer;
    bool lists = must_list(t); /* another chunk may change that */
    size_t need = words + preface_words(t, w->current == t, lists) + BASE_WORDS;
    if (w->words && !trace_file.unwritable && w->used + need <= w->size) {
        w->limit = w->size;
    } else {
        budget_count_chunk(w);
        lists = lists || lists_in_new_chunk(t);
        if (!writer_begin_chunk(now, words + preface_words(t, false, lists))) {
            w->limit = 0;
            return false;
        }
    }
    put_preface(t, now, lists);
    return true;
}

/* Stores a record with a text, with space for the next word in the same chunk. */
void track_put_text(struct track *t, uint64_t now, unsigned type, uint64_t value, const char *text,
                    size_t size) {
    if (track_extend(t, now, record_words(size) + 1)) track_store_text(type, value, text, size);
}

/* Writes the inherited calls that are not in the file yet, whatever their duration. */
void track_put_inherited(struct track *t) {
    for (; t->pending && t->written < t->depth; t->written++) {
        const struct call *c = &t->open[t->written];
        if (!(c->flags & INHERITED)) break;
        if (track_extend(t, c->entered, 1 + OPEN_PAYLOAD_WORDS))
            put_open_call(INHERITED_RECORD, 0, c);
    }
    track_update_path(t);
}

/* Writes all open calls that are not in the file yet. */
void track_put_pending(struct track *t) {
    if (!t->pending && !track_options.min_duration) return;
    track_put_inherited(t);
    for (; t->written < t->depth; t->written++) {
        const struct call *c = &t->open[t->written];
        track_put(t, c->entered, (uint64_t)c->function << FUNCTION_SHIFT | ENTRY_WORD);
    }
    track_update_path(t);
}

static void put_suspension(struct track *t, unsigned type, uint64_t now) {
    if (!track_extend(t, now, 1 + record_words(8))) return;
    struct chunk_writer *w = &trace_writer;
    if (now - w->base >= RECORD_VALUE_LIMIT) put_base(now);
    w->latest = now;
    store_word(&w->words[w->used++], record_head(type, 0, now - w->base));
}

/* Marks the track suspended. Whether unwritten calls will be written is decided later. */
void track_suspend(struct track *t, uint64_t now) {
    t->suspended = true;
    t->suspended_at = now;
    if (!track_options.min_duration) {
        track_put_pending(t);
        put_suspension(t, SUSPENDED_RECORD, now);
    } else if (t->written == t->depth) {
        put_suspension(t, SUSPENDED_RECORD, now);
        t->suspended_at = 0;
    }
}

/* Writes a delayed suspension too if its calls exceed the minimum duration. */
void track_resume(struct track *t, uint64_t now) {
    t->suspended = false;
    if (track_options.min_duration && t->suspended_at) {
        if (now - t->open[t->depth - 1].entered < track_options.min_duration) return;
        track_put_pending(t);
        put_suspension(t, SUSPENDED_RECORD, t->suspended_at);
    }
    put_suspension(t, RESUMED_RECORD, now);
}
