#ifndef FUNCTRACE_PACK_H
#define FUNCTRACE_PACK_H

#include "trace.h"

struct column {
    const uint8_t *cells;
    const int64_t *sizes; /* bytes that count of each cell, or NULL: all */
    int64_t width;        /* of a cell */
    int64_t step;         /* from a row's cell to the next row's; 0: all have the same */
};

void functrace_pack(const struct column *columns, int64_t column_count, int64_t row_count,
                    uint8_t *out);
void functrace_varints(const uint64_t *values, int64_t count, uint8_t *cells, int64_t *sizes);

#endif
