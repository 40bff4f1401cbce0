"""The reference implementation of functrace/_native/reader/requests.c."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from functrace._native.row_types import ERROR, PANIC, REQUEST, UNFINISHED
from functrace.analysis.request import Rows
from functrace.tracefile import format as fmt
from tests.reference.track_walk import Failure


@dataclass
class Request:
    """A row of the table."""

    number: int
    track: int
    start: int
    direction: int
    protocol: int
    flags: int
    inbound: int = 0
    span_id: int = 0
    ft_process: int = 0
    ft_number: int = 0
    trace_id: bytes = bytes(16)
    end: int = 0
    call: int = -1
    function: int = -1
    node: int = -1
    route: int = -1
    status: int = -1
    ancestor: int = -1
    failed: int = 0
    unfinished: int = 1

    def begin(self, function: int, start: int, call: int) -> None:
        self.function, self.start, self.call = function, start, call

    def finish(self, node: int, end: int, failure: Failure, functions: list[int]) -> None:
        self.node = node
        self.end = end
        self.unfinished = bool(failure.flags & UNFINISHED)
        self.failed = bool(failure.flags & (ERROR | PANIC))
        if failure.status is None:
            return
        self.status = failure.status & fmt.CODE_MASK
        self.flags |= failure.status & fmt.GRPC_CODE
        route = failure.status >> fmt.ROUTE_AT & 0xFFFFF
        self.route = functions[route] if 0 < route < len(functions) else -1


def read_request(value: int, payload: bytes, track: int, time: int) -> Request | None:
    """Return what a record contains; None if it is invalid."""
    direction = value & fmt.DIRECTION_MASK
    is_inbound = direction == fmt.INBOUND
    layout = "<Q" if is_inbound else "<QQ"
    if direction not in (fmt.INBOUND, fmt.OUTBOUND) or (value & fmt.HAS_CALLER and not is_inbound):
        return None
    layout += "16s8s" if value & fmt.HAS_IDS else ""
    layout += "QQ" if value & fmt.HAS_CALLER else ""
    if len(payload) < struct.calcsize(layout):
        return None
    fields = list(struct.unpack_from(layout, payload))
    flags = value & (fmt.HAS_IDS | fmt.SAMPLED | fmt.HAS_CALLER | fmt.OWN_IDS)
    protocol = value >> fmt.PROTOCOL_AT & fmt.PROTOCOL_MASK
    request = Request(fields.pop(0), track, time, direction, protocol, flags, end=time)
    if not is_inbound:
        request.inbound = fields.pop(0)
    if value & fmt.HAS_IDS:
        trace_id, span_id = fields.pop(0), int.from_bytes(fields.pop(0), "big")
        if any(trace_id) and span_id:
            request.trace_id, request.span_id = trace_id, span_id
        else:
            request.flags &= fmt.HAS_CALLER
    if value & fmt.HAS_CALLER:
        request.ft_process, request.ft_number = fields
    return request if request.number else None


def request_rows(requests: list[Request], kept: list[int]) -> Rows:
    """Return the table, with the nodes that are kept."""
    for request in requests:
        request.node = kept[request.node] if request.node >= 0 else -1
    rows = [tuple(getattr(each, name) for name in REQUEST.names or ()) for each in requests]
    return np.array(rows, REQUEST)
