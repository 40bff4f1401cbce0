"""What traces do not cover, as JSON: overwritten calls and demoted functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functrace.tracefile import Trace


def as_json(traces: Sequence[Trace]) -> dict[str, list[dict[str, Any]]]:
    """Return ``partial_traces``, which lack the first part of the run, and ``demoted``."""
    from functrace.export import demotion_rows

    return {
        "demoted": demotion_rows.of_traces(traces),
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
        ],
    }
