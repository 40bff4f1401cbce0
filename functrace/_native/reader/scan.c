/* Find the chunks of a file, and the pieces of tracks in chunks of events.
 * The reference implementation is tests/reference/scan.py. */
#include "scan.h"

static int read_head(const uint8_t *at, struct chunk *chunk) {
    chunk->kind = load32(at + 4);
    chunk->size = load32(at + 8);
    chunk->open = load32(at + 12);
    chunk->sequence = load64(at + 16);
    chunk->track = load64(at + 24);
    chunk->base = load64(at + 32);
    chunk->padding = 0;
    return memcmp(at, "CHNK", 4) == 0 && (chunk->kind == 1 || chunk->kind == 2) &&
           chunk->size >= CHUNK_STEP && chunk->size % CHUNK_STEP == 0 &&
           chunk->size <= CHUNK_LIMIT && chunk->sequence > 0;
}

/* A head's first word is stored last, and the words behind it after that: a process that was killed
 * in between has begun no chunk. */
static int is_nonsense(const uint8_t *at, uint64_t left) {
    for (uint64_t i = 0; i < left && i < CHUNK_HEAD + 8; i++)
        if (at[i] && (i < 8 || i >= CHUNK_HEAD)) return 1;
    return 0;
}

static int add_chunk(struct chunks *out, const struct chunk *chunk) {
    struct chunk *items = room(out->items, out->count, &out->capacity, sizeof *items);
    if (!items) return 0;
    out->items = items;
    items[out->count++] = *chunk;
    return 1;
}

/* A chunk may have been reserved and never begun, so a zero ends the contents only where no chunk
 * comes within the longest chunk's length. Where old chunks are overwritten, zeros end nothing. */
int functrace_chunks(const uint8_t *data, uint64_t size, uint64_t at, int overwritten,
                     struct chunks *out) {
    uint64_t end = at;
    int nonsense = 0;
    while (at < size && (overwritten || at - end <= CHUNK_LIMIT)) {
        uint64_t left = size - at;
        struct chunk chunk;
        if (left < CHUNK_HEAD || !read_head(data + at, &chunk)) {
            nonsense |= is_nonsense(data + at, left);
            at += CHUNK_STEP;
            continue;
        }
        out->gaps += nonsense;
        nonsense = 0;
        if (chunk.size > left) {
            out->cut++;
            chunk.size = (uint32_t)left;
        }
        chunk.offset = at;
        if (!add_chunk(out, &chunk)) return STATUS_MEMORY;
        at += chunk.size;
        end = at;
    }
    out->gaps += nonsense;
    return STATUS_OK;
}

void functrace_release_chunks(struct chunks *chunks) { free(chunks->items); }

/* A run without words is kept: without it, words before the next run would seem to be missing. */
static int end_piece(struct pieces *out, struct piece *piece, uint64_t at) {
    int is_run = piece->track && (piece->flags & PIECE_STARTS || piece->run);
    piece->words = (uint32_t)((at - piece->offset) / 8);
    if (piece->words == 0 && !is_run) return 1;
    if (piece->track == 0) {
        out->trackless += piece->words;
        return 1;
    }
    struct piece *items = room(out->items, out->count, &out->capacity, sizeof *items);
    if (!items) return 0;
    out->items = items;
    items[out->count++] = *piece;
    return 1;
}

static int add_track(struct pieces *out, const uint8_t *data, uint64_t at, uint64_t word,
                     uint64_t start) {
    struct track_record *tracks =
        room(out->tracks, out->track_count, &out->track_capacity, sizeof *tracks);
    if (!tracks) return 0;
    out->tracks = tracks;
    struct track_record *track = &tracks[out->track_count++];
    uint64_t kind = record_value(word) & TRACK_KIND_MASK;
    track->id = load64(data + at + 8);
    track->parent = load64(data + at + 16);
    track->start = ticks_since(load64(data + at + 24), start);
    track->starter = load32(data + at + 32);
    track->line = load32(data + at + 36);
    track->kind = kind <= 3 ? (uint32_t)kind : 0;
    track->name = at + 8 + TRACK_PAYLOAD;
    track->name_length = record_bytes(word) - TRACK_PAYLOAD;
    return 1;
}

static struct piece piece_at(uint64_t track, uint64_t offset, uint64_t base, uint64_t start) {
    struct piece piece = {track, offset, base, ticks_since(base, start), 0, 0, 0, 0};
    return piece;
}

/* The first time seen replaces the base as the piece's beginning. */
static void note_time(struct piece *piece, int64_t time) {
    if (!(piece->flags & PIECE_TIMED) || time < piece->first) piece->first = time;
    piece->flags |= PIECE_TIMED;
}

