/* A walk over the strips of a track that a window of time overlaps, from the outermost group inwards. */
#ifndef FUNCTRACE_PART_WALK_H
#define FUNCTRACE_PART_WALK_H

#include "index.h"

struct part_walk {
    const struct index *index;
    int64_t since, until;
    /* Called for a part all of whose calls overlap the window. Return 1 if it was handled as a whole, 0 to visit
     * what it consists of. */
    int (*whole)(struct part_walk *walk, const struct part *part);
    /* Called for a strip that has to be read; is_edge: some of its calls may not overlap the window. */
    void (*strip)(struct part_walk *walk, int64_t strip, int is_edge);
    /* Called for each call that crosses strips and may overlap the window: first for those open where the window
     * begins, then, after each part or strip, for those that begin in it and cross its end. */
    void (*crossing)(struct part_walk *walk, int64_t crossing);
    /* of the track */
    int64_t track;
    const struct indexed_track *indexed;
    const struct strip *strips;
    int64_t first_strip, last_strip; /* at the edges: -1 or the number of strips where there is none */
    const struct part *parts[LEVELS];
    uint32_t part_count[LEVELS];
};

/* Visit a track that has strips. The calls of one depth come in the order of their starts. */
void functrace_walk_parts(struct part_walk *walk, int64_t track);

#endif
