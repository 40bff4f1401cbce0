"""Traces whose oldest calls were overwritten, as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functrace.tracefile import Trace


def as_json(traces: Iterable[Trace]) -> dict[str, list[dict[str, Any]]]:
    """Return ``partial_traces``, which lists the traces that lack the first part of the run."""
    return {
        "partial_traces": [
            {
                "trace": str(trace.path),
                "first_event_ns": trace.span[0],
                "last_event_ns": trace.span[1],
                "overwritten_chunks": trace.overwritten_chunks,
                "overwritten_events": trace.overwritten_events,
            }
            for trace in traces
            if trace.overwritten_chunks
        ]
    }
