"""Follower that folds the calls of a growing trace into chains, window by window."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from functrace._native.engine import array
from functrace._native.row_types import (
    BLOCK,
    CHAIN,
    CHAIN_FAILURE,
    CHAIN_FIGURES,
    CHAIN_OPEN,
    ROLLUP_ROW,
)
from functrace.tracefile.facts import decode
from functrace.tracefile.follower import Follower, Limits
from functrace.tracefile.scan import Rows

MAX_CHAINS = 50_000
"""Limit on the chains of a process. Calls with further chains are folded into chain 0."""

# So few that they stay in a processor's cache.
_RECENT_CALLS = 8_000
_IDLE_TRACKS = 20_000
_EVICTION_INTERVAL = 8_000


@dataclass(frozen=True, eq=False)
class ChainWindow:
    """Calls that ended since the last query, folded by chain. Times are ticks."""

    new_chains: Rows
    """rows of CHAIN: chains that follow those of earlier windows; the first of all is that of the
    chains beyond the limit"""
    figures: Rows
    """rows of CHAIN_FIGURES"""
    blocks: Rows
    """rows of BLOCK, whose owner is a chain"""
    failures: Rows
    """rows of CHAIN_FAILURE, with offsets into `texts`; `window` is that of roll()"""
    open: Rows
    """rows of CHAIN_OPEN: calls that are open now, whose start is after that of the trace"""
    live_tracks: int
    """number of tracks with open calls"""
    texts: memoryview

    def text(self, failure: Rows) -> str | None:
        """Return the text of a failure; None for those beyond the limit on texts."""
        at = int(failure["text"])
        return None if at < 0 else decode(self.texts[at : at + int(failure["text_length"])])


@dataclass(frozen=True, eq=False)
class RolledCalls:
    """Calls that ended since the last query, by the chain and the window in which they ended."""

    rows: Rows
    """rows of ROLLUP_ROW; times are ticks"""
    blocks: Rows
    """rows of BLOCK, whose owner is a row; durations are nanoseconds"""


class ChainFollower(Follower):
    """Follower whose engine folds calls. It lists none, so drain() returns nothing.

    Args:
        path: the trace file.
        limit: limit on chains.

    Raises:
        OSError: the file cannot be read.
        FunctraceError: the file is not a trace of this version of the format.
    """

    def __init__(self, path: Path, limit: int = MAX_CHAINS) -> None:
        super().__init__(path, Limits(_RECENT_CALLS, _IDLE_TRACKS, _EVICTION_INTERVAL, limit))

    def window(self) -> ChainWindow:
        """Return what was folded since the last call."""
        chains, figures, blocks, failures, texts, opened, live = self._feed.window()
        return ChainWindow(
            np.frombuffer(chains, CHAIN),
            np.frombuffer(figures, CHAIN_FIGURES),
            np.frombuffer(blocks, BLOCK),
            np.frombuffer(failures, CHAIN_FAILURE),
            np.frombuffer(opened, CHAIN_OPEN),
            live,
            memoryview(texts),
        )

    def roll(self, bounds: npt.NDArray[np.int64]) -> None:
        """Count the calls that end from now on also by window, for rolled().

        Args:
            bounds: ticks, ascending, at least two: each window begins with a bound and ends before
                the next one. Calls that end in none are not counted.
        """
        self._feed.roll(array(bounds), 1e9 / self.clock.ticks_per_second)

    def rolled(self) -> RolledCalls:
        """Return what was counted by window since the last call."""
        rows, blocks = self._feed.rollup()
        return RolledCalls(np.frombuffer(rows, ROLLUP_ROW), np.frombuffer(blocks, BLOCK))
