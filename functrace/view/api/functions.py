"""Search for functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from functrace.analysis.columns import Int64s, summed
from functrace.tracefile import Function
from functrace.view.query import Query
from functrace.view.session import Session

_DEFAULT_LIMIT = 50
_MAX_LIMIT = 10_000


Counts = tuple[Int64s, Int64s]
"""calls and failed calls by function"""


def answer(session: Session, query: Query) -> list[dict[str, Any]]:
    """Return the functions whose names contain ``q``, those with most calls first."""
    counts = session.results.get("function calls", lambda: _counts(session))
    return matches(session.functions, counts, query)


def matches(functions: Sequence[Function], counts: Counts, query: Query) -> list[dict[str, Any]]:
    """Return those of all functions that a request wants."""
    text = query.text("q").lower()
    calls, failed = counts
    found = [i for i, function in enumerate(functions) if text in function.name.lower()]
    found.sort(key=lambda index: -int(calls[index]))
    return [
        {
            "id": index,
            "name": functions[index].name,
            "file": functions[index].file,
            "line": functions[index].line,
            "calls": int(calls[index]),
            "failed": int(failed[index]),
        }
        for index in found[: query.number("limit", _DEFAULT_LIMIT, high=_MAX_LIMIT)]
    ]


def _counts(session: Session) -> Counts:
    """Return calls and failed calls of each function."""
    count = len(session.functions)
    calls, failed = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for trace, function_of in enumerate(session.function_of):
        chains = session.chains(trace)
        function = function_of[chains.function]
        calls += summed(chains.calls, function, count)
        failures = np.minimum(chains.errors + chains.panics, chains.calls)
        failed += summed(failures, function, count)
    return calls, failed
