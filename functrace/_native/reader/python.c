#include "python.h"

int functrace_array(PyObject *argument, size_t item_size, struct array *out) {
    out->items = NULL;
    out->count = 0;
    if (argument == Py_None) return 1;
    unsigned long long address, bytes, size;
    if (!PyTuple_Check(argument)) {
        PyErr_SetString(PyExc_TypeError, "an array is (address, bytes, item size) or None");
        return 0;
    }
    if (!PyArg_ParseTuple(argument, "KKK", &address, &bytes, &size)) return 0;
    if (size != item_size || bytes % item_size || (bytes && !address)) {
        PyErr_Format(PyExc_ValueError, "array of %llu bytes with items of %llu bytes: expected items of %zu bytes",
                     bytes, size, item_size);
        return 0;
    }
    out->items = (void *)(uintptr_t)address;
    out->count = bytes / item_size;
    return 1;
}

PyObject *functrace_copy(const void *items, uint64_t count, size_t item_size) {
    return PyByteArray_FromStringAndSize(items, (Py_ssize_t)(count * item_size));
}

static int is_in_range(const struct source *source, uint64_t size, uint64_t piece_count) {
    for (int64_t i = 0; i < source->track_count; i++) {
        if (source->piece_of[i] < 0 || source->piece_of[i] > source->piece_of[i + 1]) return 0;
        if (source->tracks[i].parent >= i || source->tracks[i].parent < PARENT_IS_LOST) return 0;
        if (source->tracks[i].starter >= source->function_count) return 0;
    }
    if (source->track_count && (uint64_t)source->piece_of[source->track_count] > piece_count) return 0;
    for (int64_t i = 0; i < source->number_count; i++)
        if (source->function_of[i] >= source->function_count || source->function_of[i] < -1) return 0;
    for (uint64_t i = 0; i < piece_count; i++) {
        uint64_t offset = source->pieces[i].offset;
        if (offset > size || (uint64_t)source->pieces[i].words * 8 > size - offset) return 0;
    }
    return 1;
}

int functrace_source(PyObject *argument, struct source *out) {
    PyObject *data, *pieces, *piece_of, *tracks, *function_of;
    unsigned long long start;
    long long function_count, end;
    int is_overwritten;
    struct array in_data, in_pieces, in_piece_of, in_tracks, in_function_of;
    if (!PyArg_ParseTuple(argument, "OKOOOOLLp", &data, &start, &pieces, &piece_of, &tracks, &function_of,
                          &function_count, &end, &is_overwritten))
        return 0;
    if (!functrace_array(data, 1, &in_data) ||
        !functrace_array(pieces, sizeof(struct piece), &in_pieces) ||
        !functrace_array(piece_of, sizeof(int64_t), &in_piece_of) ||
        !functrace_array(tracks, sizeof(struct track), &in_tracks) ||
        !functrace_array(function_of, sizeof(int32_t), &in_function_of))
        return 0;
    struct source source = {in_data.items,
                            start,
                            in_pieces.items,
                            in_piece_of.items,
                            in_tracks.items,
                            in_function_of.items,
                            (int64_t)in_tracks.count,
                            (int64_t)in_function_of.count,
                            function_count,
                            end,
                            is_overwritten};
    if (in_piece_of.count != in_tracks.count + 1 || in_tracks.count > INT32_MAX ||
        function_count < 0 || function_count > INT32_MAX ||
        !is_in_range(&source, in_data.count, in_pieces.count)) {
        PyErr_SetString(PyExc_ValueError, "the tracks of a trace refer to what is not in it");
        return 0;
    }
    *out = source;
    return 1;
}
