"""Words of a trace by track, as input of the C reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace._native.engine import array, octets
from functrace._native.row_types import PARENT_IS_LOST, TRACK
from functrace.tracefile import Trace


@dataclass(frozen=True, eq=False)
class Source:
    """Words of a trace by track. Times are ticks since the start of the trace."""

    data: memoryview
    start: int
    pieces: npt.NDArray[Any]
    piece_of: npt.NDArray[np.int64]
    """index of each track's first piece, followed by the number of pieces"""
    tracks: npt.NDArray[Any]
    """rows of TRACK, sorted by start"""
    function_of: npt.NDArray[np.int32]
    """index of a function by its number in the file, or -1"""
    function_count: int
    end: int
    """end of calls without an exit"""
    is_overwritten: bool
    """whether events were overwritten"""

    def arguments(self) -> tuple[object, ...]:
        """Return arguments for functrace._native._reader, which does not keep the arrays alive."""
        return (
            octets(self.data),
            self.start,
            array(self.pieces),
            array(self.piece_of),
            array(self.tracks),
            array(self.function_of),
            self.function_count,
            self.end,
            self.is_overwritten,
        )


def source_of(trace: Trace) -> Source:
    """Return the words of a trace by track."""
    words = trace.words
    tracks = np.empty(len(trace.tracks), TRACK)
    tracks["start"] = trace.tracks.start_ticks
    tracks["parent"] = _parents(trace)
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
        is_overwritten=trace.overwritten_chunks > 0,
    )


def _parents(trace: Trace) -> npt.NDArray[np.int32]:
    """Return the parent of each track, -1 for none, or PARENT_IS_LOST."""
    tracks = trace.tracks
    if not trace.overwritten_chunks:
        return tracks.parent
    has_no_record = tracks.kind == 0
    is_lost = has_no_record | ((tracks.parent_id > 0) & (tracks.parent < 0))
    return np.where(is_lost, PARENT_IS_LOST, tracks.parent).astype(np.int32)
