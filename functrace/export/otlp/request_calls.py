"""Requests behind the calls of a trace, and where their spans belong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from functrace.analysis.stream import Call
from functrace.tracefile import Trace
from functrace.tracefile import format as fmt
from functrace.tracefile.requests import Requests


class Place(NamedTuple):
    """Place in an OpenTelemetry trace: of a request's span, or below a span."""

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

    def with_status(self, value: int, name_of: Callable[[int], str]) -> RequestCall:
        """Return the request with what the value of its status record contains.

        Args:
            value: value of the record.
            name_of: function that returns the name of the function with a number, or nothing.
        """
        route = value >> fmt.ROUTE_AT & fmt.FUNCTION_LIMIT - 1
        return self._replace(
            status=value & fmt.CODE_MASK, route=name_of(route) if route else self.route
        )

    @property
    def span_name(self) -> str:
        """Name of the span."""
        return self.route or self.name


class RequestRecord(NamedTuple):
    """Request record, and the names that belong to it."""

    direction: int
    protocol: int
    flags: int
    """flags of the record, as in functrace.tracefile.format"""
    trace_id: bytes
    span_id: bytes
    name: str
    route: str = ""
    status: int = -1

    @property
    def is_inbound(self) -> bool:
        """Whether the request entered the process."""
        return self.direction == fmt.INBOUND

    @property
    def has_ids(self) -> bool:
        """Whether a trace id and a span id were recorded."""
        return bool(self.flags & fmt.HAS_IDS)

    @property
    def ids(self) -> Place | None:
        """The ids that were recorded."""
        return Place(self.trace_id, self.span_id) if self.has_ids else None

    @property
    def own(self) -> Place | None:
        """The ids, if functrace made them for the span of the request."""
        return self.ids if self.flags & fmt.OWN_IDS else None

    @property
    def foreign(self) -> Place | None:
        """The ids, if they are those of another span."""
        return None if self.flags & fmt.OWN_IDS else self.ids

    def call(self, place: Place | None, row: int = -1) -> RequestCall:
        """Return the request with the place of its span."""
        own = self.own
        return RequestCall(
            row=row,
            is_inbound=self.is_inbound,
            is_grpc=self.protocol == fmt.GRPC,
            name=self.name,
            route=self.route,
            status=self.status,
            own_trace_id=own.trace_id if own else b"",
            own_span_id=own.parent_id if own else b"",
            place=place,
        )


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
        record = self.record(row)
        received = record.foreign if record.is_inbound else None
        return record.call(self._places.get(row, received), row)

    def record(self, row: int) -> RequestRecord:
        """Return the record in a row of the table."""
        table, functions = self._table, self._trace.functions
        route = int(table.route_function[row])
        return RequestRecord(
            direction=int(table.direction[row]),
            protocol=int(table.protocol[row]),
            flags=int(table.flags[row]),
            trace_id=bytes(table.trace_id[row].tobytes()),
            span_id=int(table.span_id[row]).to_bytes(8, "big"),
            name=functions[int(table.function[row])].name,
            route=functions[route].name if route >= 0 else "",
            status=int(table.status[row]),
        )

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
