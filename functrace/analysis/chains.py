"""The tree of call chains: each node is a function with everything above it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
from functrace.analysis.request import Rows
from functrace.trace.reader import Trace


@dataclass(frozen=True, eq=False, kw_only=True)
class Chains(Tree):
    """A column for each fact about a node. Times are nanoseconds; -1 is no node, track or text."""

    last: Int64s
    """when the last call ended, or began if it has not"""
    slowest_track: Int32s
    slowest_start: Int64s
    failed_track: Int32s
    """of the first call that returned an error or panicked"""
    failed_start: Int64s
    failed_text: Int64s
    """where the error's text is, for Trace.text"""
    failed_length: Int64s
    trace: Trace
    function_histograms: Histograms
    node_histograms: Histograms
    damage: tuple[str, ...]
    """what could not be read of the file, and what was odd about its calls"""

    def chain(self, node: int) -> list[int]:
        """The nodes from the outermost call down to the one given."""
        chain = []
        while node >= 0:
            chain.append(node)
            node = int(self.parent[node])
        return chain[::-1]

    def failure(self, node: int) -> str:
        """The text of the node's first error or panic; empty where it has none."""
        if self.failed_track[node] < 0:
            return ""
        return self.trace.text(int(self.failed_text[node]), int(self.failed_length[node]))

    def percentile(self, node: int, percent: float) -> int:
        """Of a node of a function that fold() was asked to keep histograms of."""
        return self.node_histograms.of(node).percentile(
            percent, int(self.min[node]), int(self.max[node])
        )

    def functions(self) -> Functions:
        """The nodes summed up by function."""
        return _by_function(self)


@dataclass(frozen=True, eq=False, kw_only=True)
class Functions(Figures):
    """A column for each fact about a function, in the order of Trace.functions."""

    nodes: Int64s
    histograms: Histograms

    def histogram(self, function: int) -> Histogram:
        """How long the function's calls took."""
        return self.histograms.of(function)

    def percentile(self, function: int, percent: float) -> int:
        """Nanoseconds that so many percent of the function's calls do not exceed."""
        return self.histogram(function).percentile(
            percent, int(self.min[function]), int(self.max[function])
        )


def chains_of(trace: Trace, nodes: Rows, blocks: Rows, damage: tuple[str, ...]) -> Chains:
    """Name and convert what a fold yields."""
    clock = trace.clock
    ns = clock.nanoseconds
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
        last=ns(nodes["last"]),
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
