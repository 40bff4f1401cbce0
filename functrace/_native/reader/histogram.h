/* Histograms of durations: 32 buckets per power of two. A block has the buckets of one. */
#ifndef FUNCTRACE_HISTOGRAM_H
#define FUNCTRACE_HISTOGRAM_H

#include <stdint.h>

enum { EXPONENTS = 57, BUCKETS = 32 };

struct block {
    int32_t owner; /* of a fold: a function, or ~ of a node; of a feed: a chain */
    int32_t exponent;
    uint32_t counts[BUCKETS];
};

/* Return the exponent of a duration's block, and its bucket there. */
static inline int bucket_of(int64_t duration, int *bucket) {
    if (duration < BUCKETS) {
        *bucket = (int)duration;
        return 0;
    }
    int high = 63 - __builtin_clzll((unsigned long long)duration);
    *bucket = (int)(duration >> (high - 5)) & (BUCKETS - 1);
    return high - 4;
}

static inline int64_t start_of_bucket(int exponent, int bucket) {
    return exponent ? (int64_t)(BUCKETS + bucket) << (exponent - 1) : bucket;
}

static inline void count_in(struct block *block, int bucket) {
    uint32_t *count = &block->counts[bucket];
    *count += *count != UINT32_MAX;
}

#endif
