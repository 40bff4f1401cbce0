"""Demoted functions of traces as JSON values; docs/json.md lists the keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from functrace.tracefile import Trace
from functrace.tracefile.facts import encodable


def of_trace(trace: Trace) -> list[dict[str, Any]]:
    """Return the spans in which functions were not recorded."""
    return [
        {
            "function": span.function,
            "begin_ns": span.begin,
            "end_ns": span.end,
            "calls_per_second": span.calls_per_second,
            "has_failures": span.has_failures,
        }
        for span in trace.demotions
    ]


def of_traces(traces: Iterable[Trace]) -> list[dict[str, Any]]:
    """Return the spans of several traces, each with its trace."""
    return [
        {"trace": encodable(str(trace.path)), **row} for trace in traces for row in of_trace(trace)
    ]
