"""Figures of one process in one window of about a second."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from functrace._native.row_types import BLOCK, BUCKETS
from functrace.analysis.histograms import Histogram, Histograms, joined
from functrace.tracefile.facts import Function
from functrace.tracefile.reader import Clock
from functrace.tracefile.scan import Rows

CHAIN_FIGURES = np.dtype(
    [
        ("chain", "<i8"),
        ("calls", "<i8"),
        ("failed", "<i8"),
        ("panicked", "<i8"),
        ("unfinished", "<i8"),
        ("total_ns", "<i8"),
        ("max_ns", "<i8"),
    ]
)
"""Calls of a chain that ended in a window. `failed` contains `panicked`. `unfinished` calls have no
exit or one that was overwritten, and are in no maximum or percentile."""

OTHER_CHAIN = 0
"""The chain of all calls whose chains are beyond the limit on chains of a process."""
OTHER_CHAINS = "(other chains)"
"""The only function of OTHER_CHAIN."""
OTHER_TEXTS = "(other texts)"
"""The text of failing calls beyond the limit on texts of a window."""


@dataclass(frozen=True)
class RingProcess:
    """Program whose ring is followed.

    Attributes:
        name: the program's name, in the characters that a ring's name permits.
        pid: process id in the process's own namespace.
        start: start of the process, as in the ring's name.
        ring: the ring's path.
        language: "go" or "python"; empty if the ring does not contain it.
    """

    name: str
    pid: int
    start: str
    ring: Path
    language: str


@dataclass(frozen=True)
class ErrorText:
    """Failing calls of one chain with one text in a window."""

    chain: int
    text: str
    calls: int
    panicked: bool


@dataclass(frozen=True)
class OpenCall:
    """Call that is open at the end of a window."""

    chain: int
    track: int
    open_ns: int
    suspended: bool


class ChainNames:
    """Functions of the call chains of one process. Chains only ever get more.

    Attributes:
        parents: by chain, the chain of its caller; -1 for none.
        functions_of: by chain, the index of its function in `table`; -1 for OTHER_CHAIN.
        started: by chain, whether it runs on a track that its caller started.
        table: the functions of the process.
    """

    def __init__(
        self,
        parents: Sequence[int],
        functions_of: Sequence[int],
        started: Sequence[int],
        table: Sequence[Function],
    ) -> None:
        self.parents = parents
        self.functions_of = functions_of
        self.started = started
        self.table = table

    def __len__(self) -> int:
        """Return the number of chains."""
        return len(self.parents)

    def functions(self, chain: int) -> tuple[str, ...]:
        """Return the names of a chain's functions, outermost first."""
        return tuple(
            found.name if found else OTHER_CHAINS
            for found in map(self.function, reversed(self.lineage(chain)))
        )

    def function(self, chain: int) -> Function | None:
        """Return the innermost function of a chain with its file, or None for OTHER_CHAIN."""
        index = self.functions_of[chain]
        return self.table[index] if index >= 0 else None

    def is_outermost(self, chain: int) -> bool:
        """Return whether calls of a chain are the outermost ones of their tracks."""
        return self.parents[chain] < 0 or bool(self.started[chain])

    def lineage(self, chain: int) -> list[int]:
        """Return a chain and the chains of its callers, innermost first."""
        chains = []
        while chain >= 0:
            chains.append(chain)
            chain = self.parents[chain]
        return chains


@dataclass(frozen=True, eq=False)
class Figures:
    """Measurements of one process in one window.

    Attributes:
        process: the process.
        names: the functions of its chains.
        end: Unix time of the window's end in seconds.
        seconds: length of the window.
        cpu_cores: CPU seconds per second; None if they cannot be read.
        rss_bytes: resident memory; None if it cannot be read.
        memory_limit_bytes: limit of its cgroup; None if there is none or it cannot be read.
        threads: number of threads; None if it cannot be read.
        live_tracks: tracks with open calls: goroutines, threads and tasks.
        calls: calls that ended.
        failed: those that returned an error, raised or panicked.
        is_incomplete: whether the watcher lost history in this window.
        chains: rows of CHAIN_FIGURES, for chains with a call that ended in the window.
        durations: rows of BLOCK, whose owner is a chain: durations in ticks.
        clock: conversion of ticks.
        errors: texts of failing calls.
        open_calls: the longest-open call per chain, longest first, at most 100.
        ended: None while the process runs; then "clean", "killed" or "died" (the ring is not marked
            as ended cleanly).
    """

    process: RingProcess
    names: ChainNames
    end: float
    seconds: float
    cpu_cores: float | None
    rss_bytes: int | None
    memory_limit_bytes: int | None
    threads: int | None
    live_tracks: int
    calls: int
    failed: int
    is_incomplete: bool
    chains: Rows
    durations: Rows
    clock: Clock
    errors: Sequence[ErrorText]
    open_calls: Sequence[OpenCall]
    ended: str | None


def percentile_ns(windows: Iterable[Figures], chains: Collection[int], percent: float) -> int:
    """Return a percentile of the durations of chains over several windows of one process.

    It is accurate to about 3 %, and 0 if no call ended.
    """
    histograms = []
    longest = 0
    for window in windows:
        chosen = window.chains[np.isin(window.chains["chain"], list(chains))]
        if len(chosen):
            longest = max(longest, int(chosen["max_ns"].max()))
            histograms.append(_merged(window, chains))
    return joined(histograms).percentile(percent, 0, longest)


def _merged(window: Figures, chains: Collection[int]) -> Histogram:
    blocks = window.durations[np.isin(window.durations["owner"], list(chains))]
    exponents, index = np.unique(blocks["exponent"], return_inverse=True)
    counts = np.zeros((len(exponents), BUCKETS), np.int64)
    np.add.at(counts, index, blocks["counts"])
    merged = np.zeros(len(exponents), BLOCK)
    merged["exponent"] = exponents
    merged["counts"] = counts
    return Histograms(merged, merged["owner"], window.clock).of(0)
