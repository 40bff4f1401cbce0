/* A walk over the pieces of a track of a whole file. struct walk has struct function *functions, too. */
#ifndef FUNCTRACE_PIECES_H
#define FUNCTRACE_PIECES_H

#include "walk.h"

/* Kept out of the loop over words, which is slower with more code in it. */
#define RARE __attribute__((noinline, cold))

/* The call whose entry came before is a request. */
static void on_request(struct walk *w, uint64_t word, const uint8_t *payload);
/* Whether the walk stops before the next word, to go on from there later. */
static int is_enough(struct walk *w);

static struct function *state_of(struct walk *w, int32_t function) { return &w->functions[function]; }

static int misses_words(const struct walk *w) { return w->at.has_gap; }

static uint32_t flags_of_missing_exit(const struct walk *w) {
    (void)w;
    return CALL_UNFINISHED;
}

static void allocate_functions(struct walk *w, const struct source *source) {
    size_t functions = ((size_t)source->function_count + 1) * sizeof *w->functions;
    w->at.source = source;
    w->functions = checked(w, malloc(functions));
    memset(w->functions, -1, functions);
}

static void on_record(struct walk *w, uint64_t word, uint64_t payload_at) {
    struct position *at = &w->at;
    const uint8_t *payload = at->source->data + payload_at;
    uint32_t bytes = record_bytes(word), type = record_type(word);
    if (type == RECORD_BASE && bytes >= 8) {
        at->base = load64(payload);
    } else if (type == RECORD_OPEN && bytes >= 16) {
        int inherited = record_value(word) == OPEN_INHERITED;
        if (at->reopening) on_open(w, load64(payload), load64(payload + 8), inherited);
    } else if (type == RECORD_INHERITED && bytes >= 16) {
        if (at->reopening) settle(w);
        on_inherited(w, load64(payload), load64(payload + 8));
    } else if (type == RECORD_LOST) {
        on_lost(w, record_value(word));
    } else if (type == RECORD_ERROR || type == RECORD_PANIC) {
        if (at->reopening) settle(w);
        on_failure(at, word, payload_at);
    } else if (type == RECORD_SUSPENDED || type == RECORD_RESUMED) {
        if (at->reopening) settle(w);
        on_wait(w, word);
    } else if (type == RECORD_REQUEST) {
        if (at->reopening) settle(w);
        on_request(w, word, payload);
    } else if (type == RECORD_STATUS) {
        if (at->reopening) settle(w);
        at->failure.status = STATUS_KNOWN | record_value(word);
    }
}

/* The calls in a list that had begun before a time are those that were open then and still are. */
static void open_listed_before(struct walk *w, const struct piece *list, int64_t before) {
    const uint8_t *data = w->at.source->data;
    uint64_t here = list->offset, end = here + (uint64_t)list->words * 8;
    while (here < end) {
        uint64_t word = load64(data + here);
        if ((word & 3) != WORD_RECORD || record_size(word) > end - here) return;
        if (record_type(word) == RECORD_OPEN && record_bytes(word) >= 16) {
            uint64_t entered = load64(data + here + 8);
            if (ticks_since(entered, w->at.source->start) >= before) return;
            on_open(w, entered, load64(data + here + 16), record_value(word) == OPEN_INHERITED);
        }
        here += record_size(word);
    }
}

/* Find out from the track's next list which calls are open where words before a piece are missing. */
static void bridge_gap(struct walk *w, const struct piece *piece) {
    struct position *at = &w->at;
    const struct piece *pieces = at->source->pieces;
    int64_t end = at->source->piece_of[at->track + 1];
    if (at->list < at->piece) at->list = at->piece;
    while (at->list < end && !(pieces[at->list].flags & (PIECE_LISTS | PIECE_STARTS))) at->list++;
    if (at->list < end && pieces[at->list].flags & PIECE_LISTS)
        open_listed_before(w, &pieces[at->list], piece->first);
}

static void begin_piece(struct walk *w) {
    struct position *at = &w->at;
    const struct piece *piece = &at->source->pieces[at->piece];
    at->word = piece->offset;
    at->piece_end = at->word + (uint64_t)piece->words * 8;
    at->base = piece->base;
    at->opened = piece->open;
    at->has_gap = at->in_gap = (piece->flags & PIECE_GAP) != 0;
    at->reopening = (piece->flags & PIECE_COUNTED) != 0;
    at->reopened = 0;
    if (at->has_gap && !(piece->flags & PIECE_LISTS)) bridge_gap(w, piece);
}

/* Without its first piece. */
static void reset_track(struct walk *w, int32_t track) {
    struct position *at = &w->at;
    at->track = track;
    at->time = at->waited = 0;
    at->suspended = at->tolerant = 0;
    at->in_gap = 1;
    at->hidden = at->hidden_index = at->inherited = 0;
    memset(&at->failure, 0, sizeof at->failure);
    at->piece = at->list = at->source->piece_of[track];
}

static void end_track(struct walk *w) {
    struct position *at = &w->at;
    place_children(w, INT64_MAX);
    if (at->source->end > at->time) pass_time(at, at->source->end);
    abandon_calls(w, 0, at->time);
}

/* Whether the piece was gone through. */
static int walk_piece(struct walk *w) {
    struct position *at = &w->at;
    const uint8_t *data = at->source->data;
    uint64_t here = at->word, end = at->piece_end;
    while (here < end) {
        if (is_enough(w)) {
            at->word = here;
            return 0;
        }
        uint64_t word = load64(data + here);
        uint32_t kind = word & 3;
        if (kind == WORD_ENTRY || kind == WORD_EXIT) {
            if (at->reopening) settle(w);
            on_event(w, word);
        } else if (kind == WORD_RECORD) {
            if (record_size(word) > end - here) break;
            on_record(w, word, here + 8);
            here += record_size(word) - 8;
        }
        here += 8;
    }
    if (at->reopening) settle(w);
    return 1;
}

/* Whether the track was gone through, and nothing is open any more. */
static int walk_track(struct walk *w) {
    struct position *at = &w->at;
    int64_t end = at->source->piece_of[at->track + 1];
    while (at->piece < end) {
        if (!walk_piece(w)) return 0;
        if (++at->piece < end) begin_piece(w);
    }
    end_track(w);
    return 1;
}

#endif
