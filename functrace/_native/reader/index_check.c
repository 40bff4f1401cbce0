/* Check an index that was read from a file: a query follows what it refers to without looking. */
#include "index.h"

#define LATEST (2 * TIME_LIMIT)

static int is_time(int64_t time) { return time >= 0 && time <= LATEST; }

static int are_counts(int64_t calls, int64_t failed) {
    return calls >= 0 && calls <= LATEST && failed >= 0 && failed <= calls;
}

static int is_range(int64_t first, uint64_t count, uint64_t size) {
    return first >= 0 && (uint64_t)first <= size && count <= size - (uint64_t)first;
}

static int is_function(const struct index *index, int32_t function) {
    return function >= 0 && function < index->source.function_count;
}

static int is_place(const struct index *index, int64_t track, const struct strip *strip) {
    const struct source *source = &index->source;
    if (strip->piece < source->piece_of[track] || strip->piece >= source->piece_of[track + 1]) return 0;
    const struct piece *piece = &source->pieces[strip->piece];
    uint64_t into = strip->word - piece->offset;
    return into % 8 == 0 && into / 8 <= piece->words;
}

static int are_strips_valid(const struct index *index, int64_t track) {
    const struct indexed_track *indexed = &index->tracks[track];
    const struct strip *strips = index->strips + indexed->strip;
    for (uint32_t i = 0; i < indexed->strips; i++) {
        const struct strip *strip = &strips[i];
        if (!is_place(index, track, strip) || !is_time(strip->time)) return 0;
        if (!is_range(strip->crossing, 0, index->crossing_count)) return 0;
        if (strip->open < -1 || strip->open >= strip->crossing) return 0;
        if (i && (strip->crossing < strips[i - 1].crossing || strip->time < strips[i - 1].time)) return 0;
    }
    return 1;
}

static int are_tracks_valid(const struct index *index) {
    if (index->track_count != (uint64_t)index->source.track_count) return 0;
    for (uint64_t i = 0; i < index->track_count; i++) {
        const struct indexed_track *track = &index->tracks[i];
        if (!is_time(track->start) || !is_time(track->end) || track->strips == 1) return 0;
        if (!are_counts(track->calls, track->failed) || track->depth > INT32_MAX) return 0;
        if (!is_range(track->strip, track->strips, index->strip_count)) return 0;
        if (!is_range(track->part, parts_of(track->strips), index->part_count)) return 0;
        if (!are_strips_valid(index, (int64_t)i)) return 0;
    }
    return 1;
}

static int are_parts_valid(const struct index *index) {
    for (uint64_t i = 0; i < index->part_count; i++) {
        const struct part *part = &index->parts[i];
        if (!is_time(part->first) || !is_time(part->last) || !is_time(part->max_duration)) return 0;
        if (!is_range(part->summary, part->summaries, index->summary_count)) return 0;
        if (!are_counts(part->calls, part->failed)) return 0;
    }
    return 1;
}

static int are_crossings_valid(const struct index *index) {
    for (uint64_t i = 0; i < index->crossing_count; i++) {
        const struct crossing *call = &index->crossings[i];
        if (call->parent < -1 || call->parent >= (int64_t)i || !is_function(index, call->function)) return 0;
        if (!is_time(call->start) || !is_time(call->duration) || call->text < 0) return 0;
        if (!is_time(call->self) || !is_time(call->suspended) || call->depth > INT32_MAX) return 0;
    }
    return 1;
}

static int are_summaries_valid(const struct index *index) {
    for (uint64_t i = 0; i < index->summary_count; i++) {
        const struct summary *summary = &index->summaries[i];
        if (summary->depth >= SUMMARY_DEPTHS || !is_function(index, summary->function)) return 0;
        if (!is_time(summary->start) || !is_time(summary->duration)) return 0;
    }
    return 1;
}

int functrace_index_is_valid(const struct index *index) {
    return are_tracks_valid(index) && are_parts_valid(index) && are_crossings_valid(index) &&
           are_summaries_valid(index);
}
