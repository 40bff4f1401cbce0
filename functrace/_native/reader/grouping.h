/* Parts of a track in the index that is built: each strip, groups of strips, groups of these, and so on. */
#ifndef FUNCTRACE_GROUPING_H
#define FUNCTRACE_GROUPING_H

#include "gathering.h"

/* ---- parts ---- */

/* Keep what was gathered as the next part of a level, and its summaries. */
static void keep_part(struct walk *w, struct gathering *g, int at_level) {
    struct level *level = &w->levels[at_level];
    struct index_parts *out = &w->out;
    if (!g->part.calls) g->part.first = 0;
    g->part.summary = (int64_t)out->summary_count;
    for (uint32_t depth = 0; depth < g->depths; depth++) {
        if (!g->at[depth].calls) continue;
        ROOM(w, out->summaries, out->summary_count, out->summary_capacity);
        out->summaries[out->summary_count++] = g->at[depth];
        g->part.summaries++;
    }
    ROOM(w, level->items, level->count, level->capacity);
    level->items[level->count++] = g->part;
    clear_gathering(g);
}

/* ---- groups ---- */

/* Add the crossings that are inside a group of 1 << bits strips, from begin to before end, and inside no smaller
 * group. */
static void add_crossings(struct walk *w, uint64_t begin, uint64_t end, int bits) {
    const struct strip *strips = w->out.strips + w->track.strip;
    for (uint64_t i = begin; i < end; i++) {
        int64_t last = i + 1 < w->track.strips ? strips[i + 1].crossing : (int64_t)w->out.crossing_count;
        for (int64_t c = strips[i].crossing; c < last; c++) {
            const struct crossing *call = &w->out.crossings[c];
            if (call->last_strip >= end || (call->flags & CROSSING_INHERITED)) continue;
            if (i >> (bits - 3) == call->last_strip >> (bits - 3)) continue;
            add_call(&w->group, call->start, call->duration, call->suspended, call->function, call->flags, call->depth);
        }
    }
}

/* Make the next part of a level from those of the level below that are in none yet. */
static void close_group(struct walk *w, int level) {
    const struct level *below = &w->levels[level - 1];
    int bits = 3 * level;
    uint64_t begin = w->levels[level].count << bits, end = begin + ((uint64_t)1 << bits);
    if (end > w->track.strips) end = w->track.strips;
    for (uint64_t i = w->levels[level].count * GROUP; i < below->count; i++)
        add_part(&w->group, &below->items[i], w->out.summaries);
    add_crossings(w, begin, end, bits);
    keep_part(w, &w->group, level);
}

static void close_full_groups(struct walk *w) {
    for (int level = 1; level < LEVELS && w->levels[level - 1].count % GROUP == 0; level++) close_group(w, level);
}

/* At the track's end: up to the level of one part. */
static void close_all_groups(struct walk *w) {
    for (int level = 1; level < LEVELS && w->levels[level - 1].count > 1; level++)
        if (w->levels[level - 1].count > w->levels[level].count * GROUP) close_group(w, level);
}

#endif
