/* Visit the parts of a track that a window overlaps. */
#include "part_walk.h"

/* The last strip that begins before the time, or the first one. */
static int64_t strip_before(const struct part_walk *walk, int64_t time) {
    int64_t low = 0, high = walk->indexed->strips;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (walk->strips[middle].time < time)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void visit_open_calls(struct part_walk *walk, int64_t innermost, int64_t first) {
    for (int64_t c = innermost; c >= first; c = walk->index->crossings[c].parent) walk->crossing(walk, c);
}

static void visit_strip(struct part_walk *walk, int64_t number) {
    const struct strip *strip = &walk->strips[number];
    walk->strip(walk, number, number == walk->first_strip || number == walk->last_strip);
    if (number + 1 == walk->indexed->strips) return; /* calls end with their track */
    for (int64_t c = strip[0].crossing; c < strip[1].crossing; c++) walk->crossing(walk, c);
}

static void visit(struct part_walk *walk, int level, int64_t number) {
    int64_t begin = number << 3 * level, end = (number + 1) << 3 * level;
    int64_t count = walk->indexed->strips;
    if (end > count) end = count;
    if (begin > walk->last_strip || end <= walk->first_strip) return;
    int is_inside = begin > walk->first_strip && end <= walk->last_strip;
    if (is_inside && walk->whole(walk, &walk->parts[level][number])) {
        if (end < count) visit_open_calls(walk, walk->strips[end].open, walk->strips[begin].crossing);
    } else if (level == 0) {
        visit_strip(walk, number);
    } else {
        int64_t last = (number + 1) * GROUP, below = walk->part_count[level - 1];
        for (int64_t i = number * GROUP; i < last && i < below; i++) visit(walk, level - 1, i);
    }
}

/* Return the level of the group of all strips. */
static int find_levels(struct part_walk *walk) {
    int level = 0;
    walk->parts[0] = walk->index->parts + walk->indexed->part;
    walk->part_count[0] = walk->indexed->strips;
    for (; walk->part_count[level] > 1; level++) {
        walk->parts[level + 1] = walk->parts[level] + walk->part_count[level];
        walk->part_count[level + 1] = groups_of(walk->part_count[level]);
    }
    return level;
}

void functrace_walk_parts(struct part_walk *walk, int64_t track) {
    walk->track = track;
    walk->indexed = &walk->index->tracks[track];
    walk->strips = walk->index->strips + walk->indexed->strip;
    int level = find_levels(walk);
    int64_t first = strip_before(walk, walk->since), last = strip_before(walk, walk->until + 1);
    walk->first_strip = walk->since > walk->indexed->start ? first : -1;
    walk->last_strip = walk->until < walk->indexed->end ? last : (int64_t)walk->indexed->strips;
    visit_open_calls(walk, walk->strips[first].open, 0);
    visit(walk, level, 0);
}
