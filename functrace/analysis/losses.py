"""Descriptions of what a trace lacks: calls that were lost or overwritten, and damage."""

from __future__ import annotations

from collections.abc import Iterator

from functrace import units
from functrace.analysis.chains import Chains
from functrace.analysis.demoted import not_recorded
from functrace.tracefile import Trace


def covered(trace: Trace) -> str:
    """Return a sentence about the covered part of the run; empty if nothing was overwritten."""
    if not trace.overwritten_chunks:
        return ""
    first, last = trace.span
    part = f"the last {units.duration(last - first)} of {units.duration(last)}"
    events = trace.overwritten_events
    count = (
        ""
        if events is None
        else f" ({units.several(events, 'entry or exit', 'entries and exits')})"
    )
    return f"covers {part}; earlier calls were overwritten{count}"


def losses(chains: Chains) -> list[str]:
    """Return a sentence for each way in which a trace is incomplete; none if it is complete."""
    unfinished = int(chains.unfinished.sum())
    open_calls = (
        [f"{units.several(unfinished, 'call')} unfinished; their durations end with the trace"]
        if unfinished
        else []
    )
    return [*missing(chains.trace), *open_calls, *chains.damage]


def missing(trace: Trace) -> Iterator[str]:
    """Yield a sentence for each reason why calls of the program are not in its trace."""
    if trace.full:
        yield "recording stopped because the file was full; later calls are missing"
    if trace.write_failed:
        yield "a write failed; later calls are missing"
    if trace.overwritten_chunks:
        yield covered(trace)
    if trace.lost:
        yield f"{units.several(trace.lost, 'event')} lost"
    sentence = not_recorded(trace)
    if sentence:
        yield sentence
    if trace.is_running:
        yield "the process is still running; later calls are missing"
