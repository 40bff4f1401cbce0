"""A trace's calls one after the other, outer before inner: they are never all held at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from functrace.analysis.calls import Calls
from functrace.analysis.fold import Listing, calls
from functrace.analysis.selection import EVERYTHING, Selection
from functrace.trace.reader import Trace

# A block has some so many words, so that its calls fit into a few hundred megabytes.
_WORDS = 1 << 19
_NO_LIMIT = (1 << 31) - 1
_FOREVER = 1 << 62


class Call(NamedTuple):
    """A call; times are nanoseconds, track and function are indices."""

    track: int
    level: int
    """1 and the listed calls around it on its track"""
    function: int
    start: int
    duration: int
    error: bool
    panic: bool
    goexit: bool
    unfinished: bool
    text_at: int
    """where an error's text is, for Trace.text"""
    text_bytes: int

    @property
    def end(self) -> int:
        """When it ended; the trace's end if it did not."""
        return self.start + self.duration

    @property
    def failed(self) -> bool:
        """Whether it returned an error or panicked."""
        return self.error or self.panic


class TrackCalls(NamedTuple):
    """Calls of one track that begin in a window of time."""

    track: int
    calls: Iterator[Call]


class Block(NamedTuple):
    """Calls of some tracks that begin before a time and were in no block before."""

    tracks: Iterator[TrackCalls]
    """To be used up one after the other, or all together; in no case later than the next block."""
    until: int


def stream(
    trace: Trace, selection: Selection = EVERYTHING, listing: Listing | None = None
) -> Iterator[Call]:
    """Every call selected and listed, track by track; the listing's limit does not count."""
    for block in by_track(trace, selection, listing):
        for track in block.tracks:
            yield from track.calls


def by_track(
    trace: Trace, selection: Selection = EVERYTHING, listing: Listing | None = None
) -> Iterator[Block]:
    """Calls in blocks, a track after the other. A long track takes several blocks."""
    for tracks in _batches(trace, selection.tracks):
        yield from by_time(trace, replace(selection, tracks=tracks), listing)


def by_time(
    trace: Trace, selection: Selection = EVERYTHING, listing: Listing | None = None
) -> Iterator[Block]:
    """Calls in blocks, each later than the one before, of all tracks selected."""
    listing = replace(listing or Listing(), limit=_NO_LIMIT)
    margin = 2 + int(2e9 / trace.clock.ticks_per_second)  # what rounding to nanoseconds hides
    seen: set[tuple[int, int, int]] = set()
    for since, until in _windows(trace, selection):
        window = Selection(
            max(since - margin, selection.since or 0),
            min(until + margin, _FOREVER if selection.until is None else selection.until),
            selection.tracks,
        )
        found = calls(trace, window, listing)
        block = _Rows(found, since, until, seen)
        yield Block(block.tracks(), until)
        seen = block.open(until - margin)


@dataclass(frozen=True, eq=False)
class _Rows:
    """The calls that overlap a window; those seen before are there to be the others' parents."""

    found: Calls
    since: int
    until: int
    seen: set[tuple[int, int, int]]

    def tracks(self) -> Iterator[TrackCalls]:
        track_of = self.found.track.tolist()
        order = _outer_first(self.found)
        for track, rows in groupby(order, key=lambda row: track_of[row[0]]):
            yield TrackCalls(track, self._calls(list(rows)))

    def open(self, time: int) -> set[tuple[int, int, int]]:
        """What may turn up again in the next window."""
        found = self.found
        rows = np.flatnonzero((found.start + found.duration >= time) & (found.start < self.until))
        return {self._key(row) for row in rows.tolist()}

    def _key(self, row: int) -> tuple[int, int, int]:
        found = self.found
        return int(found.track[row]), int(found.depth[row]), int(found.start[row])

    def _calls(self, order: Sequence[tuple[int, int]]) -> Iterator[Call]:
        rows, levels = np.array(order, np.int64).T
        start = self.found.start[rows]
        new = start < self.until
        new[[i for i in np.flatnonzero(start < self.since) if self._key(rows[i]) in self.seen]] = 0
        track, *columns = (column[rows[new]].tolist() for column in _columns(self.found))
        return map(Call, track, levels[new].tolist(), *columns)


def _columns(found: Calls) -> tuple[npt.NDArray[Any], ...]:
    return (
        found.track,
        found.function,
        found.start,
        found.duration,
        found.error,
        found.panic,
        found.goexit,
        found.unfinished,
        found.text_at,
        found.text_bytes,
    )


def _outer_first(found: Calls) -> Iterator[tuple[int, int]]:
    """Each call with its level, before those inside it; times alone would not tell in a tie."""
    order = np.lexsort((found.track, found.parent))
    first = np.searchsorted(found.parent[order], np.arange(-1, len(found) + 1)).tolist()
    rows = order.tolist()
    waiting = [(row, 1) for row in reversed(rows[: first[1]])]
    while waiting:
        row, level = waiting.pop()
        yield row, level
        begin, end = first[row + 1 : row + 3]
        if begin < end:
            waiting += [(inner, level + 1) for inner in reversed(rows[begin:end])]


def _batches(trace: Trace, wanted: object) -> Iterator[list[int]]:
    """Tracks that fit into one block together, or one alone that does not."""
    words = _words(trace)
    batch: list[int] = []
    size = 0
    for track in range(len(words)) if wanted is None else sorted(wanted):  # type: ignore[call-overload]
        if batch and size + words[track] > _WORDS:
            yield batch
            batch, size = [], 0
        batch.append(track)
        size += words[track]
    if batch:
        yield batch


def _words(trace: Trace) -> list[int]:
    """How many words each track has."""
    until = np.concatenate([[0], np.cumsum(trace.words.pieces["words"].astype(np.int64))])
    sizes: list[int] = np.diff(until[trace.words.piece_of]).tolist()
    return sizes


def _windows(trace: Trace, selection: Selection) -> Iterator[tuple[int, int]]:
    """The last one has no end: what begins in time may end whenever it does."""
    since = selection.since or 0
    until = _FOREVER if selection.until is None else selection.until
    edges = [since, *(cut for cut in _cuts(trace, selection) if since < cut <= until), _FOREVER]
    yield from pairwise(edges)


def _cuts(trace: Trace, selection: Selection) -> list[int]:
    """Times at which another block's worth of words has begun."""
    pieces, piece_of = trace.words.pieces, trace.words.piece_of
    if selection.tracks is not None:
        chosen = [pieces[piece_of[track] : piece_of[track + 1]] for track in selection.tracks]
        pieces = np.concatenate([pieces[:0], *chosen])
    pieces = pieces[np.argsort(pieces["first"], kind="stable")]
    filled = np.cumsum(pieces["words"].astype(np.int64)) // _WORDS
    cuts = pieces["first"][np.flatnonzero(np.diff(filled)) + 1]
    times: list[int] = np.unique(trace.clock.nanoseconds(cuts)).tolist()
    return times
