"""Requests behind the calls of a trace, and where their spans belong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from functrace.analysis.stream import Call
from functrace.tracefile import Trace
from functrace.tracefile import format as fmt
from functrace.tracefile.requests import Requests


class Place(NamedTuple):
    """Place of a request's span in an OpenTelemetry trace."""

    trace_id: bytes
    parent_id: bytes
    """span id of the parent; empty for none"""


class RequestCall(NamedTuple):
    """Request that a call stands for."""

    row: int
    """row in the table of requests"""
    is_inbound: bool
    is_grpc: bool
    name: str
    """name of the request, such as ``POST payments/pay``"""
    route: str
    """route as the framework names it; empty if it is unknown"""
    status: int
    """status of HTTP or code of gRPC; -1 if it is unknown"""
    own_trace_id: bytes
    """trace id that functrace made and sent; else empty"""
    own_span_id: bytes
    """span id that functrace made and sent; else empty"""
    place: Place | None
    """place of the span; None: it is where the call is"""

    @property
    def span_name(self) -> str:
        """Name of the span."""
        return self.route or self.name


class RequestCalls:
    """Requests of a trace, looked up by their calls.

    Args:
        trace: the trace.
        table: its requests.
        places: places of spans by row; for an inbound call without one, the received ids count.
    """

    def __init__(
        self, trace: Trace, table: Requests, places: Mapping[int, Place | None] | None = None
    ) -> None:
        self._trace = trace
        self._table = table
        self._places = places or {}
        tracks = np.arange(len(trace.tracks) + 1)
        self._first = np.searchsorted(table.track, tracks)
        self._next: dict[int, int] = {}
        """row of the next request, by track"""
        self.tracks = frozenset(np.unique(table.track).tolist())
        """indices of the tracks with requests"""

    def __getitem__(self, row: int) -> RequestCall:
        """Return the request in a row of the table."""
        table = self._table
        is_inbound = int(table.direction[row]) == fmt.INBOUND
        flags = int(table.flags[row])
        has_own_ids = bool(flags & fmt.OWN_IDS and flags & fmt.HAS_IDS) and not is_inbound
        route = int(table.route_function[row])
        return RequestCall(
            row=row,
            is_inbound=is_inbound,
            is_grpc=int(table.protocol[row]) == fmt.GRPC,
            name=self._trace.functions[int(table.function[row])].name,
            route=self._trace.functions[route].name if route >= 0 else "",
            status=int(table.status[row]),
            own_trace_id=self.trace_id(row) if has_own_ids else b"",
            own_span_id=self.span_id(row) if has_own_ids else b"",
            place=self._places[row] if row in self._places else self._received(row, is_inbound),
        )

    def trace_id(self, row: int) -> bytes:
        """Return the recorded trace id, zeros without one."""
        return bytes(self._table.trace_id[row].tobytes()).ljust(16, b"\0")

    def span_id(self, row: int) -> bytes:
        """Return the recorded span id, zeros without one."""
        return int(self._table.span_id[row]).to_bytes(8, "big")

    def has_ids(self, row: int) -> bool:
        """Return whether ids were recorded."""
        return bool(int(self._table.flags[row]) & fmt.HAS_IDS)

    def find(self, call: Call) -> RequestCall | None:
        """Return the request that a call stands for, if any.

        The calls of a track must come in order of their starts.
        """
        function = self._trace.functions[call.function]
        if not function.direction:
            return None
        table, start = self._table, call.start + self._trace.started
        row = self._next.get(call.track, int(self._first[call.track]))
        end = int(self._first[call.track + 1])
        while row < end and int(table.start[row]) <= start:
            is_found = table.start[row] == start and table.function[row] == call.function
            row += 1
            self._next[call.track] = row
            if is_found:
                return self[row - 1]
        return None

    def _received(self, row: int, is_inbound: bool) -> Place | None:
        if not is_inbound or not self.has_ids(row):
            return None
        return Place(self.trace_id(row), self.span_id(row))
