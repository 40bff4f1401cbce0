/* A walk over the strips of a track that a window of time overlaps, from the outermost group inwards. */
#ifndef FUNCTRACE_PART_WALK_H
#define FUNCTRACE_PART_WALK_H

#include "index.h"

struct part_walk {
    const struct index *index;
    int64_t since, until;
    /* Whether a part all of whose calls overlap the window is dealt with as a whole; else what it consists of is
     * visited. Calls that begin in it and cross its end are told to `crossing` next, if so. */
    int (*whole)(struct part_walk *walk, const struct part *part);
    /* A strip that is to be read, and whether it lies at an edge of the window. Calls that begin in it and
     * cross its end are told to `crossing` next. */
    void (*strip)(struct part_walk *walk, int64_t strip, int is_edge);
    /* A call that crosses strips and may overlap the window: an index. */
    void (*crossing)(struct part_walk *walk, int64_t crossing);
    /* of the track */
    int64_t track;
    const struct indexed_track *indexed;
    const struct strip *strips;
    int64_t first_strip, last_strip; /* at the edges: -1 or the number of strips where there is none */
    const struct part *parts[LEVELS];
    uint32_t part_count[LEVELS];
};

/* Visit a track that has strips. Of each depth, calls come in the order of their starts if `strip` has them so. */
void functrace_walk_parts(struct part_walk *walk, int64_t track);

#endif
