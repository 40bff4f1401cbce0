"""Figures of chains by unit: an instance, or a window where there are few instances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from functrace._native.row_types import BUCKETS

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]

MIN_CALLS = 5
"""Units with fewer finished calls of a chain have no percentiles of it."""
MIN_TAIL_CALLS = 200
"""The same for the 99th percentile, which would be lower the fewer calls there are."""


@dataclass(frozen=True, eq=False)
class UnitFigures:
    """Tables with a row for each chain and a column for each unit.

    Counts are 0 and times are NaN where a unit has no calls of a chain.
    """

    calls: Matrix
    failed: Matrix
    total_ns: Matrix
    self_ns: Matrix
    p50_ns: Matrix
    """NaN with fewer than MIN_CALLS finished calls"""
    p99_ns: Matrix
    """NaN with fewer than MIN_TAIL_CALLS finished calls"""

    @property
    def unit_count(self) -> int:
        """Number of units."""
        return int(self.calls.shape[1])


@dataclass(frozen=True, eq=False)
class UnitRows:
    """Rows of a chain and a unit each, no two of the same.

    Attributes:
        chain: number of the chain.
        unit: number of the unit.
        calls: number of calls; so are `failed`, and the times `total_ns` and `self_ns`.
        first_bucket: index of the first bucket of each row, and of the end of the last one.
        bucket: numbers of the buckets of all rows; ascending in each row, and one may be repeated.
        bucket_calls: their counts.
    """

    chain: Int64s
    unit: Int64s
    calls: Int64s
    failed: Int64s
    total_ns: Int64s
    self_ns: Int64s
    first_bucket: Int64s
    bucket: Int64s
    bucket_calls: Int64s


def empty(chain_count: int, unit_count: int) -> UnitFigures:
    """Return figures without calls."""
    shape = (chain_count, unit_count)
    counts = (np.zeros(shape, np.float32) for _ in range(2))
    times = (np.full(shape, np.nan, np.float32) for _ in range(4))
    return UnitFigures(*counts, *times)


def add_rows(figures: UnitFigures, rows: UnitRows) -> None:
    """Enter rows into figures."""
    place = rows.chain, rows.unit
    for name in ("calls", "failed", "total_ns", "self_ns"):
        getattr(figures, name)[place] = getattr(rows, name)
    figures.p50_ns[place] = _medians(rows)
    figures.p99_ns[place] = _percentiles(rows, lambda calls: -(-99 * calls // 100), MIN_TAIL_CALLS)


def _medians(rows: UnitRows) -> Floats:
    """Return the geometric mean of the two calls in the middle, which are one if odd."""
    low = _percentiles(rows, lambda calls: (calls + 1) // 2, MIN_CALLS)
    high = _percentiles(rows, lambda calls: calls // 2 + 1, MIN_CALLS)
    return np.sqrt(low * high)


def _percentiles(rows: UnitRows, rank_of: Callable[[Int64s], Int64s], min_calls: int) -> Floats:
    """Return the duration of the call with a rank in each row; NaN for rows with few calls."""
    below = np.concatenate([[0], np.cumsum(rows.bucket_calls)])
    before = below[rows.first_bucket[:-1]]
    calls = below[rows.first_bucket[1:]] - before
    enough = calls >= min_calls
    place = np.searchsorted(below, (before + rank_of(calls))[enough]) - 1
    found = np.full(len(calls), np.nan)
    found[enough] = middles(rows.bucket[place])
    return found


def middles(buckets: Int64s) -> Floats:
    """Return the middle of each bucket in nanoseconds, at least half a nanosecond."""
    exponent, place = np.divmod(buckets, BUCKETS)
    scale = np.exp2(np.maximum(exponent - 1, 0).astype(np.float64))
    low = np.where(exponent > 0, BUCKETS + place, place) * scale
    found: Floats = np.maximum(low + (scale - 1) / 2, 0.5)
    return found
