/* Read the calls inside a strip again, by a walk that starts there with the calls that are open. */
#include "index.h"
#include "timed_frame.h"

enum { CALL_INSIDE = 0, CROSSING = 1 }; /* the ids of frames */

struct walk {
    struct position at;
    jmp_buf no_memory;
    struct frame *frames;
    struct function *functions;
    struct listed_call *calls;
    uint64_t call_count, call_capacity;
    int64_t *open; /* crossings, innermost first */
    uint64_t open_count, open_capacity;
    uint64_t words, word_limit;
    const struct index *index;
};

#include "pieces.h"

/* ---- what the walk meets ---- */

static void enter(struct walk *w, int32_t function, int64_t start) {
    struct frame *frame = push_frame(w, function, start, CALL_INSIDE);
    frame->inside = 0;
    frame->waited = w->at.waited;
}

static void add_listed_call(struct walk *w, const struct frame *frame, int64_t duration, int64_t ran) {
    const struct failure *failure = &w->at.failure;
    ROOM(w, w->calls, w->call_count, w->call_capacity);
    struct listed_call call = {frame->start,
                               duration,
                               ran > frame->inside ? ran - frame->inside : 0,
                               duration - ran,
                               failure->text,
                               failure->length,
                               failure->flags,
                               frame->function,
                               w->at.depth ? w->frames[w->at.depth - 1].function : -1,
                               w->at.track,
                               (uint32_t)w->at.depth};
    w->calls[w->call_count++] = call;
}

static void leave(struct walk *w, int64_t end) {
    const struct frame *frame = pop_frame(w);
    int64_t duration = end - frame->start, ran = duration - (w->at.waited - frame->waited);
    if (frame->id == CALL_INSIDE) add_listed_call(w, frame, duration, ran);
    if (!w->at.depth) return;
    struct frame *around = &w->frames[w->at.depth - 1];
    around->inside = add_time(around->inside, ran);
}

static void enter_inherited(struct walk *w, int32_t function, int64_t start) {
    struct frame *frame = push_frame(w, function, start, CROSSING);
    frame->inside = frame->waited = 0;
}

static void leave_inherited(struct walk *w, int64_t end) {
    (void)end;
    pop_frame(w);
}

static void hold(struct walk *w, int64_t time) { (void)w, (void)time; }
static void resume(struct walk *w, int64_t time) { (void)w, (void)time; }
static void lose(struct walk *w, int64_t time, uint64_t events) { (void)w, (void)time, (void)events; }
static void place_children(struct walk *w, int64_t before) { (void)w, (void)before; }
static void on_request(struct walk *w, uint64_t word, const uint8_t *payload) { (void)w, (void)word, (void)payload; }

static int is_enough(struct walk *w) {
    if (w->words == w->word_limit) return 1;
    w->words++;
    return 0;
}

/* ---- strips ---- */

static void open_crossings(struct walk *w, int64_t innermost) {
    const struct crossing *crossings = w->index->crossings;
    w->open_count = 0;
    for (int64_t c = innermost; c >= 0; c = crossings[c].parent) {
        ROOM(w, w->open, w->open_count, w->open_capacity);
        w->open[w->open_count++] = c;
    }
    for (uint64_t i = w->open_count; i-- > 0;) {
        const struct crossing *crossing = &crossings[w->open[i]];
        struct frame *frame = push_frame(w, crossing->function, crossing->start, CROSSING);
        frame->inside = frame->waited = 0;
        if (crossing->flags & CROSSING_INHERITED) w->at.inherited = w->at.depth;
    }
}

static void begin_strip(struct walk *w, const struct strip *strip) {
    struct position *at = &w->at;
    at->time = strip->time;
    at->suspended = strip->suspended != 0;
    at->hidden = strip->hidden;
    at->hidden_index = strip->hidden_index;
    at->piece = strip->piece;
    if (at->piece >= at->source->piece_of[at->track + 1]) return;
    const struct piece *piece = &at->source->pieces[at->piece];
    if (strip->word == piece->offset) {
        begin_piece(w);
        return;
    }
    at->word = strip->word;
    at->piece_end = piece->offset + (uint64_t)piece->words * 8;
    at->base = strip->base;
    at->opened = at->reopened = 0;
    at->has_gap = at->reopening = 0;
}

/* Drop the frames of the strip that was read before. */
static void forget_frames(struct walk *w) {
    while (w->at.depth) pop_frame(w);
}

static struct strip whole_track(const struct source *source, int64_t track) {
    struct strip strip = {0};
    strip.piece = source->piece_of[track];
    strip.open = -1;
    if (strip.piece < source->piece_of[track + 1]) strip.word = source->pieces[strip.piece].offset;
    return strip;
}

static void walk_strip(struct walk *w, int64_t track, int64_t number) {
    const struct index *index = w->index;
    const struct indexed_track *indexed = &index->tracks[track];
    struct strip strip = number < 0 ? whole_track(&index->source, track) : index->strips[indexed->strip + number];
    int is_last = number < 0 || number + 1 == (int64_t)indexed->strips;
    forget_frames(w);
    w->call_count = 0;
    reset_track(w, (int32_t)track);
    open_crossings(w, strip.open);
    begin_strip(w, &strip);
    w->words = 0;
    w->word_limit = is_last ? UINT64_MAX : strip.words;
    walk_track(w);
}

static int read_strip(struct walk *w, int64_t track, int64_t number) {
    if (setjmp(w->no_memory)) return STATUS_MEMORY;
    walk_strip(w, track, number);
    return STATUS_OK;
}

/* ---- from outside ---- */

struct strip_reader {
    struct walk walk;
};

static int prepare(struct walk *w) {
    if (setjmp(w->no_memory)) return 0;
    allocate_functions(w, &w->index->source);
    return 1;
}

struct strip_reader *functrace_strips_open(const struct index *index) {
    struct strip_reader *reader = calloc(1, sizeof *reader);
    if (!reader) return NULL;
    reader->walk.at.no_memory = &reader->walk.no_memory;
    reader->walk.index = index;
    if (prepare(&reader->walk)) return reader;
    functrace_strips_close(reader);
    return NULL;
}

void functrace_strips_close(struct strip_reader *reader) {
    if (!reader) return;
    free(reader->walk.frames);
    free(reader->walk.functions);
    free(reader->walk.calls);
    free(reader->walk.open);
    free(reader);
}

int functrace_strips_read(struct strip_reader *reader, int64_t track, int64_t strip, const struct listed_call **out,
                          uint64_t *count) {
    int status = read_strip(&reader->walk, track, strip);
    *out = reader->walk.calls;
    *count = reader->walk.call_count;
    return status;
}
