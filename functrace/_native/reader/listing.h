/* Lists of single calls that a fold makes on its way, each with its own filter. */
#ifndef FUNCTRACE_LISTING_H
#define FUNCTRACE_LISTING_H

#include "listed.h"
#include "track.h"

/* What has ended in a call that may be listed and is open: rows whose parent it will be, whether
 * it is to be listed for what was in it, rows to be listed if a call in focus comes next. */
struct ended {
    int32_t rows, last_row, lists_inner;
    int32_t before, last_before, before_count;
    int32_t listed; /* the innermost that may be listed: this one, or one around it */
};

/* A row that is to be listed if a call in focus comes next. */
struct waiting {
    struct row row;
    int32_t next, counts;
};

/* What is usual for a function so far. */
struct usual {
    int64_t candidates, limit;
};

struct listing {
    const struct listing_request *ask;
    struct row_table *out;
    struct ended *ended; /* outside of any call, then of each open call */
    uint64_t ended_capacity;
    struct waiting *pool;
    uint64_t pool_count, pool_capacity;
    int32_t pool_free;
    int64_t open_in_focus; /* open calls of the track to functions in focus */
    struct usual *usual;   /* by function, or NULL */
};

static void open_listing(struct walk *w, struct listing *l, const struct listing_request *ask, struct row_table *out,
                         int64_t functions) {
    l->ask = ask;
    l->out = out;
    l->pool_free = -1;
    if (!ask->usual_factor) return;
    l->usual = checked(w, calloc((size_t)functions + 1, sizeof *l->usual));
    out->omitted = checked(w, calloc((size_t)functions + 1, sizeof *out->omitted));
}

static void close_listing(struct listing *l) {
    free(l->ended);
    free(l->pool);
    free(l->usual);
}

/* ---- filters ---- */

static int may_be_listed(const struct listing_request *ask, int32_t function) {
    return !ask->row_of || ask->row_of[function];
}

static int is_in_focus(const struct listing_request *ask, int32_t function) {
    return ask->focus && ask->focus[function];
}

static int may_match(const struct listing_request *ask, int32_t function, int64_t start, int64_t end) {
    return end - start >= ask->min_duration && end >= ask->match_since && start <= ask->match_until &&
           may_be_listed(ask, function);
}

static int is_listed(const struct listing *l, const struct row *row, const struct ended *own) {
    const struct listing_request *ask = l->ask;
    if (ask->include_callers && own->lists_inner) return 1;
    if (ask->focus) return l->open_in_focus || is_in_focus(ask, row->function);
    return !ask->failed_only || (row->flags & (CALL_ERROR | CALL_PANIC));
}

/* Return whether a call took unusually long, as far as this is known. */
static int is_unusual(struct walk *w, struct listing *l, int32_t function, int64_t duration) {
    if (!l->usual || (int64_t)l->out->count * 2 < l->ask->row_limit) return 1;
    struct usual *usual = &l->usual[function];
    int64_t number = ++usual->candidates;
    if (!(number & (number - 1))) usual->limit = l->ask->usual_factor * usual_duration(w, function);
    if (duration > usual->limit) return 1;
    if (duration > l->out->omitted[function]) l->out->omitted[function] = duration;
    return 0;
}

/* ---- rows ---- */

/* Until a row's parent is known, its parent field is the next of those that wait for it. */
static void adopt_rows(struct row_table *out, int32_t row, int32_t parent) {
    while (row >= 0) {
        int32_t next = out->rows[row].parent;
        out->rows[row].parent = parent;
        row = next;
    }
}

/* The rows that wait in a call that is not listed wait on in the one around it. */
static void pass_rows(struct row_table *out, const struct ended *from, struct ended *to) {
    to->lists_inner |= from->lists_inner;
    if (from->rows < 0) return;
    if (to->rows < 0)
        to->rows = from->rows;
    else
        out->rows[to->last_row].parent = from->rows;
    to->last_row = from->last_row;
}

