/* Windows of time, whose bounds are ticks: each begins with a bound and ends before the next one. */
#ifndef FUNCTRACE_WINDOWS_H
#define FUNCTRACE_WINDOWS_H

#include "trace.h"

/* Find the window of a time. latest: the window that was found last, which is tried first. Return 0 if the
 * time is in none. There are at least two bounds. */
static inline int find_window(const int64_t *bounds, uint64_t count, int64_t time, uint64_t *latest) {
    uint64_t low = 0, high = count - 1; /* bounds[low] <= time < bounds[high] */
    if (time < bounds[low] || time >= bounds[high]) return 0;
    if (time >= bounds[*latest] && time < bounds[*latest + 1]) return 1;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (time < bounds[middle])
            high = middle;
        else
            low = middle;
    }
    *latest = low;
    return 1;
}

/* A duration beyond the last histogram bucket counts in it. */
static inline int64_t to_nanoseconds(int64_t ticks, double ns_per_tick) {
    const int64_t limit = 2 * TIME_LIMIT - 1;
    double ns = (double)ticks * ns_per_tick + 0.5;
    return ns < (double)limit ? (int64_t)ns : limit;
}

#endif