static void note_word(struct pieces *out, struct piece *piece, int64_t time) {
    note_time(piece, time);
    if (out->timed == 0 || time < out->first) out->first = time;
    if (out->timed == 0 || time > out->last) out->last = time;
    out->timed++;
}

/* A new track's record ends the piece before it; whose the words behind a bad one are, nobody knows. */
static int begin_track(struct pieces *out, const uint8_t *data, uint64_t at, uint64_t word,
                       uint64_t base, uint64_t start, struct piece *piece) {
    int is_bad = record_bytes(word) < TRACK_PAYLOAD || load64(data + at + 8) == 0;
    int is_again = (record_value(word) & TRACK_AGAIN) != 0;
    if (is_again && !is_bad && load64(data + at + 8) == piece->track)
        return add_track(out, data, at, word, start);
    if (!end_piece(out, piece, at)) return 0;
    *piece = piece_at(0, at + record_size(word), base, start);
    if (is_bad || is_again) {
        out->bad_tracks++;
        return 1;
    }
    if (!add_track(out, data, at, word, start)) return 0;
    piece->track = out->tracks[out->track_count - 1].id;
    piece->flags = PIECE_STARTS;
    return 1;
}

static int switch_track(struct pieces *out, const uint8_t *data, uint64_t at, uint64_t word,
                        uint64_t base, uint64_t start, struct piece *piece) {
    if (!end_piece(out, piece, at)) return 0;
    *piece = piece_at(0, at + record_size(word), base, start);
    if (record_bytes(word) < 8 || load64(data + at + 8) == 0) {
        out->bad_tracks++;
        return 1;
    }
    piece->track = load64(data + at + 8);
    piece->flags = PIECE_COUNTED;
    piece->run = record_value(word) & RUN_MASK;
    piece->open = record_value(word) >> RUN_BITS & RUN_OPEN_LIMIT;
    return 1;
}

/* In version 1 a chunk is that of one track until another begins in it. */
static struct piece first_piece(const struct chunk *chunk, uint64_t start, int version) {
    uint64_t at = chunk->offset + CHUNK_HEAD;
    struct piece piece = piece_at(version == 1 ? chunk->track : 0, at, chunk->base, start);
    if (version == 1) {
        piece.open = chunk->open;
        piece.flags = PIECE_COUNTED;
    }
    return piece;
}

static int scan_chunk(struct pieces *out, const uint8_t *data, const struct chunk *chunk,
                      uint64_t start, int version) {
    uint64_t at = chunk->offset + CHUNK_HEAD, end = chunk->offset + chunk->size;
    uint64_t base = chunk->base;
    struct piece piece = first_piece(chunk, start, version);
    while (at + 8 <= end) {
        uint64_t word = load64(data + at);
        if (word == 0) break;
        uint32_t kind = word & 3;
        if (kind == WORD_ENTRY || kind == WORD_EXIT) {
            note_word(out, &piece, ticks_since(base + word_ticks(word), start));
            out->events++;
            at += 8;
            continue;
        }
        if (kind != WORD_RECORD) {
            out->stray++;
            at += 8;
            continue;
        }
        if (record_size(word) > end - at) {
            out->cut++;
            break;
        }
        uint32_t type = record_type(word), bytes = record_bytes(word);
        if (type == RECORD_BASE && bytes >= 8) base = load64(data + at + 8);
        if ((type == RECORD_OPEN || type == RECORD_INHERITED) && bytes >= 16)
            note_time(&piece, ticks_since(load64(data + at + 8), start));
        if (type == RECORD_OPEN) piece.flags |= PIECE_LISTS;
        if (type == RECORD_SUSPENDED || type == RECORD_RESUMED)
            note_word(out, &piece, ticks_since(base + record_value(word), start));
        if (type == RECORD_TRACK &&
            !begin_track(out, data, at, word, base, start, &piece))
            return 0;
        if (type == RECORD_SWITCH && version > 1 &&
            !switch_track(out, data, at, word, base, start, &piece))
            return 0;
        at += record_size(word);
    }
    return end_piece(out, &piece, at);
}

/* Chunks come in the order of their sequence numbers; those that are not of events are skipped. */
int functrace_pieces(const uint8_t *data, uint64_t start, int version, const struct chunk *chunks,
                     uint64_t count, struct pieces *out) {
    for (uint64_t i = 0; i < count; i++)
        if (chunks[i].kind == 2 && !scan_chunk(out, data, &chunks[i], start, version))
            return STATUS_MEMORY;
    return STATUS_OK;
}

void functrace_release_pieces(struct pieces *pieces) {
    free(pieces->items);
    free(pieces->tracks);
}
