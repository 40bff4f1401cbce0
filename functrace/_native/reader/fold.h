#ifndef FUNCTRACE_FOLD_H
#define FUNCTRACE_FOLD_H

#include "histogram.h"
#include "listed.h"
#include "requests.h"

struct node {
    int64_t calls, total, self, suspended, min, max, errors, panics, unfinished;
    int64_t partial; /* calls whose chains lack callers */
    int64_t slowest_start, failed_start, failed_text, last;
    int64_t max_in_caller, caller_calls; /* most calls in one call of the caller; calls of it with any */
    int32_t parent, function, slowest_track, failed_track;
    int32_t histogram;
    uint16_t failed_length;
    uint8_t started, recursive;
    int32_t window, padding; /* window: of the calls of its parent that ended in it; -1 for none */
};

struct node_origin { /* of an inbound call's own node */
    int32_t node;
    uint32_t origin;
};

struct fold_request {
    struct source source;
    const uint8_t *selected_tracks; /* by track, or NULL: all */
    const uint8_t *histogram_of;    /* by function, or NULL: nodes have no histograms */
    const uint8_t *direction_of;    /* by function: INBOUND, OUTBOUND or 0; NULL: requests are not listed */
    const uint64_t *origin_numbers; /* of inbound calls, in ascending order */
    const uint32_t *origin_ids;     /* their origins */
    uint64_t origin_count;
    int64_t starts_are_observed; /* tracks start when they are made, not with their first event */
    int64_t since, until;
    int64_t node_limit;
    const struct listing_request *listings;
    uint64_t listing_count;
    const int64_t *bounds; /* or NULL: ends of windows; calls that ended in none do not count */
    uint64_t bound_count;
    double ns_per_tick; /* with bounds: histograms are of nanoseconds */
};

struct fold_result {
    struct node *nodes;
    uint64_t node_count, node_capacity;
    struct block *blocks;
    uint64_t block_count, block_capacity;
    struct row_table *listed; /* by listing */
    uint64_t listing_count;
    struct requests requests;
    struct node_origin *origins;
    uint64_t origin_count, origin_capacity;
    struct anomalies anomalies;
    int64_t overflow;
};

int functrace_fold(const struct fold_request *ask, struct fold_result *out);
void functrace_release_result(struct fold_result *result);

#endif
