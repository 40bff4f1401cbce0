"""The rows that a fold yields, laid out as _native/fold.c has them. Times are ticks."""

from __future__ import annotations

import numpy as np

BUCKETS = 32

NODE = np.dtype(
    [
        ("calls", "<i8"),
        ("total", "<i8"),
        ("self", "<i8"),
        ("suspended", "<i8"),
        ("min", "<i8"),
        ("max", "<i8"),
        ("errors", "<i8"),
        ("panics", "<i8"),
        ("unfinished", "<i8"),
        ("slowest_start", "<i8"),
        ("failed_start", "<i8"),
        ("failed_text", "<i8"),
        ("last", "<i8"),
        ("parent", "<i4"),
        ("function", "<i4"),
        ("slowest_track", "<i4"),
        ("failed_track", "<i4"),
        ("histogram", "<i4"),
        ("failed_length", "<u2"),
        ("started", "u1"),
        ("recursive", "u1"),
    ]
)

# The durations of one power of two, of a function or (owner: ~ of it) of a node.
BLOCK = np.dtype([("owner", "<i4"), ("exponent", "<i4"), ("counts", "<u4", BUCKETS)])

ROW = np.dtype(
    [
        ("start", "<i8"),
        ("duration", "<i8"),
        ("suspended", "<i8"),
        ("text", "<i8"),
        ("text_length", "<u4"),
        ("flags", "<u4"),
        ("node", "<i4"),
        ("function", "<i4"),
        ("track", "<i4"),
        ("depth", "<i4"),
        ("parent", "<i4"),
        ("padding", "<i4"),
    ]
)

ERROR = 1
PANIC = 2
GOEXIT = 4
UNFINISHED = 8
CUT = 16
