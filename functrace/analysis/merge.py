"""Chains of several traces as one forest: what the processes of a service did, taken together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace.analysis.chains import Chains
from functrace.analysis.columns import SUMS, Bools, Int32s, Int64s, Tree, lowest, summed
from functrace.analysis.histograms import Histogram, joined
from functrace.trace import Trace
from functrace.trace.facts import Function


@dataclass(frozen=True, eq=False, kw_only=True)
class Forest(Tree):
    """Chains that may be of several traces; a column for each fact about a node, as Chains has.

    Nodes of two traces are one where the functions on their chains are, see merge_functions.
    """

    slowest: Int32s
    """the trace of the slowest call, -1 where none ended"""
    failed: Int32s
    """the trace of the first call that failed, -1 where none did"""
    functions: tuple[Function, ...]
    chains: tuple[Chains, ...]
    """of each trace"""
    nodes: Nodes

    @property
    def traces(self) -> tuple[Trace, ...]:
        """Whose chains these are."""
        return tuple(chains.trace for chains in self.chains)

    def members(self, node: int) -> list[tuple[int, int]]:
        """The node in each trace that has it: the trace's index, and the node's there."""
        return self.nodes.members(node)

    def member(self, node: int, trace: int) -> int:
        """The node in one of the traces that have it."""
        return dict(self.members(node))[trace]

    def histogram(self, nodes: Sequence[int]) -> Histogram:
        """How long the calls of some nodes took, where the folds kept histograms of them."""
        return joined(
            self.chains[trace].node_histograms.of(own)
            for node in nodes
            for trace, own in self.members(node)
        )


@dataclass(frozen=True, eq=False)
class Nodes:
    """Which nodes of the traces a forest's nodes are. Without columns they are the only trace's."""

    node_of: tuple[Int32s, ...] = ()
    """by trace: the forest's node for each of the trace's"""
    order: Int64s | None = None
    """all traces' nodes, one trace behind the other, sorted by the forest's node"""
    first: Int64s | None = None
    """where in order a node's begin"""

    def members(self, node: int) -> list[tuple[int, int]]:
        """As Forest.members."""
        if self.order is None or self.first is None:
            return [(0, node)]
        offsets = np.cumsum([0, *map(len, self.node_of)])
        at = self.order[self.first[node] : self.first[node + 1]]
        trace = np.searchsorted(offsets, at, side="right") - 1
        return list(zip(trace.tolist(), (at - offsets[trace]).tolist(), strict=True))

    def of(self, trace: int, nodes: Int32s) -> Int32s:
        """The forest's nodes for some of a trace's."""
        return self.node_of[trace][nodes] if self.node_of else nodes


def merge(chains: Sequence[Chains]) -> Forest:
    """One forest of the chains of one trace or several; of one it is no more than another view."""
    return _view(chains[0]) if len(chains) == 1 else _merged(tuple(chains))


def merge_functions(traces: Sequence[Trace]) -> tuple[tuple[Function, ...], list[Int32s]]:
    """The functions of all traces, each once, and by trace which of them its own are.

    One of the same name and file is the same, though another build has it in another line; but
    where one trace has several, as of a property's getter and setter, lines tell them apart.
    """
    several = {pair for trace in traces for pair in _several(trace)}
    place_of: dict[tuple[str, str, int], int] = {}
    functions: list[Function] = []
    indices: list[Int32s] = []
    for trace in traces:
        index: Int32s = np.empty(len(trace.functions), np.int32)
        for own, function in enumerate(trace.functions):
            line = function.line if function[1:3] in several else 0
            index[own] = place_of.setdefault((*function[1:3], line), len(functions))
            if index[own] == len(functions):
                functions.append(function)
        indices.append(index)
    return tuple(functions), indices


def _several(trace: Trace) -> list[tuple[str, str]]:
    """Names and files that more than one of a trace's functions have."""
    counts = Counter(function[1:3] for function in trace.functions)
    return [pair for pair, count in counts.items() if count > 1]


def _view(chains: Chains) -> Forest:
    tree = {field.name: getattr(chains, field.name) for field in fields(Tree)}
    return Forest(
        **tree,
        slowest=np.minimum(chains.slowest_track, 0),
        failed=np.minimum(chains.failed_track, 0),
        functions=chains.trace.functions,
        chains=(chains,),
        nodes=Nodes(),
    )


