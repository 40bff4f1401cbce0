"""Histograms of durations, with 32 buckets per power of two, and their percentiles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from functrace._native.row_types import BUCKETS
from functrace.analysis.request import Rows
from functrace.tracefile.reader import Clock

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Histogram:
    """Histogram of durations. Empty buckets are omitted."""

    low: Int64s
    """inclusive lower bound of each bucket in nanoseconds"""
    high: Int64s
    """exclusive upper bound of each bucket in nanoseconds"""
    count: Int64s

    def percentile(self, percent: float, minimum: int, maximum: int) -> int:
        """Return a percentile in nanoseconds, accurate to about 3 %; 0 if there are no calls.

        ``minimum`` and ``maximum`` are the exact extremes and bound the result.
        """
        if not len(self.count):
            return 0
        below = np.cumsum(self.count)
        rank = np.ceil(percent / 100 * below[-1])
        bucket = int(np.searchsorted(below, max(rank, 1)))
        middle = int(self.low[bucket]) + (int(self.high[bucket]) - 1 - int(self.low[bucket])) // 2
        return min(max(middle, minimum), maximum)


def joined(histograms: Iterable[Histogram]) -> Histogram:
    """Return the sum of several histograms, whose buckets differ if their clocks do."""
    parts = list(histograms)
    if len(parts) == 1:
        return parts[0]
    none = np.empty(0, np.int64)
    low = np.concatenate([none, *(part.low for part in parts)])
    high = np.concatenate([none, *(part.high for part in parts)])
    order = np.lexsort((low, high))
    count = np.concatenate([none, *(part.count for part in parts)])
    return Histogram(low[order], high[order], count[order])


class Histograms:
    """Histograms of one fold by owner: a function or a node."""

    def __init__(self, blocks: Rows, owners: npt.NDArray[np.int32], clock: Clock) -> None:
        order = np.lexsort((blocks["exponent"], owners))
        self._blocks = blocks[order]
        self._owners = owners[order]
        self._clock = clock

    def buckets(self) -> tuple[Int64s, Int64s, Int64s]:
        """Return the owner, number and count of each bucket that is not empty, owner by owner.

        Numbers are those of the buckets of all durations: 32 of the shortest, one for each tick,
        and 32 for each power of two after them.
        """
        counts = self._blocks["counts"].astype(np.int64).ravel()
        used = np.flatnonzero(counts)
        number = self._blocks["exponent"].astype(np.int64).repeat(BUCKETS) * BUCKETS
        owner = self._owners.astype(np.int64).repeat(BUCKETS)
        return owner[used], number[used] + used % BUCKETS, counts[used]

    def of(self, owner: int) -> Histogram:
        """Return the histogram of a function or node, empty if it has none."""
        first, end = np.searchsorted(self._owners, [owner, owner + 1])
        blocks = self._blocks[first:end]
        counts = blocks["counts"].astype(np.int64).ravel()
        used = np.flatnonzero(counts)
        shift = np.maximum(blocks["exponent"].astype(np.int64) - 1, 0).repeat(BUCKETS)[used]
        first_bucket = np.where(blocks["exponent"] > 0, BUCKETS, 0).repeat(BUCKETS)[used]
        bucket = first_bucket + used % BUCKETS
        return Histogram(
            self._clock.nanoseconds(bucket << shift),
            self._clock.nanoseconds((bucket + 1) << shift),
            counts[used],
        )
