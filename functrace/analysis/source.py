"""What a walk over a trace goes through, laid out as _native/track.h has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace.trace import Trace

TRACK = np.dtype([("start", "<i8"), ("parent", "<i4"), ("starter", "<i4")])


@dataclass(frozen=True, eq=False)
class Source:
    """The words of a trace by tracks. Times are ticks after the trace's start."""

    data: memoryview
    start: int
    pieces: npt.NDArray[Any]
    piece_of: npt.NDArray[np.int64]
    """by track its first piece; one more than there are tracks"""
    tracks: npt.NDArray[Any]
    """of TRACK, in the order of their beginnings"""
    function_of: npt.NDArray[np.int32]
    """by number in the file; -1 where there is none"""
    function_count: int
    end: int
    """where calls without an exit end"""


def source_of(trace: Trace) -> Source:
    """What there is to walk over."""
    words = trace.words
    tracks = np.empty(len(trace.tracks), TRACK)
    tracks["start"] = trace.tracks.start_ticks
    tracks["parent"] = trace.tracks.parent
    tracks["starter"] = trace.tracks.starter
    return Source(
        data=words.data,
        start=words.start,
        pieces=words.pieces,
        piece_of=words.piece_of,
        tracks=tracks,
        function_of=words.function_of,
        function_count=len(trace.functions),
        end=words.last,
    )
