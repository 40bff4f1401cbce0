"""Figures of functions and chains as JSON values; docs/json.md lists the keys."""

from __future__ import annotations

from typing import Any

from functrace.analysis.columns import SUMS
from functrace.analysis.merge import Forest
from functrace.analysis.sums import Sums
from functrace.analysis.totals import Totals
from functrace.tracefile import Function

_REQUESTS = {1: "inbound", 2: "outbound"}
_COUNTS = ("calls", "failed", "errors", "panics", "unfinished")
_TIMES = ("total", "self", "suspended")
_PERCENTILES = {"p50_ns": 50, "p90_ns": 90, "p99_ns": 99}


def place(function: Function) -> dict[str, Any]:
    """Return a function's name, file and line."""
    return {"function": function.name, "file": function.file, "line": function.line}


def place_in(forest: Forest, function: int) -> dict[str, Any]:
    """Return the same, with the service and the end of a request if the forest has services."""
    found = forest.functions[function]
    if not forest.services:
        return place(found)
    return {
        **place(found),
        "service": forest.services[function],
        "request": _REQUESTS.get(found.direction),
    }


def sums(found: Sums) -> dict[str, int]:
    """Return the sums of several nodes."""
    counts = {name: getattr(found, name) for name in _COUNTS}
    return counts | {f"{name}_ns": getattr(found, name) for name in _TIMES}


def partial(forest: Forest, found: Sums) -> int | None:
    """Return the calls whose chains lack callers; None if a store was read, which has no number."""
    return None if forest.is_stored else found.partial


def totals(found: Totals, index: int) -> dict[str, Any]:
    """Return the figures of a function; those that need a finished call are None without one."""
    added = Sums(**{name: int(getattr(found, name)[index]) for name in SUMS})
    row = {**place(found.functions[index]), **sums(added), "mean_ns": int(found.mean[index])}
    if found.calls[index] == found.unfinished[index]:
        return row | dict.fromkeys(("min_ns", *_PERCENTILES, "max_ns"))
    percentiles = {name: found.percentile(index, p) for name, p in _PERCENTILES.items()}
    extremes = {"min_ns": int(found.min[index]), "max_ns": int(found.max[index])}
    return row | extremes | percentiles
