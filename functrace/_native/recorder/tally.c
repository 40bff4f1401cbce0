#include "tally.h"

#include <stdlib.h>
#include <string.h>

#include "format.h"

/* Position in a chunk. */
struct cursor {
    struct tallies *all;
    uint64_t base, previous; /* ticks */
    uint32_t depth;          /* known open calls of the run */
    bool is_running;         /* the time since `previous` belongs to the innermost call */
};

static bool reserve(struct tallies *all, uint32_t used, uint32_t functions) {
    if (functions >= all->capacity) {
        uint32_t wanted = 2 * functions + 64;
        struct tally *items = realloc(all->items, wanted * sizeof *items);
        if (!items) return false;
        memset(items + all->capacity, 0, (wanted - all->capacity) * sizeof *items);
        all->items = items;
        all->capacity = wanted;
    }
    if (used > all->chunk_capacity) {
        uint32_t *touched = realloc(all->touched, 2 * (size_t)used * sizeof *touched);
        if (touched) all->touched = touched;
        uint32_t *open = touched ? realloc(all->open, (size_t)used * sizeof *open) : NULL;
        if (!open) return false;
        all->open = open;
        all->chunk_capacity = used;
    }
    return true;
}

static struct tally *tally_of(struct tallies *all, uint32_t number) {
    struct tally *t = &all->items[number < all->capacity ? number : 0];
    if (!t->events && !t->own_ticks) all->touched[all->touched_count++] = (uint32_t)(t - all->items);
    return t;
}

/* Adds the time since the previous word to the innermost call, if that is known. */
static void add_time(struct cursor *at, uint64_t now, uint32_t innermost) {
    if (at->is_running && innermost && now > at->previous)
        tally_of(at->all, innermost)->own_ticks += now - at->previous;
    at->previous = now;
}

static uint32_t innermost(const struct cursor *at) {
    return at->depth ? at->all->open[at->depth - 1] : 0;
}

static void count_event(struct cursor *at, uint64_t word) {
    uint32_t number = word >> FUNCTION_SHIFT & MAX_FUNCTIONS;
    bool is_entry = (word & 3) == ENTRY_WORD;
    /* An exit shows which call was the innermost one. */
    add_time(at, at->base + (word >> TIME_SHIFT), is_entry ? innermost(at) : number);
    at->is_running = true;
    struct tally *t = tally_of(at->all, number);
    t->events++;
    at->all->events++;
    if (is_entry) {
        t->entries++;
        at->all->open[at->depth++] = number;
    } else if (at->depth) {
        at->depth--;
    }
}

static void read_record(struct cursor *at, const uint64_t *word) {
    switch (*word >> 2 & 0x3F) {
    case BASE_RECORD:
        at->base = word[1];
        break;
    case TRACK_RECORD:
        if (*word >> 24 & TRACK_IS_AGAIN) break;
        /* fall through */
    case SWITCH_RECORD:
        at->depth = 0;
        at->is_running = false;
        break;
    case OPEN_RECORD:
        at->all->open[at->depth++] = (uint32_t)word[2];
        break;
    case SUSPENDED_RECORD:
    case RESUMED_RECORD:
        add_time(at, at->base + (*word >> 24), innermost(at));
        at->is_running = (*word >> 2 & 0x3F) == RESUMED_RECORD;
        break;
    default:
        break;
    }
}

static void clear(struct tallies *all) {
    for (uint32_t i = 0; i < all->touched_count; i++)
        all->items[all->touched[i]] = (struct tally){0};
    all->touched_count = all->events = 0;
}

bool tally_chunk(struct tallies *all, const uint64_t *words, uint32_t used, uint32_t functions) {
    clear(all);
    if (!reserve(all, used, functions)) return false;
    struct cursor at = {.all = all, .base = words[C_BASE]};
    for (uint32_t i = CHUNK_HEAD_WORDS; i < used;) {
        if ((words[i] & 3) == RECORD_WORD) {
            read_record(&at, words + i);
            i += (uint32_t)record_words(words[i] >> 8 & 0xFFFF);
        } else {
            count_event(&at, words[i++]);
        }
    }
    return true;
}
