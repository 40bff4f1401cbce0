#ifndef FUNCTRACE_SCAN_H
#define FUNCTRACE_SCAN_H

#include "trace.h"

struct chunks {
    struct chunk *items;
    uint64_t count, capacity;
    uint64_t gaps, cut;
};

struct pieces {
    struct piece *items;
    uint64_t count, capacity;
    struct track_record *tracks;
    uint64_t track_count, track_capacity;
    uint64_t events, timed;
    int64_t first, last;
    uint64_t stray, cut, trackless, bad_tracks;
};

int functrace_chunks(const uint8_t *data, uint64_t size, uint64_t at, int overwritten,
                     struct chunks *out);
void functrace_release_chunks(struct chunks *chunks);
int functrace_pieces(const uint8_t *data, uint64_t start, int version, const struct chunk *chunks,
                     uint64_t count, struct pieces *out);
void functrace_release_pieces(struct pieces *pieces);

#endif
