"""Functions that were not recorded for some time because of FUNCTRACE_BUDGET."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from functrace import units
from functrace.globs import short_name
from functrace.tracefile import Demotion, Trace

_MAX_NAMES = 3


def not_recorded(trace: Trace) -> str:
    """Return a sentence about demoted functions; empty if no call can be missing."""
    spans = affecting(trace)
    if not spans:
        return ""
    of_function = _by_function(spans)
    shown = [
        f"{short_name(name)} {_when(of)}" for name, of in list(of_function.items())[:_MAX_NAMES]
    ]
    more = len(of_function) - len(shown)
    names = ", ".join(shown) + (f" and {more} more" if more else "")
    number = units.several(len(of_function), "function was", "functions were")
    their = "its" if len(of_function) == 1 else "their"
    return (
        f"{number} not recorded all the time because of {budget(trace)}: {names};"
        f" chains lack {their} calls{_failures(spans, their)}"
    )


def descriptions(trace: Trace) -> list[str]:
    """Return a description of each demoted function, those with most calls first."""
    return [
        f"{name} {_when(of)}, {units.count(of[0].calls_per_second)} calls a second"
        f"{'' if all(span.has_failures for span in of) else ', without its failed calls'}"
        for name, of in _by_function(trace.demotions).items()
    ]


def affecting(trace: Trace) -> list[Demotion]:
    """Return the spans that end after the oldest event of a trace."""
    return [span for span in trace.demotions if span.end is None or span.end > trace.span[0]]


def budget(trace: Trace) -> str:
    """Return the budget as the user sets it, or the variable alone if the trace has none."""
    ppm = trace.budget_ppm
    return "FUNCTRACE_BUDGET" if ppm is None else f"FUNCTRACE_BUDGET={ppm / 10_000:g}%"


def _by_function(spans: Iterable[Demotion]) -> dict[str, list[Demotion]]:
    """Return the spans of each function, those with most calls first."""
    of_function: defaultdict[str, list[Demotion]] = defaultdict(list)
    for span in sorted(spans, key=lambda span: -span.calls_per_second):
        of_function[span.function].append(span)
    return of_function


def _when(spans: Iterable[Demotion]) -> str:
    """Return when a function was not recorded: ``for 1.20s``, ``from 52.1ms on`` or both."""
    ended = [span.end - span.begin for span in spans if span.end is not None]
    open_from = [span.begin for span in spans if span.end is None]
    parts = [f"for {units.duration(sum(ended))}"] if ended else []
    parts += [f"from {units.duration(begin)} on" for begin in open_from]
    return " and ".join(parts)


def _failures(spans: Iterable[Demotion], their: str) -> str:
    functions = {span.function for span in spans}
    without = {span.function for span in spans if not span.has_failures}
    if without == functions:
        return ", failed ones included"
    more = f"; failed calls of {units.several(len(without), 'function')} are missing too"
    return f", and the durations of {their} failed calls are unknown{more if without else ''}"
