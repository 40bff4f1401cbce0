/* Read a trace that is being written. Words are kept until they are older than all that is still to come;
 * then they are walked, run by run, as those of a whole file are. */
#include "feed.h"

enum { FURTHEST = 10000 }; /* remembered calls that are searched for a starter's last */
enum { STEP_SAMPLES = 100 }; /* of the times of the words between evictions */
/* What happens to a track between its words: their low bits are those of no word in a file. */
enum { RUN_BEGINS = 1 << 2, TRACK_BEGINS = 2 << 2, RUN_CUT = 3 << 2 };
enum { CUT_MAYBE = 1, CUT_SURELY = 2 }; /* the end of a run was overwritten before it was read */
#define NOT_TIMED INT64_MAX

struct remembered { /* a call, for tracks that may go on in it */
    int64_t id, start, end; /* id: its number, or its chain; end is -1 while it is open */
    struct remembered *outer;
    struct walk *track;
    int32_t function, references, unfinished;
};

struct frame {
    OPEN_CALL;
    int64_t inside, waited;
    struct remembered *call; /* NULL for an inherited call that is listed */
};

struct function { /* of one track */
    LAST_CALL;
    int32_t number; /* -1: a free slot */
    struct remembered *latest; /* of a function that starts tracks */
};

struct entry {
    int64_t time;           /* that of the next word that has one, where it has none itself */
    uint64_t word, payload; /* an offset in payloads */
};

struct entries { /* words in the order in which they were read */
    struct entry *items;
    uint64_t count, capacity;
    uint8_t *payloads;
    uint64_t payload_count, payload_capacity;
};

struct segment { /* words of a run that were read at once */
    struct walk *track;
    int64_t life, place; /* how often the track had begun before; the run's number, not modulo anything */
    uint64_t first, count;
    int64_t earliest; /* of its times, those of listed calls included */
    int is_timed, has_list;
};

struct walk { /* a track */
    struct position at;
    struct frame *frames;
    struct function *functions;
    uint64_t function_count, function_mask;
    struct feed *feed;
    uint64_t id, parent;
    int64_t start;
    uint32_t starter, kind;
    int32_t index, chunks; /* that it is written to */
    int is_known, is_placed, is_evicted;
    int64_t lives, latest_place;   /* of what was read */
    uint64_t began_in;             /* sequence number of the chunk with the latest track record */
    int64_t life, place;           /* of the latest run that was walked */
    int is_begun, cut, has_gap;
    int awaits_list; /* calls are open that are not known */
    uint64_t segment, segment_end, entry; /* what is walked next, in the order of runs */
    int is_active;                        /* it has segments */
    struct remembered **history; /* calls by their beginnings */
    uint64_t history_first, history_count, history_capacity;
    uint8_t *text; /* of the failure */
    uint64_t text_capacity;
};

struct open_chunk {
    struct walk *track;
    uint64_t base, sequence;
    int64_t life, place; /* of the current run */
    struct segment *segment; /* NULL if no word of the run was read at this time */
    uint64_t untimed;        /* words at the segment's end that have no time yet */
    int is_used;
};

enum { SLAB_CALLS = 1000 };
struct slab { /* of remembered calls */
    struct slab *next;
    struct remembered calls[SLAB_CALLS];
};

struct feed {
    struct source source;
    struct limits limits;
    struct fed out;
    struct chain_table *chains; /* NULL: calls are listed */
    struct rollup rollup;       /* of a feed that folds */
    jmp_buf no_memory;
    int32_t *function_of;
    uint8_t *starts_tracks; /* by function */
    uint8_t *is_request;    /* by function */
    struct walk **slots; /* by id */
    uint64_t slot_mask, track_count;
    struct walk **walks; /* all in slots, and evicted ones that a chunk or the history refers to */
    uint64_t walk_count, walk_capacity;
    struct entries entries, spare;
    struct segment *segments;
    uint64_t segment_count, segment_capacity;
    struct walk **active;
    uint64_t active_count, active_capacity;
    struct open_chunk *chunks;
    uint64_t chunk_count, chunk_capacity, first_free;
    struct remembered **recent; /* a queue over all tracks */
    uint64_t recent_first, recent_count, recent_capacity;
    struct remembered *unused; /* its outer is the next one */
    struct slab *slabs;
    struct begun *open_calls;
    uint64_t open_count, open_capacity;
    int64_t calls;
    int32_t next_index;
    int misses_chunks, is_broken;
};

#include "walk.h"

/* ---- memory ---- */

static void *feed_checked(struct feed *feed, void *memory) {
    if (!memory) longjmp(feed->no_memory, 1);
    return memory;
}

#define FEED_ROOM(feed, items, used, capacity) \
    ((items) = feed_checked(feed, room((items), (used), &(capacity), sizeof *(items))))

static uint64_t add_bytes(struct feed *feed, uint8_t **to, uint64_t *used, uint64_t *capacity,
                          const uint8_t *from, uint64_t size) {
    uint64_t at = *used;
    if (at + size > *capacity) {
        uint64_t wanted = (at + size) * 2 + 64;
        *to = feed_checked(feed, realloc(*to, wanted));
        *capacity = wanted;
    }
    if (size) memcpy(*to + at, from, size);
    *used = at + size;
    return at;
}

/* ---- functions of a track ---- */

static uint64_t function_slot(const struct function *functions, uint64_t mask, int32_t number) {
    uint64_t slot = ((uint32_t)number * 0x9E3779B1u) >> 7 & mask;
    while (functions[slot].number >= 0 && functions[slot].number != number) slot = (slot + 1) & mask;
    return slot;
}

static void grow_functions(struct walk *w) {
    uint64_t mask = w->functions ? w->function_mask * 2 + 1 : 7;
    struct function *grown = checked(w, malloc((mask + 1) * sizeof *grown));
    memset(grown, -1, (mask + 1) * sizeof *grown);
    for (uint64_t i = 0; w->functions && i <= w->function_mask; i++)
        if (w->functions[i].number >= 0) grown[function_slot(grown, mask, w->functions[i].number)] = w->functions[i];
    free(w->functions);
    w->functions = grown;
    w->function_mask = mask;
}

static struct function *state_of(struct walk *w, int32_t function) {
    if (!w->functions || w->function_count * 2 > w->function_mask) grow_functions(w);
    struct function *state = &w->functions[function_slot(w->functions, w->function_mask, function)];
    if (state->number < 0) {
        state->number = function;
        state->innermost = -1;
        state->latest = NULL;
        w->function_count++;
    }
    return state;
}

