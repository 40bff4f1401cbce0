/* Events and own time by function in one chunk. */
#ifndef FUNCTRACE_TALLY_H
#define FUNCTRACE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

struct tally {
    uint64_t own_ticks; /* spent in the function itself, as far as the chunk shows */
    uint32_t events, entries;
};

struct tallies {
    struct tally *items; /* by function number */
    uint32_t capacity;
    uint32_t *touched; /* numbers of the functions with events or time */
    uint32_t *open;    /* numbers of the calls that are open while the chunk is read */
    uint32_t touched_count, chunk_capacity;
    uint32_t events;
};

/* Counts the words of a chunk, of which `used` are in use. Returns false, with no function counted, if
 * memory has run out. */
bool tally_chunk(struct tallies *all, const uint64_t *words, uint32_t used, uint32_t functions);

#endif
