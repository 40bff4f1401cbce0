/* Filters of single calls, and the rows of those that match. */
#ifndef FUNCTRACE_LISTED_H
#define FUNCTRACE_LISTED_H

#include <stdint.h>

struct row {
    int64_t start, duration, suspended, text;
    uint32_t text_length, flags;
    int32_t node, function, track, depth, parent, padding;
};

struct listing_request {
    const uint8_t *row_of; /* by function, or NULL: all */
    const uint8_t *focus;  /* by function: rows are such calls or inside one; NULL: all */
    int64_t row_limit, min_duration, failed_only, include_callers, preceding_rows;
    int64_t match_since, match_until;
    int64_t usual_factor; /* once half of the limit is reached, only calls of this many times the 90th percentile
                           * of the calls of their function so far; 0: all */
};

struct row_table {
    struct row *rows;
    uint64_t count, capacity;
    int64_t truncated;
    int64_t *omitted; /* by function: the longest duration that usual_factor left out; NULL without one */
};

#endif
