#include "budget.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "function.h"
#include "source.h"
#include "state.h"
#include "tally.h"
#include "track.h"

enum { MILLISECOND = 1000000 };
enum { MIN_INTERVAL = 5 * MILLISECOND }; /* nanoseconds of CPU time between two evaluations */
enum { IDLE_SHARE = 30 }; /* a program that uses less of a processor counts as using this part */
enum { MIN_EVENTS = 8 }; /* in the chunk that is the sample: functions with fewer cost next to nothing */
enum { MAX_RECORDS = 10000 };
enum { MIN_WAIT = 1, MAX_WAIT = 600 }; /* seconds until a demoted function may be promoted */
enum { SCAN_PAUSE = 500 };             /* times the duration of a search for open calls */

/* An event costs that many times as much as reading the clock: the interpreter's call of our callback,
 * the clock, and the word. In a loop it is 2; in real programs, whose code and data take the processor's
 * caches, more (docs/budget.md). */
enum { CLOCK_READS_PER_EVENT = 6 };

static const double target = 0.8;        /* of the budget: the share that functions are demoted to */
static const double promote_below = 0.5; /* of the budget */

struct budget budget;

static double event_ticks; /* cost of an event */
static uint64_t cpu_at;    /* nanoseconds of CPU time at the latest evaluation */
static uint64_t ticks_at;  /* ticks at the latest evaluation */
static uint64_t low_since; /* ticks at which the share fell below half of the budget; 0 if it has not */
static uint64_t words;     /* in full chunks since then */
static uint32_t records;   /* demotion records in the file */
static uint32_t *demoted;  /* numbers of the functions that are not recorded */
static uint32_t demoted_count, demoted_capacity;

/* The latest count. */
static struct tallies tallies;
static double share;        /* the recorder's, of the CPU time since the count before */
static double chunk_seconds; /* real time that the counted chunk covers */

/* Measures the cost of an event, in ticks; the fastest of several stretches, since others may be
 * interrupted. */
static double measure_event(void) {
    enum { READS = 100, STRETCHES = 20 };
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < STRETCHES; i++) {
        uint64_t began = clock_ticks(), ended = began;
        for (int j = 0; j < READS; j++) ended = clock_ticks();
        if (ended - began < best) best = ended - began;
    }
    return (double)best / READS * CLOCK_READS_PER_EVENT;
}

void budget_begin(double limit) {
    budget = (struct budget){.share = limit};
    records = demoted_count = 0;
    low_since = 0;
    if (limit > 0) event_ticks = measure_event();
    budget_restart();
}

void budget_restart(void) {
    if (budget.share <= 0) return;
    cpu_at = clock_nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    ticks_at = clock_ticks();
    words = 0;
}

void budget_count_chunk(const struct chunk_writer *w) {
    if (budget.share <= 0 || !w->words) return;
    words += w->used - CHUNK_HEAD_WORDS;
    uint64_t now = clock_nanoseconds(CLOCK_PROCESS_CPUTIME_ID), cpu = now - cpu_at;
    if (cpu < MIN_INTERVAL) return;
    uint64_t ticks = clock_ticks();
    if (tally_chunk(&tallies, w->words, w->used, trace_file.function_count)) {
        double used = (double)cpu * 1e-9 * (double)trace_clock.ticks_per_second;
        double idle = (double)(ticks - ticks_at) / IDLE_SHARE;
        double per_word = (double)tallies.events / (w->used - CHUNK_HEAD_WORDS);
        share = (double)words * per_word * event_ticks / (used > idle ? used : idle);
        chunk_seconds = (double)(w->latest - w->words[C_BASE]) / (double)trace_clock.ticks_per_second;
        budget.is_due = true;
    }
    cpu_at = now;
    ticks_at = ticks;
    words = 0;
}

static void put_demotion(const struct function *f, uint64_t now) {
    if (records == MAX_RECORDS) return;
    records++;
    unsigned value = (f->state == RECORDED ? 0 : IS_DEMOTED) | (f->is_mute ? IS_MUTE : 0);
    file_put_demotion(f->number, value, now, f->calls_per_second);
}

/* Returns how long a demoted function waits for its promotion, in ticks. */
static uint64_t wait_of(const struct function *f) {
    uint64_t seconds = f->demotions <= 10 ? (uint64_t)MIN_WAIT << (f->demotions - 1) : MAX_WAIT;
    return (seconds < MAX_WAIT ? seconds : MAX_WAIT) * trace_clock.ticks_per_second;
}

static bool reserve_demoted(void) {
    if (demoted_count < demoted_capacity) return true;
    uint32_t wanted = 2 * demoted_capacity + 64;
    uint32_t *grown = realloc(demoted, wanted * sizeof *grown);
    if (!grown) return false;
    demoted = grown;
    demoted_capacity = wanted;
    return true;
}

static void demote(struct function *f, const struct tally *t, uint64_t now) {
    double rate = chunk_seconds > 0 ? t->entries / chunk_seconds : 0;
    f->share = share * t->events / tallies.events;
    f->calls_per_second = rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX;
    f->demotions++;
    f->promotable_at = now + wait_of(f);
    f->state = DRAINING;
    f->direct = 0;
    f->has_stale_events = true;
    demoted[demoted_count++] = f->number;
    put_demotion(f, now);
}

