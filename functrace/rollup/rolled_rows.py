"""Sums of the rows that a follower counts by chain and window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from functrace.analysis.histograms import Histograms
from functrace.rollup.duration_buckets import MAX_BUCKET, Buckets
from functrace.tracefile.chain_follower import RolledCalls
from functrace.tracefile.reader import Clock
from functrace.tracefile.scan import Rows

_SUMS = ("calls", "failed", "panicked", "unfinished", "total", "self", "suspended")
_MAX_SUM = 1 << 61
_NANOSECONDS = Clock(1e9)
_Int64s = npt.NDArray[np.int64]


@dataclass
class WindowRows:
    """Rows of one window, in as many parts as it was queried."""

    rows: list[Rows] = field(default_factory=list)
    blocks: list[Rows] = field(default_factory=list)
    """with chains as owners"""

    def add(self, rolled: RolledCalls, window: int) -> None:
        """Add the rows of a window."""
        is_chosen = rolled.rows["window"] == window
        self.rows.append(rolled.rows[is_chosen])
        blocks = rolled.blocks[is_chosen[rolled.blocks["owner"]]]
        blocks["owner"] = rolled.rows["chain"][blocks["owner"]]
        self.blocks.append(blocks)

    def by_chain(self) -> Iterator[tuple[Mapping[str, int], Buckets]]:
        """Yield a row for each chain, whose times are ticks, with its histogram of nanoseconds."""
        rows = np.concatenate(self.rows)
        owner, bucket, count = _buckets(np.concatenate(self.blocks))
        columns = {name: rows[name].tolist() for name in rows.dtype.names or ()}
        order = np.argsort(rows["chain"], kind="stable").tolist()
        chains, first = np.unique(rows["chain"][order], return_index=True)
        first_bucket = np.searchsorted(owner, chains)
        ends = zip(_ranges(first, len(order)), _ranges(first_bucket, len(owner)), strict=True)
        for of_rows, of_buckets in ends:
            several = [
                {name: column[place] for name, column in columns.items()}
                for place in order[of_rows]
            ]
            pairs = zip(bucket[of_buckets].tolist(), count[of_buckets].tolist(), strict=True)
            yield _summed(several), tuple(pairs)


def _buckets(blocks: Rows) -> tuple[_Int64s, _Int64s, _Int64s]:
    """Return owner, number and sum of each bucket, sorted by owner and number."""
    owner, bucket, count = Histograms(blocks, blocks["owner"], _NANOSECONDS).buckets()
    pairs, place = np.unique(owner * (MAX_BUCKET + 1) + bucket, return_inverse=True)
    sums = np.zeros(len(pairs), np.int64)
    np.add.at(sums, place, count)
    return pairs // (MAX_BUCKET + 1), pairs % (MAX_BUCKET + 1), sums


def _ranges(first: _Int64s, count: int) -> Iterator[slice]:
    """Yield the range from each index to the next one."""
    bounds = [*first.tolist(), count]
    return (slice(*pair) for pair in pairwise(bounds))


def _summed(rows: list[dict[str, int]]) -> Mapping[str, int]:
    """Return the sum of the rows of a chain in one window."""
    if len(rows) == 1:
        return rows[0]
    total = {name: min(sum(row[name] for row in rows), _MAX_SUM) for name in _SUMS}
    minima = [row["min"] for row in rows if row["min"] >= 0]
    slowest = max(rows, key=lambda row: (row["slowest_start"] >= 0, row["max"]))
    failed = min(rows, key=lambda row: (row["failed_start"] < 0, row["failed_start"]))
    return {
        **slowest,
        **total,
        "min": min(minima, default=-1),
        "failed_start": failed["failed_start"],
        "failed_track": failed["failed_track"],
    }
