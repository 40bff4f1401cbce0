"""Calls as they happened: entered, left, with those kept that somebody asked about."""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from functrace.analysis.fold import Listing
from functrace.analysis.selection import Selection
from functrace.analysis.stream import Call, by_time, by_track
from functrace.trace.reader import Trace

Sieve = Callable[[Call], Iterable[Call]]
"""Gets the calls of a track, outer before inner; gives those to show, in the same order."""


class Event(NamedTuple):
    """A call begins or ends."""

    time: int
    entered: bool
    call: Call


def everything(call: Call) -> Iterable[Call]:
    """The sieve that keeps all calls."""
    return (call,)


class Failed:
    """The sieve that keeps calls that failed, and those around them."""

    def __init__(self) -> None:
        self._above = _Above()

    def __call__(self, call: Call) -> Iterable[Call]:
        """What has become worth showing with the call."""
        self._above.enter(call)
        return self._above.take() if call.failed else ()


class Around:
    """The sieve that keeps calls of some functions, all above and below them, some just before."""

    def __init__(self, functions: Collection[int], context: int) -> None:
        self._functions = functions
        self._context = context
        self._above = _Above()
        self._before: list[deque[Call]] = []
        self._inside = 0

    def __call__(self, call: Call) -> Iterable[Call]:
        """What has become worth showing with the call."""
        self._above.enter(call)
        del self._before[call.level :]
        while len(self._before) < call.level:
            self._before.append(deque(maxlen=self._context))
        if self._inside and call.level > self._inside:
            return self._above.take()
        self._inside = 0
        before = self._before[call.level - 1]
        if call.function not in self._functions:
            before.append(call)
            return ()
        self._inside = call.level
        *above, asked = self._above.take()
        for outer in above:
            self._before[outer.level - 1].pop()
        shown = [*above, *before, asked]
        before.clear()
        return shown


class _Above:
    """A call with those around it; each is taken once."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._taken = 0

    def enter(self, call: Call) -> None:
        del self._calls[call.level - 1 :]
        self._calls.append(call)
        self._taken = min(self._taken, call.level - 1)

    def take(self) -> list[Call]:
        taken = self._calls[self._taken :]
        self._taken = len(self._calls)
        return taken


def kept(
    trace: Trace, selection: Selection, listing: Listing, sieve: Callable[[], Sieve]
) -> Iterator[Call]:
    """The calls that a sieve keeps, track by track."""
    sieves: defaultdict[int, Sieve] = defaultdict(sieve)
    for block in by_track(trace, selection, listing):
        for track, calls in block.tracks:
            yield from chain.from_iterable(map(sieves[track], calls))


def events(
    trace: Trace,
    selection: Selection,
    listing: Listing,
    sieve: Callable[[], Sieve],
    *,
    merged: bool = False,
) -> Iterator[Event]:
    """Beginnings and ends of the calls that a sieve keeps: track by track, or merged by time."""
    tracks: defaultdict[int, _Track] = defaultdict(lambda: _Track(sieve()))
    for block in (by_time if merged else by_track)(trace, selection, listing):
        streams = [tracks[track].events(calls, block.until) for track, calls in block.tracks]
        yield from heapq.merge(*streams, key=_time) if merged else chain(*streams)


def _time(event: Event) -> int:
    return event.time


class _Track:
    """What is open on a track, from one block to the next."""

    def __init__(self, sieve: Sieve) -> None:
        self._sieve = sieve
        self._open: list[Call] = []

    def events(self, calls: Iterable[Call], until: int) -> Iterator[Event]:
        for call in chain.from_iterable(map(self._sieve, calls)):
            while self._open and self._open[-1].level >= call.level:
                yield self._left()
            yield Event(call.start, True, call)
            self._open.append(call)
        while self._open and self._open[-1].end < until:
            yield self._left()

    def _left(self) -> Event:
        call = self._open.pop()
        return Event(call.end, False, call)
