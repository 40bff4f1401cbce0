"""The part of a run that a trace covers if its oldest calls were overwritten."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from functrace import units

if TYPE_CHECKING:
    from functrace.tracefile import Trace


def sentence(trace: Trace) -> str:
    """Return a sentence about the covered part of the run; empty if nothing was overwritten."""
    if not trace.overwritten_chunks:
        return ""
    first, last = trace.span
    covered = f"the last {units.duration(last - first)} of {units.duration(last)}"
    return f"covers {covered}; earlier calls were overwritten"


def as_json(traces: Iterable[Trace]) -> dict[str, list[dict[str, Any]]]:
    """Return the same as JSON: ``partial_traces`` lists the traces that lack part of the run."""
    return {
        "partial_traces": [
            {
                "path": str(trace.path),
                "first_event_ns": trace.span[0],
                "last_event_ns": trace.span[1],
                "overwritten_chunks": trace.overwritten_chunks,
            }
            for trace in traces
            if trace.overwritten_chunks
        ]
    }
