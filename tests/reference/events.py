"""The reference implementation of functrace/_native/reader/events.c."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from functrace._native.row_types import (
    CALL,
    ENTERED,
    LEFT,
    LOST,
    RESUMED,
    SUSPENDED,
)
from functrace.analysis.request import Anomalies, Rows
from functrace.export.events import WalkRequest
from tests.reference.track_walk import (
    NO_FAILURE,
    Call,
    Failure,
    TrackWalk,
    add_time,
    children_of,
)


def walk(ask: WalkRequest, block: int) -> Iterator[Rows]:
    """Rows of ask.row, about so many at a time."""
    output = _Output(ask)
    for track, children in enumerate(children_of(ask.source)):
        for _ in _TrackEvents(ask, output, track, children).words():
            if len(output.rows) >= block:
                yield output.taken()
    if output.rows:
        yield output.taken()


class _Output:
    """What is collected over all tracks: rows that were not yet taken, and how many calls began."""

    def __init__(self, ask: WalkRequest) -> None:
        self._row = ask.row
        self.whole = ask.row is CALL
        self.rows: list[tuple[int, ...]] = []
        self.calls = 0

    def taken(self) -> Rows:
        taken = np.array(self.rows, self._row)
        self.rows.clear()
        return taken


class _TrackEvents(TrackWalk[Call]):
    """One track's rows."""

    def __init__(self, ask: WalkRequest, output: _Output, track: int, children: list[int]) -> None:
        super().__init__(ask.source, track, children, -1, Anomalies())
        self._caller = ask.caller
        self._output = output
        self._wait_listed = False

    def _hold(self, time: int) -> None:
        """A suspension is listed as one of the innermost call."""
        is_in_call = len(self._calls) > self._inherited
        if self._suspended and is_in_call and not self._wait_listed:
            self._wait_listed = True
            self._tell(SUSPENDED, self._calls[-1].function, time)

    def _resume(self, time: int) -> None:
        if self._wait_listed:
            self._wait_listed = False
            self._tell(RESUMED, self._calls[-1].function, time)

    def _lose(self, time: int, events: int) -> None:
        self._tell(LOST, -1, time, Failure(text=events))

    def _enter(self, function: int, start: int) -> None:
        self._resume(start)
        self._push(Call(self._output.calls, start, function, self._waited))
        self._output.calls += 1
        self._tell(ENTERED, function, start)

    def _leave(self, end: int, failure: Failure) -> None:
        self._resume(end)
        call = self._pop()
        ran = end - call.start - (self._waited - call.waited)
        self._tell(LEFT, call.function, end, failure)
        self._tell_call(call, end - call.start, ran, failure)
        if self._calls:
            around = self._calls[-1]
            around.inside = add_time(around.inside, ran)

    def _enter_inherited(self, function: int, start: int) -> None:
        """An inherited call is no row."""
        self._resume(start)
        self._push(Call(-1, start, function, 0))

    def _leave_inherited(self, end: int) -> None:
        self._resume(end)
        self._pop()

    def _put_child(self, child: int, call: int) -> None:
        self._caller[child] = call

    def _tell(self, kind: int, function: int, time: int, failure: Failure = NO_FAILURE) -> None:
        if not self._output.whole:
            text = failure.text, failure.length, failure.flags
            self._output.rows.append((time, *text, function, self._track, kind, 0))

    def _tell_call(self, call: Call, duration: int, ran: int, failure: Failure) -> None:
        if not self._output.whole:
            return
        row = (
            call.id,
            self._calls[-1].id if self._calls else -1,
            call.start,
            duration,
            max(ran - call.inside, 0),
            duration - ran,
            failure.text,
            failure.length,
            failure.flags,
            call.function,
            self._track,
            len(self._calls),
            0,
        )
        self._output.rows.append(row)
