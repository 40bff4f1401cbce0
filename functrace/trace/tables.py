"""The rows that a scan of a trace yields, laid out as _native/trace.h has them."""

from __future__ import annotations

import numpy as np

CHUNK = np.dtype(
    [
        ("offset", "<u8"),
        ("sequence", "<u8"),
        ("track", "<u8"),
        ("base", "<u8"),
        ("size", "<u4"),
        ("kind", "<u4"),
        ("open", "<u4"),
        ("padding", "<u4"),
    ]
)

# Words of one track, one behind the other. begins: a chunk begins here, with so many calls open.
PIECE = np.dtype(
    [
        ("track", "<u8"),
        ("offset", "<u8"),
        ("base", "<u8"),
        ("first", "<i8"),
        ("words", "<u4"),
        ("open", "<u4"),
        ("begins", "<u4"),
        ("untimed", "<u4"),
    ]
)

TRACK_RECORD = np.dtype(
    [
        ("id", "<u8"),
        ("parent", "<u8"),
        ("start", "<i8"),
        ("name", "<u8"),
        ("name_length", "<u4"),
        ("kind", "<u4"),
        ("starter", "<u4"),
        ("line", "<u4"),
    ]
)
