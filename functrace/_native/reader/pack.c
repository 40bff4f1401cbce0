/* Turn columns of bytes into rows, one after the other. */
#include "pack.h"

void functrace_pack(const struct column *columns, int64_t column_count, int64_t row_count,
                    uint8_t *out) {
    for (int64_t row = 0; row < row_count; row++) {
        for (const struct column *c = columns; c < columns + column_count; c++) {
            const uint8_t *cell = c->cells + row * c->step;
            int64_t size = c->sizes ? c->sizes[row] : c->width;
            for (int64_t i = 0; i < size; i++) out[i] = cell[i];
            out += size;
        }
    }
}

/* The varint of each number, in cells of 10 bytes. */
void functrace_varints(const uint64_t *values, int64_t count, uint8_t *cells, int64_t *sizes) {
    for (int64_t i = 0; i < count; i++, cells += 10) {
        uint64_t rest = values[i];
        int64_t size = 0;
        for (; rest > 0x7F; rest >>= 7) cells[size++] = (uint8_t)(rest | 0x80);
        cells[size++] = (uint8_t)rest;
        sizes[i] = size;
    }
}
