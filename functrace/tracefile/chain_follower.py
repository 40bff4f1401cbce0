"""Follower that folds the calls of a growing trace into chains, window by window."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from functrace._native.row_types import BLOCK, CHAIN, CHAIN_FAILURE, CHAIN_FIGURES, CHAIN_OPEN
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
    """rows of CHAIN_FAILURE, with offsets into `texts`"""
    open: Rows
    """rows of CHAIN_OPEN: calls that are open now, whose start is after that of the trace"""
    live_tracks: int
    """number of tracks with open calls"""
    texts: memoryview

    def text(self, failure: Rows) -> str | None:
        """Return the text of a failure; None for those beyond the limit on texts."""
        at = int(failure["text"])
        return None if at < 0 else decode(self.texts[at : at + int(failure["text_length"])])


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
