"""Figures of the calls of one chain, which can be merged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from functrace.rollup import duration_buckets, error_texts
from functrace.rollup.duration_buckets import Buckets
from functrace.rollup.error_texts import NO_TEXTS, ErrorTexts

MAX_SUM = (1 << 63) - 1


@dataclass(frozen=True, order=True)
class Example:
    """Call in a trace: the first one that failed, else the longest one."""

    time_ns: int
    """start of the call, nanoseconds since 1970-01-01 UTC"""
    trace: str
    track: int
    """id of the track in the trace"""


@dataclass(frozen=True)
class ChainFigures:
    """Figures of calls of a chain. Counts and times are sums; sums stop at the largest int64.

    `failed` contains `panicked`. `unfinished` calls are in no minimum, maximum or bucket.
    """

    calls: int = 0
    failed: int = 0
    panicked: int = 0
    unfinished: int = 0
    total_ns: int = 0
    self_ns: int = 0
    suspended_ns: int = 0
    min_ns: int | None = None
    max_ns: int | None = None
    buckets: Buckets = ()
    errors: ErrorTexts = NO_TEXTS
    example: Example | None = None


NO_CALLS = ChainFigures()
SUMS = ("calls", "failed", "panicked", "unfinished", "total_ns", "self_ns", "suspended_ns")
"""names of the figures that are sums"""


def merged(several: Iterable[ChainFigures], max_texts: int = error_texts.MAX_TEXTS) -> ChainFigures:
    """Return the figures of all calls."""
    rows = list(several)
    if len(rows) == 1:
        return rows[0]
    sums = {name: min(sum(getattr(row, name) for row in rows), MAX_SUM) for name in SUMS}
    return replace(
        NO_CALLS,
        **sums,
        min_ns=min((row.min_ns for row in rows if row.min_ns is not None), default=None),
        max_ns=max((row.max_ns for row in rows if row.max_ns is not None), default=None),
        buckets=duration_buckets.merged(row.buckets for row in rows),
        errors=error_texts.merged((row.errors for row in rows), max_texts),
        example=_best_example(rows),
    )


def _best_example(rows: Iterable[ChainFigures]) -> Example | None:
    """Return the first example of a failed call, else that of the longest call."""
    ranked = [
        ((False, 0, row.example) if row.failed else (True, -(row.max_ns or 0), row.example))
        for row in rows
        if row.example is not None
    ]
    return min(ranked)[2] if ranked else None
