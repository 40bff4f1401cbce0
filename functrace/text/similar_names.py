"""The functions to suggest for a misspelt name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from functrace.errors import FunctraceError
from functrace.text import layout
from rewriter.globs import list_spellings, simplify_glob

if TYPE_CHECKING:
    from functrace.tracefile import Trace

_MAX_SUGGESTIONS = 3
_MAX_SHARE = 0.4  # edits per letter
_CASE_COST = 0.5  # of writing a letter in the other case; other edits cost 1


def no_function_error(pattern: str, traces: Sequence[Trace]) -> FunctraceError:
    """Return the error that no function matches ``pattern``, with similar names."""
    names = {f.name: layout.unqualified_name(f) for trace in traces for f in trace.functions}
    if not names:
        return FunctraceError("no function was recorded")
    similar = suggest(pattern, names)
    hint = (
        f"did you mean {', '.join(similar)}?" if similar else "functrace report lists all functions"
    )
    return FunctraceError(f"no function matches {pattern}; {hint}")


def suggest(glob: str, functions: Mapping[str, str]) -> list[str]:
    """Return the names closest to ``glob``, or those that contain it if none is close.

    Args:
        glob: a glob that matches no function.
        functions: the names to show, by full name.
    """
    wanted = simplify_glob(glob).strip("*")
    if not wanted:
        return []
    limit = max(1.0, _MAX_SHARE * len(wanted))
    closest: list[str] = []
    for name, shown in sorted(functions.items(), key=lambda item: (item[1], item[0])):
        distance = _measure_closest(wanted, name, limit)
        if distance < limit:
            limit, closest = distance, []
        if distance <= limit:
            closest.append(shown)
    lowered = wanted.lower()
    found = closest or [s for s in sorted(functions.values()) if lowered in s.lower()]
    return list(dict.fromkeys(found))[:_MAX_SUGGESTIONS]


def _measure_closest(wanted: str, name: str, limit: float) -> float:
    """Return the distance to the closest spelling of ``name``, infinite if above ``limit``."""
    dots = wanted.count(".")
    distances = (
        measure_distance(wanted, spelling)
        for spelling in list_spellings(name)
        if spelling.count(".") == dots and abs(len(spelling) - len(wanted)) <= limit
    )
    return min((d for d in distances if d <= limit), default=float("inf"))


def measure_distance(first: str, second: str) -> float:
    """Return the number of edits between two words: letters added, removed, replaced, swapped."""
    before: list[float] = []
    row = [float(i) for i in range(len(second) + 1)]
    for i, a in enumerate(first):
        above, row = row, [i + 1.0]
        for j, b in enumerate(second):
            cost = 0.0 if a == b else _CASE_COST if a.lower() == b.lower() else 1.0
            best = min(above[j] + cost, above[j + 1] + 1, row[j] + 1)
            if i and j and a == second[j - 1] and b == first[i - 1]:
                best = min(best, before[j - 1] + 1)
            row.append(best)
        before = above
    return row[-1]