def _merged(chains: tuple[Chains, ...]) -> Forest:
    functions, index_of = merge_functions([each.trace for each in chains])
    every = _Every(chains, index_of)
    node_of = _number(every)
    count = int(node_of.max(initial=-1)) + 1
    order = np.argsort(node_of, kind="stable")
    first = np.searchsorted(node_of[order], np.arange(count + 1))
    sample = order[first[:-1]]

    slowest = every.best(node_of, first, -every.column("max"), "slowest_track")
    failed = every.best(node_of, first, every.wall_clock("failed_start"), "failed_track")
    parent = every.parent[sample]
    ended = every.column("finished")
    return Forest(
        parent=np.where(parent >= 0, node_of[parent], -1).astype(np.int32),
        function=every.function[sample],
        started=every.column("started")[sample].astype(np.bool_),
        recursive=every.column("recursive")[sample].astype(np.bool_),
        **{name: summed(every.column(name), node_of, count) for name in SUMS},
        min=lowest(every.column("min")[ended], node_of[ended], count),
        max=np.where(slowest >= 0, every.column("max")[slowest], 0),
        slowest=np.where(slowest >= 0, every.trace[slowest], -1).astype(np.int32),
        failed=np.where(failed >= 0, every.trace[failed], -1).astype(np.int32),
        functions=functions,
        chains=chains,
        nodes=Nodes(
            tuple(np.split(node_of.astype(np.int32), every.offsets[1:-1])),
            order,
            first.astype(np.int64),
        ),
    )


class _Every:
    """The nodes of all traces, one trace behind the other."""

    def __init__(self, chains: tuple[Chains, ...], index_of: list[Int32s]) -> None:
        self._chains = chains
        self.offsets = np.cumsum([0, *map(len, chains)])
        self.trace = np.arange(len(chains)).repeat(np.diff(self.offsets))
        own = self.column("parent").astype(np.int64)
        self.parent = np.where(own >= 0, own + self.offsets[self.trace], -1)
        self.function = np.concatenate(
            [index[each.function] for each, index in zip(chains, index_of, strict=True)]
        )

    def column(self, name: str) -> npt.NDArray[Any]:
        """A column of all traces."""
        return np.concatenate([getattr(each, name) for each in self._chains])

    def wall_clock(self, name: str) -> Int64s:
        """A column of times, comparable between processes."""
        began = np.array([each.trace.started for each in self._chains], np.int64)
        times: Int64s = self.column(name) + began[self.trace]
        return times

    def best(self, node_of: Int64s, first: Int64s, rank: Int64s, track: str) -> Int64s:
        """By the forest's node: of those with a track the one that ranks lowest, or -1."""
        known = self.column(track) >= 0
        chosen = np.lexsort((rank, ~known, node_of))[first[:-1]]
        return np.where(known[chosen], chosen, -1)


def _number(every: _Every) -> Int64s:
    """The forest's node for each: level by level, as a node is its parent's and its function."""
    node_of = np.full(len(every.parent), -1, np.int64)
    key = (every.function.astype(np.int64) << 1) | every.column("started")
    kinds = int(key.max(initial=0)) + 1
    count = 0
    for level in levels(every.parent):
        parent = every.parent[level]
        around = np.where(parent >= 0, node_of[parent], -1)
        distinct, index = np.unique((around + 1) * kinds + key[level], return_inverse=True)
        node_of[level] = count + index
        count += len(distinct)
    return node_of


def levels(parent: Int64s) -> list[Int64s]:
    """Nodes by how many are above them, the roots first."""
    depth = (parent >= 0).astype(np.int64)
    above = parent
    while (above >= 0).any():
        known = above >= 0
        depth = depth + np.where(known, depth[above], 0)
        above = np.where(known, above[above], -1)
    order = np.argsort(depth, kind="stable")
    return np.split(order, np.cumsum(np.bincount(depth))[:-1]) if len(order) else []


def below(forest: Forest, nodes: Sequence[int]) -> Bools:
    """Which nodes have one of those given above them."""
    chosen = np.zeros(len(forest) + 1, np.bool_)  # the last is what is above a root
    chosen[list(nodes)] = True
    above = forest.parent.astype(np.int64)
    found = chosen[above]
    while (above >= 0).any():
        parent = np.append(above, -1)
        found = found | np.append(found, False)[above]
        above = parent[above]
    return found
