"""Source of a function, with figures of the functions in its file."""

from __future__ import annotations

from typing import Any

import numpy as np

from functrace.globs import as_operand
from functrace.view.function_names import glob, matching_names
from functrace.view.query import Query
from functrace.view.session import Session
from functrace.view.sources import SourceFile, read_source

_TAB = 4
_MAX_LINE = 1000
_MAX_LINES = 4000


def answer(session: Session, query: Query) -> dict[str, Any]:
    """Return the file that defines a function; of several functions, the first one's."""
    name = query.required("function")
    names = matching_names(session, name)
    trace, function = next(
        (trace, function)
        for trace in session.traces
        for function in trace.functions
        if function.name in names
    )
    found = read_source(function.file)
    first = _first_line(found, function.line) if found else 0
    return {
        "function": function.name,
        "file": function.file,
        "exists": found is not None,
        "changed": found is not None and found.modified_ns > trace.started,
        "line": function.line,
        "first_line": first + 1,
        "lines": _lines(found, first) if found else [],
        "figures": _figures(session, function.file),
        "command": session.command("callers", *as_operand(glob(session, name))),
    }


def _first_line(found: SourceFile, line: int) -> int:
    """Return the index of the first line to show, for as many before a line as after it."""
    return max(min(line - _MAX_LINES // 2, len(found.lines) - _MAX_LINES), 0)


def _lines(found: SourceFile, first: int) -> list[str]:
    shown = found.lines[first : first + _MAX_LINES]
    return [line.rstrip("\r")[:_MAX_LINE].expandtabs(_TAB)[:_MAX_LINE] for line in shown]


def _figures(session: Session, file: str) -> dict[int, dict[str, int]]:
    """Return calls, failures and time by the line of each function in a file."""
    figures: dict[int, dict[str, int]] = {}
    for index, trace in enumerate(session.traces):
        of_file = [i for i, each in enumerate(trace.functions) if each.file == file]
        if not of_file:
            continue
        found = session.chains(index).functions()
        failed = np.minimum(found.errors + found.panics, found.calls)
        for function in of_file:
            line = figures.setdefault(
                trace.functions[function].line, {"calls": 0, "failed": 0, "total_ns": 0}
            )
            line["calls"] += int(found.calls[function])
            line["failed"] += int(failed[function])
            line["total_ns"] += int(found.total[function])
    return {line: each for line, each in sorted(figures.items()) if each["calls"]}
