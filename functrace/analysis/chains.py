"""Tree of call chains: each node is a function together with its callers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from functrace.analysis.columns import (
    SUMS,
    Figures,
    Int32s,
    Int64s,
    Tree,
    highest,
    lowest,
    summed,
)
from functrace.analysis.histograms import Histogram, Histograms
from functrace.analysis.request import Result
from functrace.tracefile.reader import Clock, Trace


@dataclass(frozen=True, eq=False, kw_only=True)
class Chains(Tree):
    """Columns of nodes. Times are nanoseconds; -1 means no node, track or text."""

    origin: npt.NDArray[np.uint32]
    """of an inbound call's own node: the origin of these calls; else 0"""
    last: Int64s
    """end of the last call, or its start if it is unfinished"""
    max_in_caller: Int64s
    """max number of calls in one call of the caller on the same track; 0 for a track's outermost"""
    caller_calls: Int64s
    """number of calls of the caller that have at least one such call"""
    slowest_track: Int32s
    slowest_start: Int64s
    failed_track: Int32s
    """track of the first call that returned an error or panicked"""
    failed_start: Int64s
    failed_text: Int64s
    """position of the error's text, for Trace.text"""
    failed_length: Int64s
    trace: Trace
    function_histograms: Histograms
    node_histograms: Histograms
    damage: tuple[str, ...]
    """descriptions of unreadable parts of the file and of anomalies in its calls"""
    example_paths: tuple[str, ...] = ()
    """of chains from a store: path of the trace of each track, whose calls start at times since
    1970"""

    def chain(self, node: int) -> list[int]:
        """Return the nodes from the outermost call to ``node``."""
        chain = []
        while node >= 0:
            chain.append(node)
            node = int(self.parent[node])
        return chain[::-1]

    def failure(self, node: int) -> str:
        """Return the text of the node's first error or panic, or an empty string."""
        if self.failed_track[node] < 0:
            return ""
        return self.trace.text(int(self.failed_text[node]), int(self.failed_length[node]))

    def percentile(self, node: int, percent: float) -> int:
        """Return a percentile of a node whose function is in fold()'s ``histograms_of``."""
        return self.node_histograms.of(node).percentile(
            percent, int(self.min[node]), int(self.max[node])
        )

    def functions(self) -> Functions:
        """Return the figures of the nodes, summed by function."""
        return _by_function(self)


@dataclass(frozen=True, eq=False, kw_only=True)
class Functions(Figures):
    """Columns of functions, in the order of Trace.functions."""

    nodes: Int64s
    histograms: Histograms

    def histogram(self, function: int) -> Histogram:
        """Return the histogram of the durations of the function's calls."""
        return self.histograms.of(function)

    def percentile(self, function: int, percent: float) -> int:
        """Return a percentile of the durations of the function's calls, in nanoseconds."""
        return self.histogram(function).percentile(
            percent, int(self.min[function]), int(self.max[function])
        )


def chains_of(
    trace: Trace,
    result: Result,
    damage: tuple[str, ...],
    histogram_clock: Clock | None = None,
) -> Chains:
    """Convert the raw tables of a fold to columns. Histograms are in ticks of `histogram_clock`."""
    nodes, blocks = result.nodes, result.blocks
    origin = np.zeros(len(nodes), np.uint32)
    origin[result.origins["node"]] = result.origins["origin"]
    clock = histogram_clock or trace.clock
    ns = trace.clock.nanoseconds
    of_node = blocks["owner"] < 0
    return Chains(
        parent=nodes["parent"].copy(),
        function=nodes["function"].copy(),
        started=nodes["started"].astype(np.bool_),
        recursive=nodes["recursive"].astype(np.bool_),
        calls=nodes["calls"].copy(),
        total=ns(nodes["total"]),
        self=ns(nodes["self"]),
        suspended=ns(nodes["suspended"]),
        min=ns(np.maximum(nodes["min"], 0)),
        max=ns(nodes["max"]),
        errors=nodes["errors"].copy(),
        panics=nodes["panics"].copy(),
        unfinished=nodes["unfinished"].copy(),
        partial=nodes["partial"].copy(),
        origin=origin,
        last=ns(nodes["last"]),
        max_in_caller=nodes["max_in_caller"].copy(),
        caller_calls=nodes["caller_calls"].copy(),
        slowest_track=nodes["slowest_track"].copy(),
        slowest_start=ns(nodes["slowest_start"]),
        failed_track=nodes["failed_track"].copy(),
        failed_start=ns(nodes["failed_start"]),
        failed_text=nodes["failed_text"].copy(),
        failed_length=nodes["failed_length"].astype(np.int64),
        trace=trace,
        function_histograms=Histograms(blocks[~of_node], blocks["owner"][~of_node], clock),
        node_histograms=Histograms(blocks[of_node], ~blocks["owner"][of_node], clock),
        damage=damage,
    )


def _by_function(chains: Chains) -> Functions:
    count = len(chains.trace.functions)
    function, ended = chains.function, chains.finished
    once = ~chains.recursive
    sums = {name: summed(getattr(chains, name), function, count) for name in SUMS}
    for name in ("total", "suspended"):
        sums[name] = summed(getattr(chains, name)[once], function[once], count)
    return Functions(
        **sums,
        min=lowest(chains.min[ended], function[ended], count),
        max=highest(chains.max[ended], function[ended], count),
        nodes=np.bincount(function, minlength=count).astype(np.int64),
        histograms=chains.function_histograms,
    )
