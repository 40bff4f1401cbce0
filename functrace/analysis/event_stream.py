"""Sequence of call entries and exits."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from functrace.analysis.fold import Listing
from functrace.analysis.selection import Selection
from functrace.analysis.stream import Call, by_time, by_track
from functrace.tracefile.reader import Trace


class Event(NamedTuple):
    """Entry or exit of a call."""

    time: int
    entered: bool
    call: Call


def events(
    trace: Trace, selection: Selection, listing: Listing, *, merged: bool = False
) -> Iterator[Event]:
    """Yield entries and exits of the listed calls, track by track or merged by time."""
    tracks: defaultdict[int, _Track] = defaultdict(_Track)
    for block in (by_time if merged else by_track)(trace, selection, listing):
        streams = [tracks[track].events(calls, block.until) for track, calls in block.tracks]
        yield from heapq.merge(*streams, key=_time) if merged else chain(*streams)


def _time(event: Event) -> int:
    return event.time


class _Track:
    """Open calls of a track, kept from one block to the next."""

    def __init__(self) -> None:
        self._open: list[Call] = []

    def events(self, calls: Iterable[Call], until: int) -> Iterator[Event]:
        for call in calls:
            while self._open and self._open[-1].level >= call.level:
                yield self._exit()
            yield Event(call.start, True, call)
            self._open.append(call)
        while self._open and self._open[-1].end < until:
            yield self._exit()

    def _exit(self) -> Event:
        call = self._open.pop()
        return Event(call.end, False, call)
