"""What a walk over a trace is asked for and yields, laid out as _native/events.c has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace.analysis.source import Source

Rows = npt.NDArray[Any]

ENTERED = 1
LEFT = 2
SUSPENDED = 3
RESUMED = 4
LOST = 5

EVENT = np.dtype(
    [
        ("time", "<i8"),
        ("text", "<i8"),
        ("text_length", "<u4"),
        ("flags", "<u4"),
        ("function", "<i4"),
        ("track", "<i4"),
        ("kind", "<i4"),
        ("padding", "<i4"),
    ]
)

CALL = np.dtype(
    [
        ("call", "<i8"),
        ("parent", "<i8"),
        ("start", "<i8"),
        ("duration", "<i8"),
        ("self", "<i8"),
        ("suspended", "<i8"),
        ("text", "<i8"),
        ("text_length", "<u4"),
        ("flags", "<u4"),
        ("function", "<i4"),
        ("track", "<i4"),
        ("depth", "<i4"),
        ("padding", "<i4"),
    ]
)


@dataclass(frozen=True, eq=False)
class Walk:
    """Everything that a walk takes into account."""

    source: Source
    caller: npt.NDArray[np.int64]
    """by track: the call in which its chain goes on, or -1; filled in as the walk goes"""
    row: np.dtype[Any]
    """EVENT, or CALL for whole calls"""
