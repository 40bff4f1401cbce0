/* A walk over the pieces of a whole file, track by track: a parent before the tracks that it started, which
 * go on in its calls. */
#ifndef FUNCTRACE_BATCH_H
#define FUNCTRACE_BATCH_H

#include "pieces.h"

/* Parent a track that this one started to the call with this id. */
static void put_child(struct walk *w, int32_t child, int64_t id);

static void list_children(struct walk *w) {
    struct position *at = &w->at;
    int64_t count = at->source->track_count;
    const struct track *tracks = at->source->tracks;
    at->first_child = checked(w, calloc((size_t)count + 2, sizeof *at->first_child));
    at->children = checked(w, calloc((size_t)count + 1, sizeof *at->children));
    int32_t *next = at->first_child + 1;
    for (int64_t i = 0; i < count; i++)
        if (tracks[i].parent >= 0) next[tracks[i].parent + 1]++;
    for (int64_t i = 1; i <= count; i++) next[i] += next[i - 1];
    for (int64_t i = 0; i < count; i++)
        if (tracks[i].parent >= 0) at->children[next[tracks[i].parent]++] = (int32_t)i;
}

static void begin_walk(struct walk *w, const struct source *source) {
    allocate_functions(w, source);
    list_children(w);
}

static void end_walk(struct walk *w) {
    free(w->frames);
    free(w->functions);
    free(w->at.first_child);
    free(w->at.children);
}

/* ---- where children of a track go on ---- */

static int64_t place_of_child(const struct walk *w, int32_t starter) {
    const struct position *at = &w->at;
    if (starter >= 0) {
        const struct function *state = &w->functions[starter];
        if (state->innermost >= 0) return w->frames[state->innermost].id;
        if (state->last_track == at->track) return state->last;
    }
    return at->depth ? w->frames[at->depth - 1].id : at->outer;
}

/* Children that begin before the time given go on in what is open now. */
static void place_children(struct walk *w, int64_t before) {
    struct position *at = &w->at;
    while (at->child < at->child_end) {
        int32_t child = at->children[at->child];
        const struct track *track = &at->source->tracks[child];
        if (track->start >= before) return;
        put_child(w, child, place_of_child(w, track->starter));
        at->child++;
    }
}

/* outer is the call in which the track's chain goes on, or -1. */
static void begin_track(struct walk *w, int32_t track, int64_t outer) {
    struct position *at = &w->at;
    reset_track(w, track);
    at->child = at->first_child[track];
    at->child_end = at->first_child[track + 1];
    at->outer = outer;
    if (at->piece < at->source->piece_of[track + 1]) begin_piece(w);
}

#endif
