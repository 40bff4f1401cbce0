"""Conversion of the engine's table of requests to columns."""

from __future__ import annotations

import numpy as np

from functrace.analysis.request import Rows
from functrace.analysis.request_joins import join_calls
from functrace.tracefile.reader import Trace
from functrace.tracefile.requests import Requests


def requests_of(trace: Trace, rows: Rows, invalid: int) -> Requests:
    """Convert rows of REQUEST to columns."""
    ns = trace.clock.nanoseconds
    inbound, join = join_calls(rows, has_all_calls=_has_all_calls(trace))
    return Requests(
        direction=rows["direction"].copy(),
        protocol=rows["protocol"].copy(),
        flags=rows["flags"].copy(),
        number=rows["number"].copy(),
        inbound_number=rows["inbound"].copy(),
        inbound=inbound,
        join=join,
        trace_id=rows["trace_id"].copy(),
        span_id=rows["span_id"].copy(),
        ft_process=rows["ft_process"].copy(),
        ft_number=rows["ft_number"].copy(),
        track=rows["track"].copy(),
        start=trace.started + ns(rows["start"]),
        end=np.where(rows["unfinished"], -1, trace.started + ns(rows["end"])),
        failed=rows["failed"].astype(np.bool_),
        status=rows["status"].copy(),
        route_function=rows["route"].copy(),
        function=rows["function"].copy(),
        chain=rows["node"].copy(),
        call=rows["call"].copy(),
        invalid_records=invalid,
    )


def _has_all_calls(trace: Trace) -> bool:
    """Return whether the calls of no function were left out for a budget or a minimum duration."""
    options = trace.process.get("options")
    is_limited = isinstance(options, dict) and "FUNCTRACE_MIN_DURATION" in options
    return not trace.demotions and trace.budget_ppm is None and not is_limited
