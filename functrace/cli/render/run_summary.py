"""Summary of a recorded run in a few lines."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from functrace import units
from functrace.analysis import Forest, fold, merge
from functrace.analysis.losses import covered
from functrace.cli.render import layout
from functrace.cli.render.terminal import style
from functrace.errors import FunctraceError
from functrace.tracefile import Trace, open_trace

_TOP = 3
_OUTERMOST, _INNERMOST = 2, 5  # functions of a long chain that are printed


def summary(verb: str, place: Path, files: list[Path], ended: str) -> Iterator[str]:
    """Yield the lines: path and size of the traces, top functions, first failure, next command."""
    traces = [trace for file in files if (trace := _open(file))]
    size = sum(file.stat().st_size for file in files)
    number = units.several(len(files), "trace")
    yield style(f"functrace {verb}: {place}: {number}, {units.size(size)}", bold=True)
    if not traces:
        yield "  no trace can be read; the process may have ended before recording started"
        return
    forest = merge([fold(trace) for trace in traces])
    yield f"  {_amount(forest)}; {', '.join([ended, *_losses(traces)])}"
    yield from _fallback(traces)
    for trace in traces:
        sentence = covered(trace)
        if sentence:
            yield style(f"  {trace.path.name} {sentence}", fg="yellow")
    yield from _top_functions(forest)
    failed = _failure(forest)
    if failed:
        yield style(f"  {failed}", fg="red")
    verb = "replay --errors" if failed else "report"
    yield f"  next: functrace {verb} {shlex.quote(str(place))}"


def _open(file: Path) -> Trace | None:
    try:
        return open_trace(file)
    except FunctraceError:
        return None


def _fallback(traces: list[Trace]) -> Iterator[str]:
    """Yield the warning of the first trace that the fallback in Python has recorded, if any."""
    warnings = [trace.process["fallback"] for trace in traces if "fallback" in trace.process]
    if warnings:
        yield style(f"  {warnings[0]}", fg="yellow")


def _amount(forest: Forest) -> str:
    traces = forest.traces
    tracks = sum(len(trace.tracks) for trace in traces)
    noun = "goroutine" if all(trace.language == "go" for trace in traces) else "track"
    first = min(trace.started + trace.span[0] for trace in traces)
    last = max(trace.started + trace.span[1] for trace in traces)
    calls = units.several(int(forest.calls.sum()), "call")
    return f"{calls} in {units.duration(last - first)} on {units.several(tracks, noun)}"


def _losses(traces: list[Trace]) -> Iterator[str]:
    """Yield the reasons why events may be missing."""
    if any(trace.full for trace in traces):
        yield "the trace file was full (raise --max-size or use --overwrite)"
    if any(trace.write_failed for trace in traces):
        yield "writing the trace failed"
    lost = sum(trace.lost or 0 for trace in traces)
    if any(trace.lost is None for trace in traces):
        yield "number of lost events unknown"
    elif lost:
        yield f"{units.several(lost, 'event')} lost"


def _top_functions(forest: Forest) -> Iterator[str]:
    own = np.bincount(forest.function, forest.self, len(forest.functions))
    top = [f for f in np.argsort(-own, kind="stable")[:_TOP].tolist() if own[f] > 0]
    if top:
        names = layout.Names(forest.functions)
        shares = ", ".join(f"{names[f]} {units.share(own[f], own.sum())}" for f in top)
        yield f"  top self time: {shares}"


def _failure(forest: Forest) -> str:
    """Return a line with the first chain that failed and its error; empty if none failed."""
    failing = [
        (chains.trace.started + int(chains.failed_start[node]), -node, chains, node)
        for chains in forest.chains
        for node in np.flatnonzero(chains.failed_track >= 0).tolist()
    ]
    if not failing:
        return ""
    _, _, chains, node = min(failing, key=lambda each: each[:2])
    names = [chains.trace.functions[chains.function[n]].name for n in chains.chain(node)]
    text = " ".join(chains.failure(node).split())
    count = units.count(int((forest.errors + forest.panics).sum()))
    return f"{count} failed, first {' → '.join(_shorten(names))}" + (f": {text}" if text else "")


def _shorten(names: list[str]) -> list[str]:
    """Return the names of a chain, without the middle of a long one."""
    omitted_count = len(names) - _OUTERMOST - _INNERMOST
    if omitted_count <= 1:
        return names
    return [*names[:_OUTERMOST], f"({omitted_count} more)", *names[-_INNERMOST:]]
