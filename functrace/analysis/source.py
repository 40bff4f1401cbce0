"""The words of a trace by tracks, for the reader in C."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace._native.reader import array, octets
from functrace._native.tables import TRACK
from functrace.trace import Trace


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

    def arguments(self) -> tuple[object, ...]:
        """Return what functrace._native._reader takes, which does not keep the arrays alive."""
        return (
            octets(self.data),
            self.start,
            array(self.pieces),
            array(self.piece_of),
            array(self.tracks),
            array(self.function_of),
            self.function_count,
            self.end,
        )


def source_of(trace: Trace) -> Source:
    """Return the words of a trace."""
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
