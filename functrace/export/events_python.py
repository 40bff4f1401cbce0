"""What _native/events.c does, in Python: the same rows, some hundred times slower."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from functrace.analysis.tables import CUT, ERROR, GOEXIT, PANIC, UNFINISHED
from functrace.export.events_table import (
    CALL,
    ENTERED,
    LEFT,
    LOST,
    RESUMED,
    SUSPENDED,
    Rows,
    Walk,
)
from functrace.trace import format as fmt

_WORD = fmt.WORD.unpack_from
_LATEST = 1 << 62


def walk(ask: Walk, block: int) -> Iterator[Rows]:
    """Rows of ask.row, about so many at a time."""
    told = _Told(ask)
    for track in range(len(ask.tracks)):
        for _ in _TrackWalk(ask, told, track).words():
            if len(told.rows) >= block:
                yield told.taken()
    if told.rows:
        yield told.taken()


def _add_time(total: int, more: int) -> int:
    return min(total + more, 2 * fmt.TIME_LIMIT)


@dataclass
class _Call:
    """A call that is open."""

    call: int
    start: int
    function: int
    inside: int = 0
    suspended: int = 0


@dataclass(frozen=True)
class _Failure:
    flags: int = 0
    text: int = 0
    length: int = 0


_NONE = _Failure()


class _Told:
    """What is collected over all tracks: rows that were not yet taken, and how many calls began."""

    def __init__(self, ask: Walk) -> None:
        self._row = ask.row
        self.whole = ask.row is CALL
        self.rows: list[tuple[int, ...]] = []
        self.calls = 0
        self.children: list[list[int]] = [[] for _ in range(len(ask.tracks))]
        for track, parent in enumerate(ask.tracks["parent"].tolist()):
            if parent >= 0:
                self.children[parent].append(track)

    def taken(self) -> Rows:
        taken = np.array(self.rows, self._row)
        self.rows.clear()
        return taken


class _TrackWalk:
    """One track's words."""

    def __init__(self, ask: Walk, told: _Told, track: int) -> None:
        self._ask = ask
        self._told = told
        self._track = track
        self._data = ask.data
        self._functions = ask.function_of.tolist()
        self._children = told.children[track]
        self._placed = 0
        self._calls: list[_Call] = []
        self._open: dict[int, list[int]] = {}
        """by function: the indices of its open calls"""
        self._last: dict[int, int] = {}
        """by function: its last call"""
        self._time = 0
        self._base = 0
        self._waits_since = -1
        self._waiting = False
        self._failure = _NONE
        self._reopening = False
        self._reopened = 0

    def words(self) -> Iterator[None]:
        """Walk; comes back after every word."""
        first, end = self._ask.piece_of[self._track : self._track + 2]
        for piece in self._ask.pieces[first:end].tolist():
            _, offset, self._base, _, words, opened, begins, _ = piece
            self._reopening = bool(begins)
            self._reopened = 0
            yield from self._piece(offset, offset + words * 8, opened)
            self._settle(opened)
        self._place_children(_LATEST)
        self._abandon(0, max(self._time, self._ask.end))
        yield

    def _piece(self, at: int, end: int, opened: int) -> Iterator[None]:
        while at < end:
            (word,) = _WORD(self._data, at)
            kind = word & 3
            if kind in (fmt.ENTRY, fmt.EXIT):
                self._settle(opened)
                self._event(word)
            elif kind == fmt.RECORD:
                if fmt.record_size(word) > end - at:
                    return
                self._record(opened, at, word)
                at += fmt.record_size(word) - 8
            at += 8
            yield

    def _record(self, opened: int, at: int, word: int) -> None:
        kind, size = fmt.record_type(word), fmt.record_bytes(word)
        if kind == fmt.BASE and size >= fmt.WORD.size:
            (self._base,) = _WORD(self._data, at + 8)
        elif kind in (fmt.ERROR, fmt.PANIC):
            self._settle(opened)
            self._fail(kind, word >> 24, at + 8, size)
        elif kind == fmt.OPEN and self._reopening and size >= fmt.OPEN_PAYLOAD.size:
            self._reopen(*fmt.OPEN_PAYLOAD.unpack_from(self._data, at + 8))
        elif kind == fmt.LOST:
            self._wake(self._time)
            self._tell(LOST, -1, self._time, _Failure(text=word >> 24))
        elif kind in (fmt.SUSPENDED, fmt.RESUMED):
            self._settle(opened)
            time = self._move_time(self._base + (word >> 24))
            (self._wait if kind == fmt.SUSPENDED else self._wake)(time)

    def _event(self, word: int) -> None:
        function = self._function(word >> 2 & 0xFFFFF)
        time = self._move_time(self._base + (word >> 22))
        self._wake(time)
        if word & 3 == fmt.EXIT:
            if self._open.get(function):
                self._abandon(self._open[function][-1] + 1, time)
                self._pop(time, self._failure)
            self._failure = _NONE
        elif function >= 0:
            self._push(function, time)

    def _function(self, number: int) -> int:
        return int(self._functions[number]) if number < len(self._functions) else -1

    def _move_time(self, ticks: int) -> int:
        self._time = max(fmt.ticks_since(ticks, self._ask.start), self._time)
        self._place_children(self._time)
        return self._time

    def _fail(self, kind: int, value: int, text: int, length: int) -> None:
        flag = ERROR
        if kind == fmt.PANIC:
            flag = GOEXIT if value == fmt.GOEXIT else PANIC
        flag |= CUT if value == fmt.CUT else 0
        self._failure = _Failure(self._failure.flags | flag, text, length)

    def _reopen(self, ticks: int, number: int) -> None:
        start = fmt.ticks_since(ticks, self._ask.start)
        function = self._function(number)
        if function < 0:
            return
        index = self._reopened
        self._reopened += 1
        if index < len(self._calls):
            call = self._calls[index]
            if call.function == function and call.start == start:
                return
        self._abandon(index, self._time)
        self._begin_wait(self._time)
        if index:
            start = max(start, self._calls[index - 1].start)
        self._place_children(start)
        self._push(function, start)
        self._time = max(self._time, start)
        self._begin_wait(self._time)

    def _settle(self, opened: int) -> None:
        if not self._reopening:
            return
        self._reopening = False
        if len(self._calls) > (self._reopened or opened):
            self._abandon(self._reopened or opened, self._time)
            self._begin_wait(self._time)

    def _wait(self, time: int) -> None:
        if not self._waiting:
            self._waiting = True
            self._begin_wait(time)

    def _wake(self, time: int) -> None:
        self._waiting = False
        self._end_wait(time)

    def _begin_wait(self, time: int) -> None:
        if self._waiting and self._calls and self._waits_since < 0:
            self._waits_since = time
            self._tell(SUSPENDED, self._calls[-1].function, time)

    def _end_wait(self, time: int) -> None:
        if self._waits_since < 0:
            return
        took = max(time - self._waits_since, 0)
        call = self._calls[-1]
        call.inside = _add_time(call.inside, took)
        call.suspended = _add_time(call.suspended, took)
        self._waits_since = -1
        self._tell(RESUMED, call.function, time)

    def _push(self, function: int, start: int) -> None:
        self._end_wait(start)
        self._open.setdefault(function, []).append(len(self._calls))
        self._last[function] = self._told.calls
        self._calls.append(_Call(self._told.calls, start, function))
        self._told.calls += 1
        self._tell(ENTERED, function, start)

    def _pop(self, end: int, failure: _Failure) -> None:
        self._end_wait(end)
        call = self._calls.pop()
        self._open[call.function].pop()
        self._tell(LEFT, call.function, end, failure)
        self._tell_call(call, end - call.start, failure)
        if self._calls:
            around = self._calls[-1]
            around.inside = _add_time(around.inside, end - call.start)
            around.suspended = _add_time(around.suspended, call.suspended)

    def _abandon(self, depth: int, end: int) -> None:
        while len(self._calls) > depth:
            self._pop(end, _Failure(UNFINISHED))

    def _tell(self, kind: int, function: int, time: int, failure: _Failure = _NONE) -> None:
        if not self._told.whole:
            text = failure.text, failure.length, failure.flags
            self._told.rows.append((time, *text, function, self._track, kind, 0))

    def _tell_call(self, call: _Call, duration: int, failure: _Failure) -> None:
        if not self._told.whole:
            return
        row = (
            call.call,
            self._calls[-1].call if self._calls else -1,
            call.start,
            duration,
            max(duration - call.inside, 0),
            call.suspended,
            failure.text,
            failure.length,
            failure.flags,
            call.function,
            self._track,
            len(self._calls),
            0,
        )
        self._told.rows.append(row)

    def _place_children(self, before: int) -> None:
        """Children that begin before the time given go on in what is open now."""
        while self._placed < len(self._children):
            child = self._children[self._placed]
            start, _parent, starter = self._ask.tracks[child].tolist()
            if start >= before:
                return
            self._ask.caller[child] = self._caller(starter)
            self._placed += 1

    def _caller(self, starter: int) -> int:
        if self._open.get(starter):
            return self._calls[self._open[starter][-1]].call
        if starter in self._last:
            return self._last[starter]
        return self._calls[-1].call if self._calls else -1
