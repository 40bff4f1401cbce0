"""Calls that were open at the end of the trace, by the innermost open call of each track."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from functrace.analysis.calls import Calls
from functrace.analysis.chains import Functions
from functrace.analysis.columns import Bools
from functrace.analysis.examples import Example
from functrace.analysis.fold import Listing
from functrace.analysis.merge import Forest
from functrace.analysis.selection import Selection
from functrace.tracefile import Trace

_LAST_PART = 0.01
"""part of a trace, at its end, in which a track that runs has events; waiting for the processor
takes less on any machine that is not stuck as a whole"""


@dataclass
class NeverEnded:
    """Tracks whose innermost open call has the same chain."""

    node: int
    """innermost open call: what the tracks are blocked in, or where they run"""
    example: Example
    """call that has been open for the longest time"""
    open_for: int
    """nanoseconds for which that call was open"""
    may_never_end: bool
    """whether none of the track's open calls is of a function that has ever returned, like the loop
    of a main function or of a worker"""
    tracks: int = 0
    running: int | None = 0
    """number of the tracks with events near the end of the trace; None if not known"""

    waiting: int = 0
    """number of the tracks that started tracks, directly or not, with calls that never ended"""

    def add(self, is_running: bool | None, *, is_waiting: bool) -> None:
        """Count a track."""
        self.tracks += 1
        self.waiting += is_waiting
        is_known = is_running is not None and self.running is not None
        self.running = (self.running or 0) + bool(is_running) if is_known else None


def find_never_ended(forest: Forest, last: Sequence[LastCalls]) -> list[NeverEnded]:
    """Return the calls that never ended.

    Calls of functions that have returned before come first; the others may never end by design.
    Of each, blocked tracks come first, and those that have been blocked for the longest time.
    Tracks that started others with calls that never ended come after these, since they may wait for
    them.
    A track that ran on in its outermost call is left out: that is the loop of a main function, of
    a worker or of an event loop.
    """
    found: dict[int, NeverEnded] = {}
    for index, each in enumerate(last):
        _add(found, forest, index, each)
    return sorted(found.values(), key=_rank)


def _rank(each: NeverEnded) -> tuple[bool, bool, bool, int]:
    is_running, is_waiting = each.running == each.tracks, each.waiting == each.tracks
    return each.may_never_end, is_running, is_waiting, -each.open_for


@dataclass(frozen=True, eq=False)
class LastCalls:
    """Calls that are open at the end of a trace, and the tracks that ran shortly before it."""

    open: Calls
    running: set[int] | None
    """tracks on which a call began or ended in the last part; None if that has too many calls"""


def listings(trace: Trace, limit: int) -> tuple[Listing, Listing]:
    """Return filters of the calls in the last part of a trace, and of those at its end."""
    last = trace.span[1]
    return (
        Listing(limit=limit, window=Selection(since=_last_part(trace))),
        Listing(window=Selection(since=last - _rounding(trace))),
    )


def last_calls(trace: Trace, last_part: Calls, at_end: Calls) -> LastCalls:
    """Return the last calls of a trace from those that listings() selects."""
    end = trace.span[1] - _rounding(trace)
    has_event = ~_open(last_part, end) | (last_part.start >= _last_part(trace))
    running = set(np.unique(last_part.track[has_event]).tolist())
    return LastCalls(at_end.only(_open(at_end, end)), None if last_part.truncated else running)


def _last_part(trace: Trace) -> int:
    """Return the start of the last part."""
    first, last = trace.span
    return last - max(int((last - first) * _LAST_PART), _rounding(trace))


def _rounding(trace: Trace) -> int:
    """Return the nanoseconds that cover rounding from ticks."""
    return 2 + int(2e9 / trace.clock.ticks_per_second)


def _add(found: dict[int, NeverEnded], forest: Forest, index: int, last: LastCalls) -> None:
    listed = last.open
    has_callee = np.zeros(len(listed) + 1, np.bool_)  # the last entry stands for no caller
    has_callee[listed.parent] = True
    nodes = forest.nodes.of(index, listed.node)
    has_returned = _has_returned(forest.chains[index].functions())
    innermost = np.flatnonzero(~has_callee[:-1])
    starters = _starters(forest.traces[index], set(listed.track[innermost].tolist()))
    for call in innermost.tolist():
        track, node = int(listed.track[call]), int(nodes[call])
        is_running = None if last.running is None else track in last.running
        if is_running and not listed.depth[call]:
            continue
        example = Example(index, track, node, int(listed.start[call]), None, "unfinished")
        open_for = int(listed.duration[call])
        may_never_end = not any(has_returned[listed.function[c]] for c in _around(listed, call))
        group = found.setdefault(node, NeverEnded(node, example, open_for, may_never_end))
        group.add(is_running, is_waiting=track in starters)
        if open_for > group.open_for:
            group.open_for, group.example = open_for, example


def _has_returned(functions: Functions) -> Bools:
    """Return for each function whether a call of it has ended other than by a panic."""
    returned: Bools = functions.calls > functions.unfinished + functions.panics
    return returned


def _around(listed: Calls, call: int) -> Iterator[int]:
    """Yield a call and the calls around it on its track, innermost first."""
    while call >= 0:
        yield call
        call = int(listed.parent[call])


def _starters(trace: Trace, tracks: set[int]) -> set[int]:
    """Return the tracks that started one of ``tracks``, directly or not."""
    found: set[int] = set()
    for track in tracks:
        parent = int(trace.tracks.parent[track])
        while parent >= 0 and parent not in found:
            found.add(parent)
            parent = int(trace.tracks.parent[parent])
    return found


def _open(listed: Calls, end: int) -> Bools:
    """Return the calls that are open at the end: not those whose exit alone is missing."""
    is_open: Bools = listed.unfinished & (listed.start + listed.duration >= end)
    for call in np.flatnonzero(is_open).tolist():  # a caller precedes its callees
        parent = int(listed.parent[call])
        is_open[call] = parent < 0 or is_open[parent]
    return is_open
