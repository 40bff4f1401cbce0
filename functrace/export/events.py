"""Streams of events and spans in blocks of columns; memory does not grow with the trace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace._native.engine import array, engine
from functrace._native.row_types import CALL, EVENT
from functrace.analysis.columns import Int32s, Int64s
from functrace.analysis.request import Rows
from functrace.analysis.track_words import Source, source_of
from functrace.tracefile import Trace

_BLOCK = 1 << 17


@dataclass(frozen=True, eq=False)
class Events:
    """Block of entries, exits and suspensions, in order within each track.

    Each column has one item per event. Times are nanoseconds after the start of the trace; flags
    and texts belong to exits.
    """

    kind: Int32s
    """ENTERED, LEFT, SUSPENDED, RESUMED or LOST of functrace._native.row_types"""
    time: Int64s
    function: Int32s
    """function of the call; function of the innermost call if the track is suspended"""
    track: Int32s
    flags: npt.NDArray[np.uint32]
    """ERROR, PANIC, GOEXIT, UNFINISHED and CUT of functrace._native.row_types"""
    text_at: Int64s
    """offset for Trace.text; for LOST, the number of lost events"""
    text_bytes: Int64s

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.kind)

    def __getitem__(self, part: slice) -> Events:
        """Return a slice of the events."""
        return Events(*(getattr(self, field.name)[part] for field in fields(self)))


@dataclass(frozen=True, eq=False)
class Spans:
    """Block of calls, grouped by track and ordered by their ends. Times are nanoseconds."""

    call: Int64s
    """number of the call in the trace, in the order of entries"""
    parent: Int64s
    """caller on the same track, or -1"""
    start: Int64s
    duration: Int64s
    self: Int64s
    """duration without callees on the same track and without suspended time"""
    suspended: Int64s
    """part of the duration in which the track was suspended"""
    function: Int32s
    track: Int32s
    depth: Int32s
    """number of enclosing calls on the same track"""
    flags: npt.NDArray[np.uint32]
    text_at: Int64s
    text_bytes: Int64s

    def __len__(self) -> int:
        """Return the number of calls."""
        return len(self.call)


def events(trace: Trace, block: int = _BLOCK) -> Iterator[Events]:
    """Yield the events of a trace, about `block` at a time."""
    nanoseconds = trace.clock.nanoseconds
    for rows in _walk(_request(trace, EVENT), block):
        yield Events(
            kind=rows["kind"],
            time=nanoseconds(rows["time"]),
            function=rows["function"],
            track=rows["track"],
            flags=rows["flags"],
            text_at=rows["text"],
            text_bytes=rows["text_length"].astype(np.int64),
        )


def events_by_track(trace: Trace) -> Iterator[tuple[int, Events]]:
    """Yield blocks of events of a single track; consecutive blocks may have the same track."""
    for block in events(trace):
        edges = np.flatnonzero(np.diff(block.track)) + 1
        for begin, end in pairwise([0, *edges.tolist(), len(block)]):
            yield int(block.track[begin]), block[begin:end]


class SpanReader:
    """Reader of the calls of a trace.

    Args:
        trace: the trace.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._request = _request(trace, CALL)

    def spans(self, block: int = _BLOCK) -> Iterator[Spans]:
        """Yield the calls, about `block` at a time."""
        nanoseconds = self._trace.clock.nanoseconds
        for rows in _walk(self._request, block):
            yield Spans(
                call=rows["call"],
                parent=rows["parent"],
                start=nanoseconds(rows["start"]),
                duration=nanoseconds(rows["duration"]),
                self=nanoseconds(rows["self"]),
                suspended=nanoseconds(rows["suspended"]),
                function=rows["function"],
                track=rows["track"],
                depth=rows["depth"],
                flags=rows["flags"],
                text_at=rows["text"],
                text_bytes=rows["text_length"].astype(np.int64),
            )

    @property
    def caller(self) -> Int64s:
        """Parent call of each track, or -1; complete once all spans have been read."""
        return self._request.caller


@dataclass(frozen=True, eq=False)
class WalkRequest:
    """Arguments of a walk over a trace."""

    source: Source
    caller: Int64s
    """parent call of each track, or -1; filled in as the walk proceeds"""
    row: np.dtype[Any]
    """EVENT for events, CALL for complete calls"""


def _walk(request: WalkRequest, block: int) -> Iterator[Rows]:
    found = engine().Events(
        request.source.arguments(), array(request.caller), request.row is CALL, request
    )
    while rows := found.next(block):
        yield np.frombuffer(rows, request.row)


def _request(trace: Trace, row: np.dtype[Any]) -> WalkRequest:
    source = source_of(trace)
    return WalkRequest(source, caller=np.full(len(source.tracks), -1, np.int64), row=row)