/* ---- remembered calls ---- */

static void free_walk(struct walk *w);

static void add_slab(struct feed *feed) {
    struct slab *slab = feed_checked(feed, malloc(sizeof *slab));
    slab->next = feed->slabs;
    feed->slabs = slab;
    for (int i = 0; i < SLAB_CALLS; i++) {
        slab->calls[i].outer = feed->unused;
        feed->unused = &slab->calls[i];
    }
}

static struct remembered *new_call(struct feed *feed) {
    if (!feed->unused) add_slab(feed);
    struct remembered *call = feed->unused;
    feed->unused = call->outer;
    return call;
}

static void list_released(struct feed *feed, int64_t call) {
    FEED_ROOM(feed, feed->out.released, feed->out.released_count, feed->out.released_capacity);
    feed->out.released[feed->out.released_count++] = call;
}

static void release_call(struct feed *feed, struct remembered *call) {
    while (call && --call->references == 0) {
        struct remembered *outer = call->outer;
        if (!feed->chains) list_released(feed, call->id);
        call->outer = feed->unused;
        feed->unused = call;
        call = outer;
    }
}

static void evict_oldest_call(struct feed *feed) {
    struct remembered *call = feed->recent[feed->recent_first++];
    feed->recent_count--;
    struct walk *w = call->track;
    w->history_first++;
    w->history_count--;
    if (w->history_first > 1000 && w->history_first > w->history_count) {
        memmove(w->history, w->history + w->history_first, w->history_count * sizeof *w->history);
        w->history_first = 0;
    }
    release_call(feed, call);
}

static void remember(struct walk *w, struct remembered *call) {
    struct feed *feed = w->feed;
    uint64_t used = w->history_first + w->history_count;
    ROOM(w, w->history, used, w->history_capacity);
    if (feed->recent_first > 1000 && feed->recent_first > feed->recent_count) {
        memmove(feed->recent, feed->recent + feed->recent_first, feed->recent_count * sizeof *feed->recent);
        feed->recent_first = 0;
    }
    FEED_ROOM(feed, feed->recent, feed->recent_first + feed->recent_count, feed->recent_capacity);
    w->history[w->history_first + w->history_count++] = call;
    feed->recent[feed->recent_first + feed->recent_count++] = call;
    call->references++;
    if (!feed->starts_tracks[call->function]) return;
    struct function *state = state_of(w, call->function);
    call->references++;
    release_call(feed, state->latest);
    state->latest = call;
}

static int is_open_at(const struct remembered *call, int64_t time) {
    return call->end < 0 || call->end > time || (call->unfinished && call->end == time);
}

