"""What happened, one after the other, in blocks of columns: memory does not grow with the trace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace._native.reader import array, engine
from functrace._native.tables import CALL, EVENT
from functrace.analysis.columns import Int32s, Int64s
from functrace.analysis.request import Rows
from functrace.analysis.source import Source, source_of
from functrace.trace import Trace

_BLOCK = 1 << 17


@dataclass(frozen=True, eq=False)
class Events:
    """Entries, exits and waits of one track after the other, in their order.

    Columns have an item for each event. Times are nanoseconds after the trace's start; flags and
    texts are those of an exit.
    """

    kind: Int32s
    """ENTERED, LEFT, SUSPENDED, RESUMED or LOST of functrace._native.tables"""
    time: Int64s
    function: Int32s
    """the call's; while the track waits, that of the innermost call"""
    track: Int32s
    flags: npt.NDArray[np.uint32]
    """ERROR, PANIC, GOEXIT, UNFINISHED and CUT of functrace._native.tables"""
    text_at: Int64s
    """for Trace.text; of LOST, how many events were"""
    text_bytes: Int64s

    def __len__(self) -> int:
        """How many events there are."""
        return len(self.kind)

    def __getitem__(self, part: slice) -> Events:
        """Some of them."""
        return Events(*(getattr(self, field.name)[part] for field in fields(self)))


@dataclass(frozen=True, eq=False)
class Spans:
    """Calls in the order of their ends, one track after the other. Times are nanoseconds."""

    call: Int64s
    """its number in the trace, by the order of entries"""
    parent: Int64s
    """the call around it on its track, or -1"""
    start: Int64s
    duration: Int64s
    self: Int64s
    """without what was called on the same track and what the track waited"""
    suspended: Int64s
    """of the duration, what the track waited"""
    function: Int32s
    track: Int32s
    depth: Int32s
    """calls around it on its track"""
    flags: npt.NDArray[np.uint32]
    text_at: Int64s
    text_bytes: Int64s

    def __len__(self) -> int:
        """How many calls there are."""
        return len(self.call)


def events(trace: Trace, block: int = _BLOCK) -> Iterator[Events]:
    """A trace's events, about so many at a time."""
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


def runs(trace: Trace) -> Iterator[tuple[int, Events]]:
    """A trace's events, some of one track at a time; a track may come several times in a row."""
    for block in events(trace):
        edges = np.flatnonzero(np.diff(block.track)) + 1
        for begin, end in pairwise([0, *edges.tolist(), len(block)]):
            yield int(block.track[begin]), block[begin:end]


class SpanReader:
    """A trace's calls.

    Args:
        trace: what the calls are of.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._ask = _request(trace, CALL)

    def spans(self, block: int = _BLOCK) -> Iterator[Spans]:
        """The calls, about so many at a time."""
        nanoseconds = self._trace.clock.nanoseconds
        for rows in _walk(self._ask, block):
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
        """By track: the call in which its chain goes on, or -1. Known when all spans were read."""
        return self._ask.caller


@dataclass(frozen=True, eq=False)
class Walk:
    """The arguments of a walk over a trace."""

    source: Source
    caller: Int64s
    """by track: the call in which its chain goes on, or -1; filled in as the walk proceeds"""
    row: np.dtype[Any]
    """EVENT, or CALL for whole calls"""


def _walk(ask: Walk, block: int) -> Iterator[Rows]:
    found = engine().Events(ask.source.arguments(), array(ask.caller), ask.row is CALL, ask)
    while rows := found.next(block):
        yield np.frombuffer(rows, ask.row)


def _request(trace: Trace, row: np.dtype[Any]) -> Walk:
    source = source_of(trace)
    return Walk(source, caller=np.full(len(source.tracks), -1, np.int64), row=row)
