"""Requests of a running program: their records, and which of them are open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from functrace.export.otlp.frames import Frame
from functrace.export.otlp.parent_calls import NO_PARENT
from functrace.export.otlp.request_calls import Place, RequestCall, RequestRecord
from functrace.tracefile import Function
from functrace.tracefile.follower import Progress


class _Inbound(NamedTuple):
    call: int
    """call id"""
    frame: Frame


class OpenRequests:
    """Open inbound calls of a trace that is followed, by which outbound calls are placed.

    Use it once per Progress: read(), then begin() for each request in the order of their starts,
    then forget_ended().
    """

    def __init__(self) -> None:
        self._inbound: dict[int, _Inbound | None] = {}
        """by number; None if several have the number"""
        self._numbers: dict[int, int] = {}
        """number by call id"""
        self._ended: dict[int, int] = {}
        """ticks at the end of requests that have ended, by call id"""

    def read(self, progress: Progress, functions: Sequence[Function]) -> dict[int, Any]:
        """Return the request records by call id: the first of each call that fits its function."""
        found: dict[int, Any] = {}
        for row in progress.requests:
            if functions[row["function"]].direction == row["direction"]:
                found.setdefault(int(row["call"]), row)
        self._ended = {}
        if found or self._numbers:
            self._ended = {
                call: start + duration
                for call, start, duration in progress.finished[
                    ["call", "start", "duration"]
                ].tolist()
                if call in found or call in self._numbers
            }
        return found

    def begin(self, call: int, frame: Frame, row: Any, name: str) -> RequestCall:
        """Return the request that a call stands for, with its place.

        Args:
            call: id of the call.
            frame: its frame, which the sampler has begun.
            row: its record from read().
            name: name of its function.
        """
        record = RequestRecord(
            direction=int(row["direction"]),
            protocol=int(row["protocol"]),
            flags=int(row["flags"]),
            trace_id=row["trace_id"].tobytes(),
            span_id=int(row["span_id"]).to_bytes(8, "big"),
            name=name,
        )
        if not record.is_inbound:
            return record.call(self._place_outbound(frame, int(row["inbound"])))
        number = int(row["number"])
        self._inbound[number] = None if number in self._inbound else _Inbound(call, frame)
        self._numbers[call] = number
        return record.call(record.foreign)

    def forget_ended(self) -> None:
        """Forget the requests that have ended."""
        for call in self._ended.keys() & self._numbers.keys():
            self._inbound.pop(self._numbers.pop(call), None)

    def _place_outbound(self, frame: Frame, number: int) -> Place | None:
        """Return the place of an outbound call if its caller is not in the inbound call's trace."""
        inbound = self._inbound.get(number)
        if inbound is None:
            return None
        outer = inbound.frame
        is_open = outer.start <= frame.start <= self._ended.get(inbound.call, frame.start)
        has_traces = NO_PARENT.trace_id not in (outer.trace_id, frame.trace_id)
        if not is_open or not has_traces or outer.trace_id == frame.trace_id:
            return None
        frame.outer = outer
        return Place(outer.trace_id, outer.span_id)