/* The number of remembered calls that began until a time. */
static uint64_t count_until(const struct walk *w, int64_t time) {
    uint64_t low = 0, high = w->history_count;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (w->history[w->history_first + middle]->start <= time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct remembered *last_of(struct walk *w, int32_t starter, int64_t time, uint64_t count) {
    struct remembered *latest = starter >= 0 ? state_of(w, starter)->latest : NULL;
    if (latest && latest->start <= time) return latest;
    for (uint64_t i = 0; i < count && i < FURTHEST; i++) {
        struct remembered *call = w->history[w->history_first + count - 1 - i];
        if (call->function == starter) return call;
    }
    return NULL;
}

/* The call of a track in which another goes on that it started at this time, or NULL. */
static struct remembered *call_at(struct walk *w, int64_t time, int32_t starter) {
    if (starter >= 0) w->feed->starts_tracks[starter] = 1;
    uint64_t count = count_until(w, time);
    struct remembered *latest = count ? w->history[w->history_first + count - 1] : NULL;
    for (uint64_t i = w->at.depth; !count && !latest && i > 0; i--) {
        struct remembered *call = w->frames[i - 1].call;
        if (call && call->start <= time) latest = call;
    }
    struct remembered *innermost = NULL;
    for (; latest; latest = latest->outer) {
        if (!is_open_at(latest, time)) continue;
        if (!innermost) innermost = latest;
        if (latest->function == starter) return latest;
    }
    struct remembered *last = last_of(w, starter, time, count);
    return last ? last : innermost;
}

/* ---- tracks ---- */

static uint64_t track_slot(struct walk *const *slots, uint64_t mask, uint64_t id) {
    uint64_t slot = (id * 0x9E3779B97F4A7C15u) >> 20 & mask;
    while (slots[slot] && slots[slot]->id != id) slot = (slot + 1) & mask;
    return slot;
}

/* Make the table of all tracks that are not evicted again. */
static void list_tracks(struct feed *feed, uint64_t mask) {
    struct walk **slots = feed_checked(feed, calloc(mask + 1, sizeof *slots));
    for (uint64_t i = 0; i < feed->walk_count; i++)
        if (!feed->walks[i]->is_evicted) slots[track_slot(slots, mask, feed->walks[i]->id)] = feed->walks[i];
    free(feed->slots);
    feed->slots = slots;
    feed->slot_mask = mask;
}

static void describe(struct walk *w, const uint8_t *name, uint64_t size) {
    struct fed *out = &w->feed->out;
    if (w->feed->chains) return;
    FEED_ROOM(w->feed, out->tracks, out->track_count, out->track_capacity);
    uint64_t text = add_bytes(w->feed, &out->texts, &out->text_count, &out->text_capacity, name, size);
    struct fed_track row = {w->id, w->start, (int64_t)text, (uint32_t)size, w->index, (int32_t)w->kind, w->is_evicted};
    out->tracks[out->track_count++] = row;
}

static void list_track(struct walk *w) {
    struct feed *feed = w->feed;
    if (++feed->track_count * 2 > feed->slot_mask) {
        list_tracks(feed, feed->slot_mask * 2 + 1);
        if (feed->slots[track_slot(feed->slots, feed->slot_mask, w->id)] == w) return;
    }
    feed->slots[track_slot(feed->slots, feed->slot_mask, w->id)] = w;
}

static struct walk *find_track(struct feed *feed, uint64_t id) {
    return feed->slots[track_slot(feed->slots, feed->slot_mask, id)];
}

static struct walk *track_of(struct feed *feed, uint64_t id) {
    struct walk *w = find_track(feed, id);
    if (w) return w;
    FEED_ROOM(feed, feed->walks, feed->walk_count, feed->walk_capacity);
    w = feed_checked(feed, calloc(1, sizeof *w));
    w->feed = feed;
    w->id = id;
    w->index = feed->next_index++;
    w->start = TIME_LIMIT;
    w->at.source = &feed->source;
    w->at.no_memory = &feed->no_memory;
    w->at.track = w->index;
    w->at.outer = -1;
    feed->walks[feed->walk_count++] = w;
    list_track(w);
    describe(w, NULL, 0);
    return w;
}

static void free_walk(struct walk *w) {
    free(w->frames);
    free(w->functions);
    free(w->history);
    free(w->text);
    free(w);
}

/* A track has new words. */
static void activate(struct walk *w) {
    if (w->is_evicted) { /* too early: it is known again, and so is where it goes on */
        w->is_evicted = 0;
        w->is_placed = 0;
        list_track(w);
        describe(w, NULL, 0);
    }
    w->is_active = 1;
}

static struct entry *put_entry(struct feed *feed, struct entries *to, uint64_t word, const uint8_t *payload,
                               uint64_t size) {
    FEED_ROOM(feed, to->items, to->count, to->capacity);
    uint64_t at = add_bytes(feed, &to->payloads, &to->payload_count, &to->payload_capacity, payload, size);
    struct entry entry = {NOT_TIMED, word, at};
    to->items[to->count] = entry;
    return &to->items[to->count++];
}

static const uint8_t *payload_of(const struct entries *entries, const struct entry *entry) {
    return entries->payloads ? entries->payloads + entry->payload : NULL;
}

/* ---- what the walk meets ---- */

/* Return the track that started this one, or NULL. */
static struct walk *parent_of(const struct walk *w) {
    struct walk *parent = w->parent ? find_track(w->feed, w->parent) : NULL;
    int is_earlier = parent && (parent->start < w->start || (parent->start == w->start && parent->id < w->id));
    return is_earlier ? parent : NULL;
}

/* Return the call of a track in which another goes on, or -1. */
static int64_t starting_call(struct walk *parent, const struct walk *w) {
    const struct feed *feed = w->feed;
    int32_t starter = w->starter < (uint64_t)feed->source.number_count ? feed->function_of[w->starter] : -1;
    const struct remembered *call = call_at(parent, w->start, starter);
    return call ? call->id : -1;
}

static void list_begun(struct walk *w, int32_t function, int64_t start) {
    struct feed *feed = w->feed;
    const struct remembered *outer = w->at.depth ? w->frames[w->at.depth - 1].call : NULL;
    struct begun row = {feed->calls, outer ? outer->id : -1, start, -1, function, w->index, -1, 0};
    struct walk *parent = w->is_placed ? NULL : parent_of(w);
    w->is_placed = 1;
    if (parent) {
        row.outer = starting_call(parent, w);
        row.outer_track = parent->index;
    }
    FEED_ROOM(feed, feed->out.begun, feed->out.begun_count, feed->out.begun_capacity);
    feed->out.begun[feed->out.begun_count++] = row;
}

/* The chain of a track continues that of the call that started it, or of its parent track if no call was
 * open there. */
static void find_chain(struct walk *w) {
    const struct walk *at = w;
    w->is_placed = 1;
    w->at.outer = -1;
    for (struct walk *parent = parent_of(at); parent && w->at.outer < 0; parent = parent_of(at)) {
        w->at.outer = starting_call(parent, at);
        if (w->at.outer < 0 && parent->is_placed) w->at.outer = parent->at.outer;
        if (parent->is_placed) return;
        at = parent;
    }
}

static int32_t chain_below(struct walk *w, int32_t function) {
    if (!w->is_placed) find_chain(w);
    int64_t around = w->at.depth ? w->frames[w->at.depth - 1].id : w->at.outer;
    return functrace_chain_of(w->feed->chains, (int32_t)around, function, w->at.depth == 0 && around >= 0);
}

static void open_frame(struct walk *w, int32_t function, int64_t start, int64_t entered, int64_t id) {
    struct feed *feed = w->feed;
    struct remembered *outer = w->at.depth ? w->frames[w->at.depth - 1].call : NULL;
    struct frame *frame = push_frame(w, function, entered, id);
    frame->inside = 0;
    frame->waited = w->at.waited;
    frame->call = NULL;
    struct remembered *call = new_call(feed);
    struct remembered made = {id, start, -1, outer, w, function, 1, 0};
    *call = made;
    if (outer) outer->references++;
    frame->call = call;
    remember(w, call);
}

static void enter(struct walk *w, int32_t function, int64_t start) {
    struct feed *feed = w->feed;
    int64_t entered = w->awaits_list && w->at.reopening ? w->at.entered : start;
    if (feed->chains) {
        open_frame(w, function, start, entered, chain_below(w, function));
        return;
    }
    list_begun(w, function, entered);
    open_frame(w, function, start, entered, feed->calls++);
}

static void list_status(struct walk *w, int64_t call, uint64_t value) {
    struct fed *out = &w->feed->out;
    FEED_ROOM(w->feed, out->statuses, out->status_count, out->status_capacity);
    struct fed_status row = {call, value};
    out->statuses[out->status_count++] = row;
}

/* The innermost open call may be a request. */
static void list_request(struct walk *w, uint64_t word, const uint8_t *payload) {
    struct fed *out = &w->feed->out;
    struct request row;
    int is_hidden = w->at.hidden && w->at.hidden_index == w->at.depth;
    if (is_hidden || w->at.depth == w->at.inherited || !functrace_read_request(word, payload, &row)) return;
    const struct frame *frame = &w->frames[w->at.depth - 1];
    row.call = frame->id;
    row.function = frame->function;
    row.track = w->index;
    row.start = frame->start;
    FEED_ROOM(w->feed, out->requests, out->request_count, out->request_capacity);
    out->requests[out->request_count++] = row;
}

static void list_ended(struct walk *w, const struct frame *frame, int64_t duration, int64_t ran) {
    struct fed *out = &w->feed->out;
    FEED_ROOM(w->feed, out->finished, out->finished_count, out->finished_capacity);
    const struct failure *failure = &w->at.failure;
    uint64_t text = out->text_count;
    if (failure->length)
        text = add_bytes(w->feed, &out->texts, &out->text_count, &out->text_capacity, w->text, failure->length);
    struct call row = {frame->id,
                       w->at.depth > 1 ? frame[-1].id : -1,
                       frame->start,
                       duration,
                       ran > frame->inside ? ran - frame->inside : 0,
                       duration - ran,
                       (int64_t)text,
                       failure->length,
                       failure->flags,
                       frame->function,
                       w->index,
                       (int32_t)w->at.depth - 1,
                       0};
    out->finished[out->finished_count++] = row;
    if (failure->status) list_status(w, frame->id, failure->status & ~STATUS_KNOWN);
}

static void count_ended(struct walk *w, const struct frame *frame, int64_t duration, int64_t ran) {
    const struct failure *failure = &w->at.failure;
    int64_t self = ran > frame->inside ? ran - frame->inside : 0;
    struct ended_call call = {(int32_t)frame->id, failure->flags, frame->start, duration, self,
                              duration - ran, w->id, w->text, failure->length, NO_WINDOW};
    call.window = functrace_rollup_count(&w->feed->rollup, &call);
    functrace_chains_count(w->feed->chains, &call);
}

static void close_frame(struct walk *w, int64_t end, int64_t ran) {
    struct frame *frame = pop_frame(w);
    frame->call->end = end;
    frame->call->unfinished = (w->at.failure.flags & CALL_UNFINISHED) != 0;
    if (w->at.depth) frame[-1].inside = add_time(frame[-1].inside, ran);
    release_call(w->feed, frame->call);
}

static void leave(struct walk *w, int64_t end) {
    const struct frame *frame = &w->frames[w->at.depth - 1];
    int64_t duration = end - frame->start, ran = duration - (w->at.waited - frame->waited);
    if (w->feed->chains)
        count_ended(w, frame, duration, ran);
    else
        list_ended(w, frame, duration, ran);
    close_frame(w, end, ran);
}

/* An inherited call is not listed, and not counted, but it has a chain for those below it. */
static void enter_inherited(struct walk *w, int32_t function, int64_t start) {
    if (w->feed->chains) {
        enter(w, function, start);
        return;
    }
    struct frame *frame = push_frame(w, function, start, -1);
    frame->inside = frame->waited = 0;
    frame->call = NULL;
}

static void leave_inherited(struct walk *w, int64_t end) {
    if (w->feed->chains)
        close_frame(w, end, 0);
    else
        pop_frame(w);
}

static void hold(struct walk *w, int64_t time) { (void)w, (void)time; }
static void resume(struct walk *w, int64_t time) { (void)w, (void)time; }
static void lose(struct walk *w, int64_t time, uint64_t events) { (void)w, (void)time, (void)events; }
/* Where a track goes on is looked for when its first call begins, which may be long after it began. */
static void place_children(struct walk *w, int64_t before) { (void)w, (void)before; }

static int misses_words(const struct walk *w) { return w->has_gap; }

static uint32_t flags_of_missing_exit(const struct walk *w) {
    return w->has_gap || w->feed->misses_chunks ? CALL_END_UNKNOWN : CALL_UNFINISHED;
}

/* ---- the words of a track ---- */

static void settle_run(struct walk *w) {
    if (!w->at.reopening) return;
    settle(w);
    w->has_gap = 0;
    if (w->at.reopened || !w->at.opened) w->awaits_list = 0;
}

static void keep_text(struct walk *w, const uint8_t *text, uint64_t size) {
    uint64_t used = 0;
    add_bytes(w->feed, &w->text, &used, &w->text_capacity, text, size);
}

static void walk_record(struct walk *w, const struct entry *entry, const uint8_t *payload) {
    uint32_t type = record_type(entry->word);
    if (type == RECORD_OPEN) {
        int inherited = record_value(entry->word) == OPEN_INHERITED;
        if (w->at.reopening) on_open(w, load64(payload), load64(payload + 8), inherited);
    } else if (type == RECORD_LOST) {
        on_lost(w, record_value(entry->word));
    } else {
        settle_run(w);
        if (type == RECORD_INHERITED) {
            on_inherited(w, load64(payload), load64(payload + 8));
        } else if (type == RECORD_ERROR || type == RECORD_PANIC) {
            on_failure(&w->at, entry->word, 0);
            keep_text(w, payload, record_bytes(entry->word));
        } else if (type == RECORD_REQUEST) {
            list_request(w, entry->word, payload);
        } else if (type == RECORD_STATUS) {
            w->at.failure.status = STATUS_KNOWN | record_value(entry->word);
        } else {
            w->at.base = (uint64_t)entry->time - record_value(entry->word);
            on_wait(w, entry->word);
        }
    }
}

static int is_same_run(const struct segment *a, const struct segment *b) {
    return a->track == b->track && a->life == b->life && a->place == b->place;
}

static const struct entry *entries_of(const struct segment *segment) {
    return segment->track->feed->entries.items + segment->first;
}

static int begins_track(const struct segment *segment) { return (entries_of(segment)->word & 0xFF) == TRACK_BEGINS; }

/* The calls in a list that had begun before a time are those that were open then and still are. */
static int open_listed_before(struct walk *w, const struct segment *list, int64_t before) {
    const struct entry *entries = entries_of(list);
    for (uint64_t i = 0; i < list->count; i++) {
        uint64_t word = entries[i].word;
        if ((word & 3) == WORD_ENTRY || (word & 3) == WORD_EXIT) return 0;
        if ((word & 3) != WORD_RECORD || record_type(word) != RECORD_OPEN) continue;
        const uint8_t *payload = payload_of(&w->feed->entries, &entries[i]);
        if ((int64_t)load64(payload) >= before) return 0;
        on_open(w, load64(payload), load64(payload + 8), record_value(word) == OPEN_INHERITED);
    }
    return 1;
}

/* Find out from the track's next list which calls are open where words before a run are missing. If it was
 * not read yet, they are not known before it is walked. */
static void bridge_gap(struct walk *w, const struct segment *run) {
    const struct segment *end = w->feed->segments + w->segment_end, *list = run;
    while (list < end && !list->has_list && (is_same_run(list, run) || !begins_track(list))) list++;
    w->awaits_list = list == end && w->at.opened > 0;
    if (list == end || !list->has_list || is_same_run(list, run)) return;
    const struct segment *at = list;
    while (at < end && is_same_run(at, list) && open_listed_before(w, at, run->earliest)) at++;
}

static void begin_run(struct walk *w, uint64_t word) {
    const struct segment *run = &w->feed->segments[w->segment];
    settle_run(w);
    uint32_t mark = word & 0xFF;
    uint64_t open = record_value(word);
    int is_next = w->is_begun && run->life == w->life && run->place == w->place + 1 && !w->cut;
    w->has_gap = mark == RUN_BEGINS && !is_next;
    w->is_begun = 1;
    w->life = run->life;
    w->place = run->place;
    w->cut = 0;
    w->at.reopening = mark == RUN_BEGINS;
    w->at.reopened = 0;
    w->at.opened = open;
    if (w->has_gap) bridge_gap(w, run);
}

static void walk_entry(struct walk *w, const struct entry *entry) {
    uint32_t kind = entry->word & 3;
    if (kind == WORD_RECORD) {
        walk_record(w, entry, payload_of(&w->feed->entries, entry));
    } else if (kind == 0 && (entry->word & 0xFF) == RUN_CUT) {
        int cut = (int)record_value(entry->word);
        if (cut > w->cut) w->cut = cut;
    } else if (kind == 0) {
        begin_run(w, entry->word);
    } else {
        settle_run(w);
        w->at.base = (uint64_t)entry->time - word_ticks(entry->word);
        on_event(w, entry->word);
    }
}

/* Whether a later run was walked already, since this one did not come in time. */
static int comes_too_late(const struct walk *w, const struct segment *segment) {
    if (!w->is_begun || segment->life > w->life) return 0;
    return segment->life < w->life || segment->place < w->place;
}

/* The request record behind the entry may not have been written yet. */
static int awaits_request(const struct walk *w, const struct segment *segment, uint64_t word) {
    const struct feed *feed = w->feed;
    int is_last = w->entry + 1 == segment->count && w->segment + 1 == w->segment_end;
    if (feed->chains || !is_last || (word & 3) != WORD_ENTRY) return 0;
    uint64_t number = word_function(word);
    int32_t function = number < (uint64_t)feed->source.number_count ? feed->function_of[number] : -1;
    return function >= 0 && feed->is_request[function];
}

static void walk_until(struct walk *w, int64_t until) {
    for (; w->segment < w->segment_end; w->segment++, w->entry = 0) {
        const struct segment *segment = &w->feed->segments[w->segment];
        if (comes_too_late(w, segment)) continue;
        const struct entry *entries = entries_of(segment);
        for (; w->entry < segment->count; w->entry++) {
            if (entries[w->entry].time > until) return;
            if (until != INT64_MAX && awaits_request(w, segment, entries[w->entry].word)) return;
            walk_entry(w, &entries[w->entry]);
        }
    }
}

/* ---- from chunks to runs of tracks ---- */

static void begin_segment(struct feed *feed, struct open_chunk *chunk) {
    activate(chunk->track);
    FEED_ROOM(feed, feed->segments, feed->segment_count, feed->segment_capacity);
    int64_t base = ticks_since(chunk->base, feed->source.start);
    struct segment begun = {chunk->track, chunk->life, chunk->place, feed->entries.count, 0, base, 0, 0};
    chunk->segment = &feed->segments[feed->segment_count++];
    *chunk->segment = begun;
    chunk->untimed = 0;
}

static struct entry *add_entry(struct feed *feed, struct open_chunk *chunk, uint64_t word,
                               const uint8_t *payload, uint64_t size) {
    if (!chunk->segment) begin_segment(feed, chunk);
    chunk->segment->count++;
    chunk->untimed++;
    return put_entry(feed, &feed->entries, word, payload, size);
}

static void note_time(struct open_chunk *chunk, int64_t time) {
    struct segment *segment = chunk->segment;
    struct walk *w = chunk->track;
    if (!segment->is_timed || time < segment->earliest) segment->earliest = time;
    segment->is_timed = 1;
    if (!w->is_known && time < w->start) w->start = time;
}

static void add_timed(struct feed *feed, struct open_chunk *chunk, uint64_t word, int64_t time) {
    struct entry *entry = add_entry(feed, chunk, word, NULL, 0);
    note_time(chunk, time);
    if (chunk->segment->count > chunk->untimed && time < entry[-(int64_t)chunk->untimed].time)
        time = entry[-(int64_t)chunk->untimed].time;
    for (; chunk->untimed; chunk->untimed--) entry[1 - (int64_t)chunk->untimed].time = time;
}

static void set_track(struct open_chunk *chunk, struct walk *w) {
    if (chunk->track) chunk->track->chunks--;
    chunk->track = w;
    chunk->segment = NULL;
    if (w) w->chunks++;
}

static void begin_run_in(struct feed *feed, struct open_chunk *chunk, uint64_t mark) {
    begin_segment(feed, chunk);
    add_entry(feed, chunk, mark, NULL, 0);
}

/* The number of a run that is never far from the one read before it. */
static int64_t place_of_run(struct walk *w, uint64_t run) {
    uint64_t step = (run - (uint64_t)w->latest_place) & RUN_MASK;
    w->latest_place += (int64_t)step - (step > RUN_MASK / 2 ? RUN_MASK + 1 : 0);
    return w->latest_place;
}

static void read_switch(struct feed *feed, struct open_chunk *chunk, uint64_t word, const uint8_t *payload) {
    set_track(chunk, NULL);
    if (record_bytes(word) < 8 || load64(payload) == 0) return;
    struct walk *w = track_of(feed, load64(payload));
    set_track(chunk, w);
    chunk->place = place_of_run(w, record_value(word) & RUN_MASK);
    chunk->life = w->lives > 1 && chunk->sequence < w->began_in ? w->lives - 1 : w->lives;
    if (!chunk->life) chunk->life = 1; /* runs that were read before the track record */
    begin_run_in(feed, chunk, RUN_BEGINS | (record_value(word) >> RUN_BITS & RUN_OPEN_LIMIT) << 24);
}

/* Few calls are remembered where they are folded, so the latest one of a function that starts tracks is from
 * now on. The Go sender does not do this. */
static void note_starter(struct feed *feed, uint32_t number) {
    if (!feed->chains || number >= (uint64_t)feed->source.number_count) return;
    int32_t function = feed->function_of[number];
    if (function >= 0) feed->starts_tracks[function] = 1;
}

static void describe_track(struct walk *w, uint64_t word, const uint8_t *payload) {
    uint64_t kind = record_value(word) & TRACK_KIND_MASK;
    if (w->is_known) return; /* the first record is right */
    w->is_known = 1;
    w->parent = load64(payload + 8);
    w->start = ticks_since(load64(payload + 16), w->feed->source.start);
    w->starter = load32(payload + 24);
    note_starter(w->feed, w->starter);
    w->kind = kind <= 3 ? (uint32_t)kind : 0;
    describe(w, payload + TRACK_PAYLOAD, record_bytes(word) - TRACK_PAYLOAD);
}

static void read_track(struct feed *feed, struct open_chunk *chunk, uint64_t word, const uint8_t *payload) {
    uint64_t id = record_bytes(word) < TRACK_PAYLOAD ? 0 : load64(payload);
    int is_again = (record_value(word) & TRACK_AGAIN) != 0;
    if (is_again && id && chunk->track && chunk->track->id == id) {
        describe_track(chunk->track, word, payload);
        return;
    }
    set_track(chunk, NULL);
    if (!id || is_again) return;
    struct walk *w = track_of(feed, id);
    describe_track(w, word, payload);
    set_track(chunk, w);
    w->latest_place = chunk->place = w->lives ? 0 : place_of_run(w, 0);
    chunk->life = ++w->lives;
    w->began_in = chunk->sequence;
    begin_run_in(feed, chunk, TRACK_BEGINS);
}

static void note_last(struct reading *out, int64_t time) {
    if (time > out->last) out->last = time;
}

static void read_open(struct feed *feed, struct open_chunk *chunk, uint64_t word, const uint8_t *payload) {
    int64_t time = ticks_since(load64(payload), feed->source.start);
    uint64_t open[2] = {(uint64_t)time, load64(payload + 8)};
    add_entry(feed, chunk, word, (const uint8_t *)open, sizeof open);
    note_time(chunk, time);
    if (record_type(word) == RECORD_OPEN) chunk->segment->has_list = 1;
}

/* A request record is walked together with the entry before it, which may have been read earlier. */
static void read_request(struct feed *feed, struct open_chunk *chunk, uint64_t word, const uint8_t *payload) {
    int is_first = !chunk->segment, is_behind_timed = chunk->segment && !chunk->untimed;
    struct entry *entry = add_entry(feed, chunk, word, payload, record_bytes(word));
    if (!is_first && !is_behind_timed) return;
    entry->time = is_first ? 0 : entry[-1].time;
    chunk->untimed = 0;
}

static void read_record(struct feed *feed, struct open_chunk *chunk, uint64_t word, const uint8_t *payload,
                        struct reading *out) {
    uint32_t type = record_type(word), bytes = record_bytes(word);
    if (type == RECORD_BASE && bytes >= 8) {
        chunk->base = load64(payload);
    } else if (type == RECORD_TRACK) {
        read_track(feed, chunk, word, payload);
    } else if (type == RECORD_SWITCH) {
        read_switch(feed, chunk, word, payload);
    } else if (type == RECORD_SUSPENDED || type == RECORD_RESUMED) {
        int64_t time = ticks_since(chunk->base + record_value(word), feed->source.start);
        note_last(out, time);
        if (chunk->track) add_timed(feed, chunk, word, time);
    } else if (!chunk->track) {
        return;
    } else if (type == RECORD_ERROR || type == RECORD_PANIC) {
        add_entry(feed, chunk, word, payload, bytes);
    } else if ((type == RECORD_OPEN || type == RECORD_INHERITED) && bytes >= 16) {
        read_open(feed, chunk, word, payload);
    } else if (type == RECORD_LOST) {
        add_entry(feed, chunk, word, NULL, 0);
    } else if (type == RECORD_REQUEST && !feed->chains) {
        read_request(feed, chunk, word, payload);
    } else if (type == RECORD_STATUS && !feed->chains) {
        add_entry(feed, chunk, word, NULL, 0);
    }
}

static void read_event(struct feed *feed, struct open_chunk *chunk, uint64_t word, struct reading *out) {
    int64_t time = ticks_since(chunk->base + word_ticks(word), feed->source.start);
    if (chunk->track) add_timed(feed, chunk, word, time);
    note_last(out, time);
}

/* ---- eviction of old calls and tracks ---- */

static int by_time(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

static int by_start(const void *a, const void *b) {
    const struct walk *left = *(struct walk *const *)a, *right = *(struct walk *const *)b;
    if (left->start != right->start) return left->start < right->start ? -1 : 1;
    return left->id < right->id ? -1 : left->id > right->id;
}

static int by_now(const void *a, const void *b) {
    const struct walk *left = *(struct walk *const *)a, *right = *(struct walk *const *)b;
    if (left->at.time != right->at.time) return left->at.time < right->at.time ? -1 : 1;
    return left->index < right->index ? -1 : left->index > right->index;
}

/* Free the evicted tracks that nothing refers to. */
static void free_evicted(struct feed *feed) {
    uint64_t kept = 0;
    for (uint64_t i = 0; i < feed->walk_count; i++) {
        struct walk *w = feed->walks[i];
        if (w->is_evicted && !w->chunks && !w->history_count && !w->is_active) {
            for (uint64_t f = 0; w->functions && f <= w->function_mask; f++)
                if (w->functions[f].number >= 0) release_call(feed, w->functions[f].latest);
            free_walk(w);
        } else {
            feed->walks[kept++] = w;
        }
    }
    feed->walk_count = kept;
}

static int has_words(const struct walk *w) { return w->is_active && w->segment < w->segment_end; }

static void evict_tracks(struct feed *feed) {
    struct walk **idle = feed_checked(feed, malloc((feed->walk_count + 1) * sizeof *idle));
    uint64_t count = 0;
    for (uint64_t i = 0; i < feed->walk_count; i++) {
        struct walk *w = feed->walks[i];
        if (!w->is_evicted && !w->at.depth && !has_words(w)) idle[count++] = w;
    }
    qsort(idle, count, sizeof *idle, by_now);
    for (uint64_t i = 0; i < count && i < feed->limits.tracks / 2; i++) {
        idle[i]->is_evicted = 1;
        feed->track_count--;
        describe(idle[i], NULL, 0);
    }
    free(idle);
    list_tracks(feed, feed->slot_mask);
}

static void evict(struct feed *feed) {
    while (feed->recent_count > feed->limits.calls) evict_oldest_call(feed);
    if (feed->track_count > feed->limits.tracks) evict_tracks(feed);
    free_evicted(feed);
}

/* ---- walking ---- */

static int by_run(const void *a, const void *b) {
    const struct segment *left = a, *right = b;
    if (left->track != right->track) return left->track->index < right->track->index ? -1 : 1;
    if (left->life != right->life) return left->life < right->life ? -1 : 1;
    if (left->place != right->place) return left->place < right->place ? -1 : 1;
    return left->first < right->first ? -1 : 1;
}

/* Words at the end of a segment come before the next one's. */
static void time_last_words(struct entries *entries, const struct segment *segment, const struct segment *next) {
    int64_t time = entries->items[next->first].time;
    for (uint64_t i = segment->count; i > 0 && entries->items[segment->first + i - 1].time == NOT_TIMED; i--)
        entries->items[segment->first + i - 1].time = time;
}

/* Put the segments in the order of runs, and find those of each track. */
static void order_segments(struct feed *feed) {
    struct segment *segments = feed->segments;
    uint64_t count = feed->segment_count;
    if (count) qsort(segments, count, sizeof *segments, by_run);
    feed->active_count = 0;
    for (uint64_t i = count; i-- > 0;) {
        struct walk *w = segments[i].track;
        if (i + 1 < count && segments[i + 1].track == w) {
            time_last_words(&feed->entries, &segments[i], &segments[i + 1]);
        } else {
            FEED_ROOM(feed, feed->active, feed->active_count, feed->active_capacity);
            feed->active[feed->active_count++] = w;
            w->segment_end = i + 1;
        }
        w->segment = i;
        w->entry = 0;
    }
    if (feed->active_count) qsort(feed->active, feed->active_count, sizeof *feed->active, by_start);
}

static uint64_t kept_bytes(uint64_t word) {
    uint32_t type = (word & 3) == WORD_RECORD ? record_type(word) : 0;
    if (type == RECORD_OPEN || type == RECORD_INHERITED) return 16;
    return type == RECORD_ERROR || type == RECORD_PANIC || type == RECORD_REQUEST ? record_bytes(word) : 0;
}

/* Keep what was not walked. */
static void keep_rest(struct feed *feed) {
    struct entries from = feed->entries, *to = &feed->spare;
    uint64_t kept = 0;
    to->count = to->payload_count = 0;
    struct segment *segments = feed->segments;
    for (uint64_t i = 0; i < feed->segment_count; i++) {
        struct walk *w = segments[i].track;
        w->is_active = w->segment < w->segment_end;
        if (i < w->segment) continue;
        uint64_t walked = i == w->segment ? w->entry : 0;
        struct segment rest = segments[i];
        rest.first = to->count;
        rest.count -= walked;
        for (uint64_t j = 0; j < rest.count; j++) {
            const struct entry *entry = &from.items[segments[i].first + walked + j];
            put_entry(feed, to, entry->word, payload_of(&from, entry), kept_bytes(entry->word))->time = entry->time;
        }
        segments[kept++] = rest;
    }
    feed->segment_count = kept;
    feed->entries = *to;
    feed->spare = from;
}

static void advance_to(struct feed *feed, int64_t until) {
    for (uint64_t i = 0; i < feed->active_count; i++) walk_until(feed->active[i], until);
    evict(feed);
}

/* Walk in steps of about a number of words, and discard old calls and tracks after each. The times between
 * steps are those of a sample. */
static void advance_in_steps(struct feed *feed, int64_t until) {
    const struct entries *entries = &feed->entries;
    order_segments(feed);
    if (entries->count > feed->limits.words) {
        uint64_t stride = feed->limits.words / STEP_SAMPLES + 1, count = 0, step = feed->limits.words / stride;
        int64_t *times = feed_checked(feed, malloc((entries->count / stride + 1) * sizeof *times));
        for (uint64_t i = 0; i < entries->count; i += stride)
            if (entries->items[i].time <= until) times[count++] = entries->items[i].time;
        qsort(times, count, sizeof *times, by_time);
        for (uint64_t at = step; at + 1 < count; at += step) advance_to(feed, times[at]);
        free(times);
    }
    advance_to(feed, until);
    keep_rest(feed);
}

/* ---- from outside ---- */

#define GUARD(feed) \
    if ((feed)->is_broken) return STATUS_MEMORY; \
    if (setjmp((feed)->no_memory)) { \
        (feed)->is_broken = 1; \
        return STATUS_MEMORY; \
    }

struct feed *functrace_feed_open(uint64_t start, const struct limits *limits) {
    struct feed *feed = calloc(1, sizeof *feed);
    if (!feed) return NULL;
    feed->limits = *limits;
    if (!feed->limits.words) feed->limits.words = 1;
    feed->rollup.no_memory = &feed->no_memory;
    feed->source.start = start;
    feed->slot_mask = 63;
    feed->slots = calloc(64, sizeof(struct walk *));
    if (limits->chains) feed->chains = functrace_chains_open(limits->chains, &feed->no_memory);
    if (feed->slots && (feed->chains || !limits->chains)) return feed;
    functrace_chains_close(feed->chains);
    free(feed->slots);
    free(feed);
    return NULL;
}

static void free_slabs(struct feed *feed) {
    while (feed->slabs) {
        struct slab *slab = feed->slabs;
        feed->slabs = slab->next;
        free(slab);
    }
}

static void free_entries(struct entries *entries) {
    free(entries->items);
    free(entries->payloads);
}

void functrace_feed_close(struct feed *feed) {
    if (!feed) return;
    free_slabs(feed);
    functrace_chains_close(feed->chains);
    functrace_rollup_free(&feed->rollup);
    for (uint64_t i = 0; i < feed->walk_count; i++) free_walk(feed->walks[i]);
    free(feed->out.begun);
    free(feed->out.finished);
    free(feed->out.requests);
    free(feed->out.statuses);
    free(feed->out.tracks);
    free(feed->out.released);
    free(feed->out.texts);
    free(feed->function_of);
    free(feed->starts_tracks);
    free(feed->is_request);
    free(feed->slots);
    free(feed->walks);
    free_entries(&feed->entries);
    free_entries(&feed->spare);
    free(feed->segments);
    free(feed->active);
    free(feed->chunks);
    free(feed->recent);
    free(feed->open_calls);
    free(feed);
}

int functrace_feed_functions(struct feed *feed, const int32_t *function_of, uint64_t count, const uint8_t *is_request,
                             int32_t functions) {
    GUARD(feed)
    int32_t *numbers = feed_checked(feed, malloc((count + 1) * sizeof *numbers));
    memcpy(numbers, function_of, count * sizeof *numbers);
    free(feed->function_of);
    feed->function_of = numbers;
    uint8_t *starts = feed_checked(feed, realloc(feed->starts_tracks, (size_t)functions + 1));
    memset(starts + feed->source.function_count, 0, (size_t)(functions - feed->source.function_count) + 1);
    feed->starts_tracks = starts;
    uint8_t *requests = feed_checked(feed, realloc(feed->is_request, (size_t)functions + 1));
    if (functions) memcpy(requests, is_request, (size_t)functions);
    feed->is_request = requests;
    feed->source.function_of = numbers;
    feed->source.number_count = (int64_t)count;
    feed->source.function_count = functions;
    return STATUS_OK;
}

int64_t functrace_feed_begin(struct feed *feed, uint64_t base, uint64_t sequence) {
    if (feed->is_broken) return -1;
    if (setjmp(feed->no_memory)) {
        feed->is_broken = 1;
        return -1;
    }
    uint64_t at = feed->first_free;
    while (at < feed->chunk_count && feed->chunks[at].is_used) at++;
    if (at == feed->chunk_count) {
        FEED_ROOM(feed, feed->chunks, feed->chunk_count, feed->chunk_capacity);
        feed->chunk_count++;
    }
    feed->first_free = at + 1;
    struct open_chunk chunk = {NULL, base, sequence, 0, 0, NULL, 0, 1};
    feed->chunks[at] = chunk;
    return (int64_t)at;
}

static struct open_chunk *chunk_at(struct feed *feed, int64_t chunk) {
    if (chunk < 0 || (uint64_t)chunk >= feed->chunk_count || !feed->chunks[chunk].is_used) return NULL;
    return &feed->chunks[chunk];
}

int functrace_feed_read(struct feed *feed, int64_t number, const uint8_t *words, const uint8_t *payloads,
                        uint64_t size, struct reading *out) {
    struct reading none = {0, -1, 0};
    *out = none;
    GUARD(feed)
    struct open_chunk *chunk = chunk_at(feed, number);
    if (!chunk) return STATUS_OK;
    chunk->segment = NULL;
    uint64_t at = 0;
    while (at + 8 <= size) {
        uint64_t word = load64(words + at);
        if (word == 0) break;
        uint32_t kind = word & 3;
        uint64_t taken = kind == WORD_RECORD ? record_size(word) : 8;
        if (taken > size - at) {
            out->is_damaged = 1; /* a record that goes beyond its chunk */
            break;
        }
        if (kind == WORD_RECORD)
            read_record(feed, chunk, word, payloads + at + 8, out);
        else if (kind)
            read_event(feed, chunk, word, out);
        at += taken;
    }
    out->words = at / 8;
    return STATUS_OK;
}

int functrace_feed_miss(struct feed *feed, int64_t number, int is_sure) {
    GUARD(feed)
    struct open_chunk *chunk = chunk_at(feed, number);
    if (is_sure) feed->misses_chunks = 1;
    if (!chunk || !chunk->track) return STATUS_OK;
    chunk->segment = NULL;
    uint64_t cut = is_sure ? CUT_SURELY : CUT_MAYBE;
    add_entry(feed, chunk, RUN_CUT | cut << 24, NULL, 0)->time = 0; /* known as soon as what was read is walked */
    return STATUS_OK;
}

int functrace_feed_end_chunk(struct feed *feed, int64_t number) {
    struct open_chunk *chunk = chunk_at(feed, number);
    if (!chunk) return STATUS_OK;
    set_track(chunk, NULL);
    chunk->is_used = 0;
    if ((uint64_t)number < feed->first_free) feed->first_free = (uint64_t)number;
    return STATUS_OK;
}

void functrace_feed_miss_chunks(struct feed *feed) { feed->misses_chunks = 1; }

int functrace_feed_advance(struct feed *feed, int64_t until) {
    GUARD(feed)
    uint64_t start = feed->source.start;
    feed->source.start = 0; /* times of entries are relative */
    advance_in_steps(feed, until);
    feed->source.start = start;
    return STATUS_OK;
}

int functrace_feed_end(struct feed *feed, int64_t time) {
    GUARD(feed)
    uint64_t start = feed->source.start;
    feed->source.start = 0;
    if (feed->walks) qsort(feed->walks, feed->walk_count, sizeof *feed->walks, by_start);
    for (uint64_t i = 0; i < feed->walk_count; i++) {
        struct walk *w = feed->walks[i];
        settle_run(w);
        if (time > w->at.time) pass_time(&w->at, time);
        end_calls(w, 0, w->at.time, w->cut == CUT_SURELY ? CALL_END_UNKNOWN : CALL_UNFINISHED);
    }
    feed->source.start = start;
    return STATUS_OK;
}

int functrace_feed_open_calls(struct feed *feed, struct begun **out, uint64_t *count) {
    GUARD(feed)
    feed->open_count = 0;
    for (uint64_t i = 0; i < feed->walk_count; i++) {
        const struct walk *w = feed->walks[i];
        for (uint64_t f = 0; f < w->at.depth; f++) {
            const struct remembered *call = w->frames[f].call;
            if (!call) continue;
            FEED_ROOM(feed, feed->open_calls, feed->open_count, feed->open_capacity);
            struct begun row = {call->id, call->outer ? call->outer->id : -1, call->start, -1, call->function, w->index, -1, 0};
            feed->open_calls[feed->open_count++] = row;
        }
    }
    *out = feed->open_calls;
    *count = feed->open_count;
    return STATUS_OK;
}

int functrace_feed_window(struct feed *feed, struct chain_table **out, uint64_t *live) {
    GUARD(feed)
    *live = 0;
    for (uint64_t i = 0; i < feed->walk_count; i++) {
        const struct walk *w = feed->walks[i];
        *live += w->at.depth > w->at.inherited;
        for (uint64_t f = w->at.inherited; f < w->at.depth; f++)
            functrace_chains_list_open(feed->chains, (int32_t)w->frames[f].id, w->frames[f].start, w->index,
                                       w->at.suspended);
    }
    *out = feed->chains;
    return STATUS_OK;
}

int functrace_feed_roll(struct feed *feed, const int64_t *bounds, uint64_t count, double ns_per_tick) {
    GUARD(feed)
    return functrace_rollup_begin(&feed->rollup, bounds, count, ns_per_tick) ? STATUS_OK : STATUS_MEMORY;
}

struct rollup *functrace_feed_rollup(struct feed *feed) { return &feed->rollup; }

/* What has come since the last time; it stays until the next word is read or walked. */
struct fed *functrace_feed_drain(struct feed *feed) { return &feed->out; }
