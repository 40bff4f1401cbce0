"""Conversion of the engine's table of requests to columns."""

from __future__ import annotations

import numpy as np

from functrace.analysis.request import Rows
from functrace.tracefile.reader import Trace
from functrace.tracefile.requests import NO_JOIN, Requests


def requests_of(trace: Trace, rows: Rows, invalid: int) -> Requests:
    """Convert rows of REQUEST to columns."""
    ns = trace.clock.nanoseconds
    is_finished = rows["end"] >= 0
    return Requests(
        direction=rows["direction"].copy(),
        protocol=rows["protocol"].copy(),
        flags=rows["flags"].copy(),
        number=rows["number"].copy(),
        inbound_number=rows["inbound"].copy(),
        inbound=np.full(len(rows), -1, np.int32),
        join=np.full(len(rows), NO_JOIN, np.uint8),
        trace_id=rows["trace_id"].copy(),
        span_id=rows["span_id"].copy(),
        ft_process=rows["ft_process"].copy(),
        ft_number=rows["ft_number"].copy(),
        track=rows["track"].copy(),
        start=trace.started + ns(rows["start"]),
        end=np.where(is_finished, trace.started + ns(rows["end"]), -1),
        failed=rows["failed"].astype(np.bool_),
        status=rows["status"].copy(),
        route_function=rows["route"].copy(),
        function=rows["function"].copy(),
        chain=rows["node"].copy(),
        call=rows["call"].copy(),
        invalid_records=invalid,
    )