/* The row's parent is what waits for it, its own children are what waits in its call. */
static void add_row(struct walk *w, struct listing *l, const struct row *row, struct ended *own) {
    struct row_table *out = l->out;
    if ((int64_t)out->count >= l->ask->row_limit) {
        out->truncated = 1;
        return;
    }
    ROOM(w, out->rows, out->count, out->capacity);
    int32_t index = (int32_t)out->count++;
    adopt_rows(out, own->rows, index);
    out->rows[index] = *row;
    own->rows = own->last_row = index;
}

/* ---- calls just before a call in focus ---- */

static int32_t pool_slot(struct walk *w, struct listing *l) {
    int32_t slot = l->pool_free;
    if (slot >= 0) {
        l->pool_free = l->pool[slot].next;
        return slot;
    }
    ROOM(w, l->pool, l->pool_count, l->pool_capacity);
    return (int32_t)l->pool_count++;
}

static void drop_before(struct listing *l, struct ended *around) {
    if (around->before < 0) return;
    l->pool[around->last_before].next = l->pool_free;
    l->pool_free = around->before;
    around->before = around->last_before = -1;
    around->before_count = 0;
}

static void note_before(struct walk *w, struct listing *l, const struct row *row, int counts, struct ended *around) {
    if (around->before_count == l->ask->preceding_rows) {
        int32_t oldest = around->before;
        around->before = l->pool[oldest].next;
        l->pool[oldest].next = l->pool_free;
        l->pool_free = oldest;
        around->before_count--;
    }
    int32_t slot = pool_slot(w, l);
    l->pool[slot].row = *row;
    l->pool[slot].counts = counts;
    if (around->before_count++)
        l->pool[around->last_before].next = slot;
    else
        around->before = slot;
    around->last_before = slot;
}

static void list_before(struct walk *w, struct listing *l, struct ended *around) {
    int32_t slot = around->before;
    for (int32_t left = around->before_count; left > 0; left--, slot = l->pool[slot].next) {
        struct ended own = {-1, -1, 0, -1, -1, 0, 0};
        if (l->pool[slot].counts) add_row(w, l, &l->pool[slot].row, &own);
        pass_rows(l->out, &own, around);
    }
    drop_before(l, around);
}

/* ---- calls that begin and end ---- */

static void open_ended(struct walk *w, struct listing *l, uint64_t at, int32_t listed) {
    struct ended nothing = {-1, -1, 0, -1, -1, 0, listed};
    ROOM(w, l->ended, at, l->ended_capacity);
    l->ended[at] = nothing;
}

/* The call is the innermost of `depth` open ones. */
static void begin_listed(struct walk *w, struct listing *l, int32_t function, uint64_t depth) {
    int32_t listed = may_be_listed(l->ask, function) ? (int32_t)depth : l->ended[depth - 1].listed;
    open_ended(w, l, depth, listed);
    l->open_in_focus += is_in_focus(l->ask, function);
}

static void leave_focus(struct listing *l, int32_t function) { l->open_in_focus -= is_in_focus(l->ask, function); }

/* A call that matches has ended, and left the focus, inside others. Calls in the match window
 * decide what matches. Only those that count become rows, so that windows add up. */
static void list_call(struct walk *w, struct listing *l, const struct row *row, int counts) {
    struct ended *around = &l->ended[l->ended[row->depth].listed], *own = &l->ended[row->depth + 1];
    if (is_in_focus(l->ask, row->function) && !l->open_in_focus) list_before(w, l, around);
    if (is_listed(l, row, own)) {
        own->lists_inner = 1;
        if (counts && is_unusual(w, l, row->function, row->duration)) add_row(w, l, row, own);
    } else if (l->ask->preceding_rows) {
        note_before(w, l, row, counts, around);
    }
}

/* What waits in a call that has ended inside `depth` open ones waits on in the one around it. */
static void end_listed(struct listing *l, uint64_t depth) {
    struct ended *around = &l->ended[l->ended[depth].listed], *own = &l->ended[depth + 1];
    pass_rows(l->out, own, around);
    drop_before(l, own);
}

static void begin_track_listing(struct walk *w, struct listing *l) { open_ended(w, l, 0, 0); }

static void end_track_listing(struct listing *l) {
    adopt_rows(l->out, l->ended[0].rows, -1);
    drop_before(l, &l->ended[0]);
}

#endif
