"""Stream of a trace's calls, outer before inner, without holding all calls in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from functrace.analysis.calls import Calls
from functrace.analysis.fold import Listing, calls
from functrace.analysis.selection import EVERYTHING, Selection
from functrace.tracefile.reader import Trace

# Words per block, so that the block's calls fit into a few hundred megabytes. A block may have more
# words if no more than _BLOCK_CALLS of its calls are listed.
_BLOCK_WORDS = 1 << 19
_BLOCK_CALLS = 1 << 19
_NO_LIMIT = (1 << 31) - 1
_MAX_TIME = 1 << 62


class Call(NamedTuple):
    """Single call. Times are nanoseconds; ``track`` and ``function`` are indices."""

    track: int
    level: int
    """1 plus the number of listed calls that enclose it on its track"""
    function: int
    start: int
    start_ticks: int
    """start in ticks of the trace's clock"""
    duration: int
    error: bool
    panic: bool
    goexit: bool
    unfinished: bool
    text_at: int
    """position of the error's text, for Trace.text"""
    text_bytes: int
    text_cut: bool
    suspended: int
    """part of the duration in which the track was suspended"""

    @property
    def end(self) -> int:
        """End of the call, or of the trace if the call is unfinished."""
        return self.start + self.duration


class TrackCalls(NamedTuple):
    """Calls of one track that begin in a time window."""

    track: int
    calls: Iterator[Call]


class Block(NamedTuple):
    """Calls that begin before a time and were in no earlier block, by track."""

    tracks: Iterator[TrackCalls]
    """iterators to consume in turn or interleaved, before the next block is requested"""
    until: int


def stream(
    trace: Trace, selection: Selection = EVERYTHING, listing: Listing | None = None
) -> Iterator[Call]:
    """Yield all selected and listed calls, track by track. The listing's limit is ignored."""
    for block in by_track(trace, selection, listing):
        for track in block.tracks:
            yield from track.calls


def by_track(
    trace: Trace, selection: Selection = EVERYTHING, listing: Listing | None = None
) -> Iterator[Block]:
    """Yield calls in blocks, one track after another. A long track spans several blocks."""
    listing = listing or Listing()
    sizes = _sizes(trace)
    chosen = range(len(sizes)) if selection.tracks is None else sorted(selection.tracks)
    words = _block_words(listing, sum(sizes[track] for track in chosen))
    batches = [(batch, words) for batch in _batches(chosen, sizes, words)][::-1]
    while batches:
        tracks, words = batches.pop()
        part = replace(selection, tracks=tracks)
        if len(tracks) == 1:
            yield from by_time(trace, part, listing)
            continue
        found = _calls(trace, part, listing, words)
        if found.truncated:
            words = _reduce(words)
            batches += [(batch, words) for batch in _batches(tracks, sizes, words)][::-1]
        else:
            yield Block(_Rows(found, 0, _MAX_TIME, set()).tracks(), _MAX_TIME)


def by_time(
    trace: Trace, selection: Selection = EVERYTHING, listing: Listing | None = None
) -> Iterator[Block]:
    """Yield the calls of all selected tracks in blocks, in order of time."""
    listing = replace(listing or Listing(), window=selection)
    margin = 2 + int(2e9 / trace.clock.ticks_per_second)  # covers rounding to nanoseconds
    first = 0 if selection.since is None else selection.since
    last = _MAX_TIME if selection.until is None else selection.until
    plan = _WindowPlan(trace, selection)
    words = _block_words(listing, plan.words)
    # The last window has no end, since a call that begins in time may end at any time.
    windows = [(window, words) for window in plan.windows(first, _MAX_TIME, last, words)][::-1]
    seen: set[tuple[int, int, int]] = set()
    while windows:
        (since, until), words = windows.pop()
        overlapping = Selection(
            max(since - margin, first), min(until + margin, last), selection.tracks
        )
        found = _calls(trace, overlapping, listing, words)
        if found.truncated:
            words = _reduce(words)
            windows += [(each, words) for each in plan.windows(since, until, last, words)][::-1]
            continue
        block = _Rows(found, since, until, seen)
        yield Block(block.tracks(), until)
        seen = block.open(until - margin)


def _block_words(listing: Listing, words: int) -> int:
    """Return the number of words per block: all of them if the listing is selective."""
    selective = listing.failed_only or listing.focus is not None
    return max(words, _BLOCK_WORDS) if selective else _BLOCK_WORDS


def _reduce(words: int) -> int:
    return max(words // 8, _BLOCK_WORDS)


def _calls(trace: Trace, selection: Selection, listing: Listing, words: int) -> Calls:
    limit = _BLOCK_CALLS if words > _BLOCK_WORDS else _NO_LIMIT
    return calls(trace, selection, replace(listing, limit=limit))


@dataclass(frozen=True, eq=False)
class _Rows:
    """Calls that overlap a window. Those already seen serve only as parents of the others."""

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
        """Return the keys of the calls that may occur again in the next window."""
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
        found.start_ticks,
        found.duration,
        found.error,
        found.panic,
        found.goexit,
        found.unfinished,
        found.text_at,
        found.text_bytes,
        found.text_cut,
        found.suspended,
    )


def _outer_first(found: Calls) -> Iterator[tuple[int, int]]:
    """Yield each call with its level before its inner calls; equal times would be ambiguous."""
    order = np.lexsort((found.track, found.parent))
    first = np.searchsorted(found.parent[order], np.arange(-1, len(found) + 1)).tolist()
    rows = order.tolist()
    pending = [(row, 1) for row in reversed(rows[: first[1]])]
    while pending:
        row, level = pending.pop()
        yield row, level
        begin, end = first[row + 1 : row + 3]
        if begin < end:
            pending += [(inner, level + 1) for inner in reversed(rows[begin:end])]


def _batches(tracks: Iterable[int], sizes: Sequence[int], words: int) -> Iterator[list[int]]:
    """Yield batches of tracks of at most ``words`` words together, or a longer track alone."""
    batch: list[int] = []
    size = 0
    for track in tracks:
        if batch and size + sizes[track] > words:
            yield batch
            batch, size = [], 0
        batch.append(track)
        size += sizes[track]
    if batch:
        yield batch


def _sizes(trace: Trace) -> list[int]:
    """Return the number of words of each track."""
    until = np.concatenate([[0], np.cumsum(trace.words.pieces["words"].astype(np.int64))])
    sizes: list[int] = np.diff(until[trace.words.piece_of]).tolist()
    return sizes


class _WindowPlan:
    """Times at which tracks can be cut into parts with about the same number of words."""

    def __init__(self, trace: Trace, selection: Selection) -> None:
        pieces, piece_of = trace.words.pieces, trace.words.piece_of
        if selection.tracks is not None:
            chosen = [pieces[piece_of[track] : piece_of[track + 1]] for track in selection.tracks]
            pieces = np.concatenate([pieces[:0], *chosen])
        pieces = pieces[np.argsort(pieces["first"], kind="stable")]
        self._times = trace.clock.nanoseconds(pieces["first"])
        self._until = np.cumsum(pieces["words"].astype(np.int64))
        self.words = int(self._until[-1]) if len(pieces) else 0

    def windows(self, since: int, until: int, last: int, words: int) -> Iterator[tuple[int, int]]:
        """Yield the windows between ``since`` and ``until``; none begins after ``last``."""
        cuts = self._times[np.flatnonzero(np.diff(self._until // words)) + 1]
        inside = np.unique(cuts[(cuts > since) & (cuts < until) & (cuts <= last)])
        yield from pairwise([since, *inside.tolist(), until])
