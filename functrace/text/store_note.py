"""Note about how much of the selected processes the figures of a store cover."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sized
from typing import TYPE_CHECKING, Any

from functrace import units
from functrace.globs import short_name

if TYPE_CHECKING:
    from functrace.rollup.store_coverage import StoreCoverage

_MAX_NOTES = 3
_TIMES = (("h", 3600), ("min", 60), ("s", 1))


def sentences(coverage: StoreCoverage) -> list[str]:
    """Return the covered instances and time, then demoted functions and other losses."""
    instances = units.several(coverage.expected, "instance")
    found = [
        f"{units.count(coverage.instances)} of {instances}, {_time(coverage.seconds)} recorded"
    ]
    if coverage.unreadable:
        files = units.several(coverage.unreadable, "file")
        found[0] += f", and {files} that cannot be read"
    if coverage.demoted:
        names = ", ".join(
            f"{short_name(name)} in {units.several(number, 'instance')}"
            for name, number in coverage.demoted.most_common(_MAX_NOTES)
        )
        functions = units.several(len(coverage.demoted), "function was", "functions were")
        found.append(
            f"{functions} not recorded all the time because of FUNCTRACE_BUDGET:"
            f" {names}{_more(coverage.demoted)}; chains lack their calls"
        )
    if coverage.at_limit:
        names = ", ".join(map(short_name, coverage.at_limit[:_MAX_NOTES]))
        found.append(
            f"figures of {names}{_more(coverage.at_limit)} may be too low: sums stop at the"
            " largest int64, in nanoseconds 292 years"
        )
    found += [
        f"{units.several(number, 'instance')}: {reason}"
        for reason, number in coverage.missing.most_common(_MAX_NOTES)
    ]
    more = len(coverage.missing) - _MAX_NOTES
    return [*found, f"{more} more reasons why calls are missing"] if more > 0 else found


def as_json(coverage: StoreCoverage) -> dict[str, Any]:
    """Return `coverage`, and the keys of reports on traces that it replaces."""
    return {
        "demoted": [],
        "partial_traces": [],
        "coverage": {
            "instances": coverage.instances,
            "expected_instances": coverage.expected,
            "unreadable_files": coverage.unreadable,
            "window_count": coverage.windows,
            "covered_s": round(coverage.seconds, 3),
            "demoted_functions": _rows(coverage.demoted, "function"),
            "losses": _rows(coverage.missing, "loss"),
            "functions_at_limit": list(coverage.at_limit),
        },
    }


def _rows(counts: Counter[str], key: str) -> list[dict[str, Any]]:
    return [{key: text, "instances": number} for text, number in counts.most_common()]


def _more(counts: Sized) -> str:
    more = len(counts) - _MAX_NOTES
    return f" and {more} more" if more > 0 else ""


def _time(seconds: float) -> str:
    unit, size = next((pair for pair in _TIMES if seconds >= pair[1]), _TIMES[-1])
    return f"{seconds / size:,.1f} {unit}"
