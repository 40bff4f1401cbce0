"""The reference implementation of functrace/_native/reader/walk.h."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from functrace._native.row_types import (
    COUNTED,
    CUT,
    ERROR,
    GAP,
    GOEXIT,
    LISTS,
    PANIC,
    STARTS,
    UNFINISHED,
)
from functrace.analysis.request import Anomalies
from functrace.analysis.track_words import Source
from functrace.tracefile import format as fmt

_WORD = fmt.WORD.unpack_from
_LATEST = 1 << 62


@dataclass
class Call:
    """A call that is open. inside is how long the calls in it ran."""

    id: int
    start: int
    function: int
    waited: int
    inside: int = 0


C = TypeVar("C", bound=Call)


@dataclass(frozen=True)
class Failure:
    """With which a call returns."""

    flags: int = 0
    text: int = 0
    length: int = 0
    status: int | None = None
    """value of the status record"""


NO_FAILURE = Failure()


def add_time(total: int, more: int) -> int:
    """A sum that C can have as well."""
    return min(total + more, 2 * fmt.TIME_LIMIT)


def children_of(source: Source) -> list[list[int]]:
    """By track those that it started, in the order of their beginnings."""
    children: list[list[int]] = [[] for _ in range(len(source.tracks))]
    for track, parent in enumerate(source.tracks["parent"].tolist()):
        if parent >= 0:
            children[parent].append(track)
    return children


class TrackWalk(ABC, Generic[C]):
    """One track's words.

    Args:
        source: what is walked over.
        track: which.
        children: the tracks that it started.
        outer: the id of the call in which the track's chain goes on, or -1.
        anomalies: is kept up to date.
    """

    def __init__(
        self, source: Source, track: int, children: list[int], outer: int, anomalies: Anomalies
    ) -> None:
        self._source = source
        self._track = track
        self._children = children
        self._placed = 0
        self._outer = outer
        self._anomalies = anomalies
        self._data = source.data
        self._functions = source.function_of.tolist()
        self._calls: list[C] = []
        self._open: dict[int, list[int]] = {}
        """by function: the indices of its open calls"""
        self._last: dict[int, int] = {}
        """by function: the id of its last call"""
        self._time = 0
        self._base = 0
        self._waited = 0
        self._suspended = False
        self._failure = NO_FAILURE
        self._tolerant = False
        self._reopening = False
        self._has_gap = self._had_gap = False
        self._in_gap = True
        """whether words are missing and no event has come since then"""
        self._reopened = 0
        self._inherited = 0
        """the outermost open calls, which another process began and counts"""
        self._hidden = 0
        """open calls whose entries were overwritten and that are not listed"""
        self._hidden_index = 0
        """the call that is the first inside them"""

    @abstractmethod
    def _enter(self, function: int, start: int) -> None:
        """A call begins: push it."""

    @abstractmethod
    def _leave(self, end: int, failure: Failure) -> None:
        """The innermost call ends: pop it."""

    @abstractmethod
    def _enter_inherited(self, function: int, start: int) -> None:
        """The same for a call that this process inherited: it counts for nothing here."""

    @abstractmethod
    def _leave_inherited(self, end: int) -> None:
        """The innermost call, an inherited one, ends: pop it."""

    @abstractmethod
    def _put_child(self, child: int, call: int) -> None:
        """The chain of a track that this one started goes on in the call with this id."""

    def _hold(self, time: int) -> None:
        """The track is suspended, if so, or goes on being it."""

    def _resume(self, time: int) -> None:
        """The track runs."""

    def _lose(self, time: int, events: int) -> None:
        """So many events were not recorded."""

    def _request(self, value: int, payload: bytes) -> None:
        """The call whose entry came before is a request."""

    def words(self) -> Iterator[None]:
        """Walk; comes back after every word."""
        first, end = self._source.piece_of[self._track : self._track + 2]
        for piece in self._source.pieces[first:end].tolist():
            _, offset, self._base, begin, words, opened, _, flags = piece
            self._reopening = bool(flags & COUNTED)
            self._has_gap = bool(flags & GAP)
            self._had_gap |= self._has_gap
            self._in_gap = self._has_gap
            self._reopened = 0
            if self._has_gap and not flags & LISTS:
                self._bridge_gap(offset, begin)
            yield from self._piece(offset, offset + words * 8, opened)
            self._settle(opened)
        self._place_children(_LATEST)
        self._pass_time(max(self._time, self._source.end))
        self._abandon(0, self._time)
        yield

    def _bridge_gap(self, offset: int, begin: int) -> None:
        """Words are missing before the piece: the track's next list has the calls still open."""
        first, end = self._source.piece_of[self._track : self._track + 2]
        pieces = self._source.pieces[first:end]
        rest = pieces[np.flatnonzero(pieces["offset"] == offset)[0] :].tolist()
        for _, at, _, _, words, _, _, flags in rest:
            if flags & STARTS:
                return
            if flags & LISTS:
                self._open_listed_before(at, at + words * 8, begin)
                return

    def _open_listed_before(self, at: int, end: int, before: int) -> None:
        while at < end:
            (word,) = _WORD(self._data, at)
            if word & 3 != fmt.RECORD or fmt.record_size(word) > end - at:
                return
            is_whole = fmt.record_bytes(word) >= fmt.OPEN_PAYLOAD.size
            if fmt.record_type(word) == fmt.OPEN and is_whole:
                ticks, number = fmt.OPEN_PAYLOAD.unpack_from(self._data, at + 8)
                if fmt.ticks_since(ticks, self._source.start) >= before:
                    return
                self._match_open(ticks, number, inherited=word >> 24 == fmt.OPEN_INHERITED)
            at += fmt.record_size(word)

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
        elif kind == fmt.OPEN and self._reopening and size >= fmt.OPEN_PAYLOAD.size:
            ticks, number = fmt.OPEN_PAYLOAD.unpack_from(self._data, at + 8)
            self._match_open(ticks, number, inherited=word >> 24 == fmt.OPEN_INHERITED)
        elif kind == fmt.INHERITED and size >= fmt.OPEN_PAYLOAD.size:
            self._settle(opened)
            self._inherit(*fmt.OPEN_PAYLOAD.unpack_from(self._data, at + 8))
        elif kind == fmt.LOST:
            self._note_lost(word >> 24)
        elif kind in (fmt.ERROR, fmt.PANIC):
            self._settle(opened)
            self._fail(kind, word >> 24, at + 8, size)
        elif kind in (fmt.SUSPENDED, fmt.RESUMED):
            self._settle(opened)
            self._wait_or_run(kind, self._move_time(self._base + (word >> 24)))
        elif kind == fmt.REQUEST:
            self._settle(opened)
            self._request(word >> 24, bytes(self._data[at + 8 : at + 8 + size]))
        elif kind == fmt.STATUS:
            self._settle(opened)
            self._failure = replace(self._failure, status=word >> 24)

    def _event(self, word: int) -> None:
        function = self._function(word >> 2 & 0xFFFFF)
        time = self._move_time(self._base + (word >> 22))
        self._run(time)
        if word & 3 == fmt.EXIT:
            if function >= 0:
                self._exit(function, time)
            self._failure = NO_FAILURE
        elif function >= 0:
            self._enter(function, time)

    def _function(self, number: int) -> int:
        function = self._functions[number] if number < len(self._functions) else -1
        self._anomalies.unknown += function < 0
        return int(function)

    def _pass_time(self, until: int) -> None:
        if self._suspended:
            self._waited += until - self._time
        self._time = until

    def _move_time(self, ticks: int) -> int:
        time = fmt.ticks_since(ticks, self._source.start)
        self._anomalies.backwards += time < self._time
        self._pass_time(max(time, self._time))
        self._place_children(self._time)
        self._in_gap = False
        return self._time

    def _run(self, time: int) -> None:
        self._suspended = False
        self._resume(time)

    def _wait_or_run(self, kind: int, time: int) -> None:
        if kind == fmt.RESUMED:
            self._run(time)
        else:
            self._suspended = True
            self._hold(time)

    def _note_lost(self, events: int) -> None:
        self._anomalies.lost += events
        self._tolerant = True
        self._run(self._time)
        self._lose(self._time, events)

    def _exit(self, function: int, time: int) -> None:
        opened = self._open.get(function)
        index = opened[-1] if opened else -1
        if self._hidden and index < self._hidden_index:
            self._abandon(self._hidden_index, time)
            self._hidden -= 1
            return
        if index < 0:
            self._anomalies.orphans += not self._tolerant
            return
        if index + 1 < len(self._calls):
            if not self._tolerant:
                self._anomalies.skipped += len(self._calls) - index - 1
            self._abandon(index + 1, time)
        self._end_call(time, self._failure)

    def _fail(self, kind: int, value: int, text: int, length: int) -> None:
        flag = ERROR
        if kind == fmt.PANIC:
            flag = GOEXIT if value == fmt.GOEXIT else PANIC
        flag |= CUT if value == fmt.CUT else 0
        self._failure = Failure(self._failure.flags | flag, text, length, self._failure.status)

    def _match_open(self, ticks: int, number: int, *, inherited: bool) -> None:
        """A call open where the chunk begins: known already, or the track's calls are not these."""
        start = fmt.ticks_since(ticks, self._source.start)
        function = self._function(number)
        if function < 0:
            return
        index = self._reopened
        self._reopened += 1
        if self._hidden and index >= self._hidden_index:
            self._abandon(self._hidden_index, self._time)
            self._hidden = 0
        if index < len(self._calls):
            call = self._calls[index]
            if call.function == function and call.start == start:
                return
        self._abandon(index, self._time)
        self._reopen(function, start, inherited=inherited)

    def _inherit(self, ticks: int, number: int) -> None:
        """A call that was open where the process began."""
        function = self._function(number)
        if function >= 0:
            self._reopen(function, fmt.ticks_since(ticks, self._source.start), inherited=True)

    def _reopen(self, function: int, start: int, *, inherited: bool) -> None:
        """A call turns out to be open."""
        self._hold(self._time)
        start = max(start, self._time)  # it did not begin before what happened outside of it
        self._place_children(start)
        self._pass_time(start)
        self._begin_call(function, start, inherited=inherited)
        self._hold(self._time)

    def _settle(self, opened: int) -> None:
        """Where a chunk's first event comes, the calls that it says are open should be."""
        if not self._reopening:
            return
        self._reopening = False
        expected = max(self._reopened, opened)
        if self._has_gap or len(self._calls) + self._hidden != expected:
            is_unexplained = not self._reopened and not self._tolerant and not self._has_gap
            self._anomalies.differing += is_unexplained
            self._match_depth(expected)

    def _match_depth(self, expected: int) -> None:
        """End calls that are not open any more, hide those that are neither known nor listed."""
        is_known = not self._has_gap and not self._hidden and len(self._calls) > expected
        is_listed = self._has_gap or self._reopened
        self._abandon(self._reopened if is_listed and not is_known else expected, self._time)
        self._hidden = 0
        if is_listed and len(self._calls) < expected:
            self._hidden_index = len(self._calls)
            self._hidden = expected - len(self._calls)
            self._anomalies.hidden += self._hidden
        self._hold(self._time)

    def _begin_call(self, function: int, start: int, *, inherited: bool) -> None:
        """Push a call. Inherited ones are around all others; a call inside others is ordinary."""
        if not inherited or self._inherited < len(self._calls):
            self._enter(function, start)
            return
        self._enter_inherited(function, start)
        self._inherited = len(self._calls)

    def _end_call(self, end: int, failure: Failure) -> None:
        if len(self._calls) > self._inherited:
            self._leave(end, failure)
            return
        self._leave_inherited(end)
        self._inherited = len(self._calls)

    def _push(self, call: C) -> None:
        self._open.setdefault(call.function, []).append(len(self._calls))
        self._last[call.function] = call.id
        self._calls.append(call)

    def _pop(self) -> C:
        call = self._calls.pop()
        self._open[call.function].pop()
        return call

    def _abandon(self, depth: int, end: int) -> None:
        while len(self._calls) > depth:
            self._end_call(end, Failure(UNFINISHED))
        if depth < self._hidden_index:
            self._hidden = 0

    def _place_children(self, before: int) -> None:
        """Children that begin before the time given go on in what is open now."""
        while self._placed < len(self._children):
            child = self._children[self._placed]
            start, _, starter = self._source.tracks[child].tolist()
            if start >= before:
                return
            self._put_child(child, self._place(starter))
            self._placed += 1

    def _place(self, starter: int) -> int:
        if self._open.get(starter):
            return self._calls[self._open[starter][-1]].id
        if starter in self._last:
            return self._last[starter]
        return self._calls[-1].id if self._calls else self._outer
