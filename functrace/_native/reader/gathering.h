/* Calls that are gathered into a part of the index, with a summary for each depth. */
#ifndef FUNCTRACE_GATHERING_H
#define FUNCTRACE_GATHERING_H

#include "index.h"

/* The calls of a strip or group so far: for each depth up to the deepest, its summary; calls is 0 if none. */
struct gathering {
    struct part part;
    struct summary at[SUMMARY_DEPTHS];
    uint32_t depths;
};

static inline void clear_gathering(struct gathering *g) {
    memset(&g->part, 0, sizeof g->part);
    memset(g->at, 0, g->depths * sizeof *g->at);
    g->depths = 0;
    g->part.first = INT64_MAX;
}

static inline void add_summary(struct gathering *g, const struct summary *from) {
    struct summary *to = &g->at[from->depth];
    if (from->depth >= g->depths) g->depths = from->depth + 1u;
    if (!to->calls) {
        *to = *from;
        return;
    }
    int64_t end = from->start + from->duration, known = to->start + to->duration;
    if (from->start < to->start) to->start = from->start;
    to->duration = (known > end ? known : end) - to->start;
    to->calls = from->calls > UINT32_MAX - to->calls ? UINT32_MAX : to->calls + from->calls;
    to->flags |= from->flags;
    add_weight(&to->weight, &to->function, from->weight, from->function);
}

static inline void add_call(struct gathering *g, int64_t start, int64_t duration, int64_t suspended, int32_t function,
                            uint32_t flags, uint64_t depth) {
    struct part *part = &g->part;
    if (start < part->first) part->first = start;
    if (start + duration > part->last) part->last = start + duration;
    if (duration > part->max_duration) part->max_duration = duration;
    part->functions |= function_bit(function);
    part->calls++;
    part->failed += is_failed(flags);
    if (depth >= SUMMARY_DEPTHS) return;
    struct summary one = {start, duration, (float)duration, function, 1, (uint16_t)depth,
                          (uint16_t)slice_flags(flags, suspended)};
    add_summary(g, &one);
}

/* Add the calls inside a smaller part, whose summaries are among those given. */
static inline void add_part(struct gathering *g, const struct part *from, const struct summary *summaries) {
    struct part *part = &g->part;
    if (!from->calls) return;
    if (from->first < part->first) part->first = from->first;
    if (from->last > part->last) part->last = from->last;
    if (from->max_duration > part->max_duration) part->max_duration = from->max_duration;
    part->functions |= from->functions;
    part->calls += from->calls;
    part->failed += from->failed;
    for (uint32_t i = 0; i < from->summaries; i++) add_summary(g, &summaries[from->summary + i]);
}

#endif
