"""Sums of the rows that a follower counts by chain and window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from functrace.analysis.histograms import Histograms
from functrace.rollup.duration_buckets import Buckets, merged
from functrace.tracefile.chain_follower import RolledCalls
from functrace.tracefile.reader import Clock
from functrace.tracefile.scan import Rows

_SUMS = ("calls", "failed", "panicked", "unfinished", "total", "self", "suspended")
_MAX_SUM = 1 << 61
_NANOSECONDS = Clock(1e9)


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
        blocks = np.concatenate(self.blocks)
        owner, bucket, count = Histograms(blocks, blocks["owner"], _NANOSECONDS).buckets()
        columns = {name: rows[name].tolist() for name in rows.dtype.names or ()}
        order = np.argsort(rows["chain"], kind="stable").tolist()
        chains = rows["chain"][order]
        for chain in np.unique(chains).tolist():
            first, end = np.searchsorted(chains, [chain, chain + 1])
            low, high = np.searchsorted(owner, [chain, chain + 1])
            several = [
                {name: column[place] for name, column in columns.items()}
                for place in order[first:end]
            ]
            pairs = zip(bucket[low:high].tolist(), count[low:high].tolist(), strict=True)
            buckets = tuple(pairs) if len(several) == 1 else merged((pair,) for pair in pairs)
            yield _summed(several), buckets


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
