"""Summary of a recorded run in a few lines."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from functrace import units
from functrace.analysis import Forest
from functrace.analysis.losses import covered
from functrace.analysis.triage import triage
from functrace.cli.render import budget_note, terminal
from functrace.errors import FunctraceError
from functrace.text import layout, triage_text
from functrace.text.safe_text import style
from functrace.tracefile import Trace, open_trace

_TOP = 3


def summary(verb: str, place: Path, files: list[Path], ended: str) -> Iterator[str]:
    """Yield the lines: path and size of the traces, top functions, findings, next command."""
    traces = [trace for file in files if (trace := _open(file))]
    size = sum(file.stat().st_size for file in files)
    number = units.several(len(files), "trace")
    yield style(f"functrace {verb}: {place}: {number}, {units.size(size)}", bold=True)
    if not traces:
        yield "  no trace can be read; the process may have ended before recording started"
        return
    found = triage(traces)
    yield f"  {triage_text.amount(found.forest)}; {', '.join([ended, *_losses(traces)])}"
    yield from _fallback(traces)
    for trace in traces:
        sentence = covered(trace)
        if sentence:
            yield style(f"  {trace.path.name} {sentence}", fg="yellow")
    for sentence in budget_note.sentences(traces):
        yield style(f"  {sentence}", fg="yellow")
    yield from _top_functions(found.forest)
    lines = list(triage_text.first_lines(found, place, terminal.width()))
    yield from lines
    verb = "triage" if lines else "report"
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