static bool is_same(const struct function *f, const struct function *other) {
    return f->number && f->recorded && strcmp(f->name, other->name) == 0 &&
           strcmp(f->file, other->file) == 0;
}

/* Demotes a function, and all others of its name and file: a definition that is executed again makes
 * another code object. */
static void demote_all(const struct function *wanted, uint64_t now) {
    for (struct function *f = functions; f; f = f->next)
        if (f->state == RECORDED && is_same(f, wanted) && reserve_demoted())
            demote(f, &tallies.items[f->number], now);
}

/* Stops recording the failures of a demoted function, which are all that it has in the trace. */
static void mute(struct function *f, uint64_t now) {
    f->is_mute = true;
    put_demotion(f, now);
}

static int by_events(const void *one, const void *other) {
    uint32_t a = tallies.items[*(const uint32_t *)one].events;
    uint32_t b = tallies.items[*(const uint32_t *)other].events;
    return (a < b) - (a > b);
}

/* Returns whether recording a function costs more than the budget allows for the function's own time, and
 * there are enough events to tell. */
static bool costs_too_much(const struct tally *t) {
    return t->events >= MIN_EVENTS && t->events * event_ticks > budget.share * (double)t->own_ticks;
}

/* Demotes functions, those with most events first, until the others are within the budget. */
static void demote_some(uint64_t now) {
    double projected = share;
    qsort(tallies.touched, tallies.touched_count, sizeof *tallies.touched, by_events);
    for (uint32_t i = 0; i < tallies.touched_count && projected > target * budget.share; i++) {
        const struct tally *t = &tallies.items[tallies.touched[i]];
        struct function *f = function_numbered(tallies.touched[i]);
        if (!f || f->is_mute || !costs_too_much(t)) continue;
        if (f->state == RECORDED) demote_all(f, now);
        else mute(f, now);
        projected -= share * t->events / tallies.events;
    }
}

static void promote(struct function *f, uint64_t now) {
    f->state = RECORDED;
    f->is_mute = false;
    f->has_stale_events = true;
    if (!f->started && !f->returned) f->direct = f->number;
    put_demotion(f, now);
}

static bool may_promote(const struct function *f, uint64_t now) {
    return f && f->state != RECORDED && f->promotable_at <= now;
}

/* Returns the cheapest function that may be promoted; NULL if there is none. */
static struct function *find_promotable(uint64_t now) {
    struct function *cheapest = NULL;
    for (uint32_t i = 0; i < demoted_count; i++) {
        struct function *f = function_numbered(demoted[i]);
        if (may_promote(f, now) && (!cheapest || f->share < cheapest->share)) cheapest = f;
    }
    return cheapest;
}

/* Promotes functions whose cost, as last known, fits into the budget, once the share has been low for a
 * second. The others wait again: half of the cost is assumed then, since the program may have changed. */
static void promote_some(uint64_t now) {
    if (!low_since) low_since = now;
    if (now - low_since < trace_clock.ticks_per_second) return;
    double space = target * budget.share - share;
    struct function *f;
    while (records < MAX_RECORDS && (f = find_promotable(now))) {
        if (f->share > space) {
            f->share /= 2;
            f->promotable_at = now + wait_of(f);
        } else {
            space -= f->share;
            promote(f, now);
        }
    }
}

static void mark_open(uint32_t number) {
    struct function *f = function_numbered(number);
    if (f) f->is_open = true;
}

/* Ends the events of demoted functions that have no open call. */
static void end_drained(void) {
    for (uint32_t i = 0; i < demoted_count; i++) {
        struct function *f = function_numbered(demoted[i]);
        if (f) f->is_open = false;
    }
    tracks_mark_open(mark_open);
    for (uint32_t i = 0; i < demoted_count; i++) {
        struct function *f = function_numbered(demoted[i]);
        if (!f || f->state != DRAINING || f->is_open) continue;
        f->state = SILENT;
        f->has_stale_events = true;
    }
}

/* Requests the events that the functions need by now, and removes those that are recorded again from the
 * list. */
static void apply(void) {
    uint32_t kept = 0;
    budget.draining = 0;
    for (uint32_t i = 0; i < demoted_count; i++) {
        struct function *f = function_numbered(demoted[i]);
        if (!f) continue;
        if (f->has_stale_events && source_add(f) < 0) PyErr_Clear(); /* the interpreter is ending */
        f->has_stale_events = false;
        if (f->state == DRAINING) budget.draining++;
        if (f->state != RECORDED) demoted[kept++] = f->number;
    }
    demoted_count = kept;
}

void budget_update(void) {
    uint64_t now = clock_ticks();
    if (budget.is_due && share >= promote_below * budget.share) low_since = 0;
    if (budget.is_due && share > budget.share) demote_some(now);
    else if (budget.is_due && share < promote_below * budget.share) promote_some(now);
    if (demoted_count) end_drained();
    apply();
    budget.is_due = false;
    uint64_t end = clock_ticks();
    budget.next_scan = end + SCAN_PAUSE * (end - now);
}
