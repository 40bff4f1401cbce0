/* Clock of a trace: ticks of the processor's counter if it is reliable, otherwise nanoseconds. */
#ifndef FUNCTRACE_CLOCK_H
#define FUNCTRACE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

struct clock {
    bool is_counter;
    uint64_t ticks_per_second;
};

extern struct clock trace_clock;

/* Selects and calibrates the clock, once. */
void clock_begin(void);

const char *clock_name(void);

uint64_t clock_nanoseconds(clockid_t which);

static inline uint64_t clock_counter(void) {
#if defined(__x86_64__)
    return __rdtsc();
#elif defined(__aarch64__)
    uint64_t now;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(now));
    return now;
#else
    return 0;
#endif
}

static inline uint64_t clock_ticks(void) {
    return __builtin_expect(trace_clock.is_counter, 1) ? clock_counter()
                                                       : clock_nanoseconds(CLOCK_MONOTONIC);
}

#endif
