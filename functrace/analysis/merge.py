"""Forest of the call chains of several traces, such as those of a service's processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace.analysis.chains import Chains
from functrace.analysis.columns import SUMS, Bools, Int32s, Int64s, Tree, lowest, summed
from functrace.analysis.histograms import Histogram, joined
from functrace.analysis.requests.crossing import Crossing, Places
from functrace.tracefile import Trace
from functrace.tracefile.facts import Function


@dataclass(frozen=True, eq=False, kw_only=True)
class Forest(Tree):
    """Columns of nodes, like Chains, for one trace or several.

    Nodes of different traces are merged if the functions on their chains match; see
    merge_functions.
    """

    slowest: Int32s
    """index of the trace with the slowest call, or -1 if no call ended"""
    failed: Int32s
    """index of the trace with the first failed call, or -1"""
    functions: tuple[Function, ...]
    chains: tuple[Chains, ...]
    """chains of each trace"""
    nodes: Nodes
    services: tuple[str, ...] = ()
    """service of each function, if chains are followed across processes; else empty"""
    notes: tuple[str, ...] = ()
    """a sentence for each reason why chains may end at a process"""

    @property
    def is_stored(self) -> bool:
        """Whether the chains are those of a store, whose traces have no calls."""
        return any(chains.example_paths for chains in self.chains)

    @property
    def traces(self) -> tuple[Trace, ...]:
        """Traces of the chains."""
        return tuple(chains.trace for chains in self.chains)

    def members(self, node: int) -> list[tuple[int, int]]:
        """Return the trace index and the trace's own node for each trace that has the node."""
        return self.nodes.members(node)

    def member(self, node: int, trace: int) -> int:
        """Return the own node of a trace that has the node."""
        return dict(self.members(node))[trace]

    def histogram(self, nodes: Sequence[int]) -> Histogram:
        """Return the histogram of ``nodes``, as far as the folds kept histograms of them."""
        return joined(
            self.chains[trace].node_histograms.of(own)
            for node in nodes
            for trace, own in self.members(node)
        )


@dataclass(frozen=True, eq=False)
class Nodes:
    """Mapping between a forest's nodes and those of its traces; without columns, the identity."""

    node_of: tuple[Int32s, ...] = ()
    """the forest's node for each node of a trace, by trace"""
    order: Int64s | None = None
    """concatenated nodes of all traces, sorted by the forest's node"""
    first: Int64s | None = None
    """index in ``order`` of the first entry of each of the forest's nodes"""

    def members(self, node: int) -> list[tuple[int, int]]:
        """Return the same as Forest.members."""
        if self.order is None or self.first is None:
            return [(0, node)]
        offsets = np.cumsum([0, *map(len, self.node_of)])
        at = self.order[self.first[node] : self.first[node + 1]]
        at = at[at < offsets[-1]]  # the others are copies
        trace = np.searchsorted(offsets, at, side="right") - 1
        return list(zip(trace.tolist(), (at - offsets[trace]).tolist(), strict=True))

    def of(self, trace: int, nodes: Int32s) -> Int32s:
        """Return the forest's nodes for nodes of a trace."""
        return self.node_of[trace][nodes] if self.node_of else nodes


def merge(chains: Sequence[Chains], crossing: Crossing | None = None) -> Forest:
    """Merge the chains of traces into a forest. The forest of one trace is a view of its chains.

    Args:
        chains: the chains of each trace.
        crossing: how chains go on in other processes. The traces are those that it was made for,
            and nodes of different services are kept apart.
    """
    if crossing is None:
        return _view(chains[0]) if len(chains) == 1 else _merged(tuple(chains))
    return _merged(tuple(chains), crossing)


def merge_functions(
    traces: Sequence[Trace], services: Sequence[str] | None = None
) -> tuple[tuple[Function, ...], list[Int32s]]:
    """Return the distinct functions of all traces, and the index of each trace's functions in them.

    Functions are identified by name, file and direction of requests, since lines differ between
    builds. If a trace has several of the same name and file, such as a property's getter and
    setter, their lines are compared too.
    """
    ambiguous = {pair for trace in traces for pair in _ambiguous(trace)}
    place_of: dict[tuple[str | int, ...], int] = {}
    functions: list[Function] = []
    indices: list[Int32s] = []
    for trace, service in zip(traces, services or repeat(""), strict=False):
        index: Int32s = np.empty(len(trace.functions), np.int32)
        for own, function in enumerate(trace.functions):
            line = function.line if function[1:3] in ambiguous else 0
            key = (*function[1:3], line, function.direction, service)
            index[own] = place_of.setdefault(key, len(functions))
            if index[own] == len(functions):
                functions.append(function)
        indices.append(index)
    return tuple(functions), indices


def _ambiguous(trace: Trace) -> list[tuple[str, str]]:
    """Return the pairs of name and file that several of a trace's functions share."""
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


def _merged(chains: tuple[Chains, ...], crossing: Crossing | None = None) -> Forest:
    services = crossing.services if crossing else ()
    places = crossing.places(chains) if crossing else None
    functions, index_of = merge_functions([each.trace for each in chains], services)
    all_nodes = _AllNodes(chains, index_of, places)
    node_of = _number(all_nodes)
    count = int(node_of.max(initial=-1)) + 1
    order = np.argsort(node_of, kind="stable")
    first = np.searchsorted(node_of[order], np.arange(count + 1))
    sample = order[first[:-1]]

    slowest = all_nodes.pick(node_of, first, -all_nodes.column("max"), "slowest_track")
    failed = all_nodes.pick(node_of, first, all_nodes.wall_clock("failed_start"), "failed_track")
    parent = all_nodes.parent[sample]
    ended = all_nodes.column("finished")
    return Forest(
        parent=np.where(parent >= 0, node_of[parent], -1).astype(np.int32),
        function=all_nodes.function[sample],
        started=all_nodes.started[sample],
        recursive=all_nodes.column("recursive")[sample].astype(np.bool_),
        **{name: summed(all_nodes.column(name), node_of, count) for name in SUMS},
        min=lowest(all_nodes.column("min")[ended], node_of[ended], count),
        max=np.where(slowest >= 0, all_nodes.column("max")[slowest], 0),
        slowest=np.where(slowest >= 0, all_nodes.trace[slowest], -1).astype(np.int32),
        failed=np.where(failed >= 0, all_nodes.trace[failed], -1).astype(np.int32),
        functions=functions,
        chains=chains,
        nodes=Nodes(
            tuple(np.split(node_of.astype(np.int32), all_nodes.offsets[1:])[:-1]),
            order,
            first.astype(np.int64),
        ),
        services=_services_of(functions, index_of, services),
        notes=tuple(crossing.joined.notes()) if crossing else (),
    )


def _services_of(
    functions: Sequence[Function], index_of: list[Int32s], services: Sequence[str]
) -> tuple[str, ...]:
    """Return the service of each function, if the traces have services."""
    found = [""] * len(functions) if services else []
    for index, service in zip(index_of, services, strict=False):
        for function in index.tolist():
            found[function] = service
    return tuple(found)


class _AllNodes:
    """Concatenated nodes of all traces, then copies, which have no calls."""

    def __init__(
        self, chains: tuple[Chains, ...], index_of: list[Int32s], places: Places | None
    ) -> None:
        self._chains = chains
        self._copies = 0
        self.offsets = np.cumsum([0, *map(len, chains)])
        self.trace = np.arange(len(chains)).repeat(np.diff(self.offsets))
        own = self.column("parent").astype(np.int64)
        self.parent = np.where(own >= 0, own + self.offsets[self.trace], -1)
        self.function = np.concatenate(
            [index[each.function] for each, index in zip(chains, index_of, strict=True)]
        )
        self.started = self.column("started").astype(np.bool_)
        if places is not None:
            self._rearrange(places)

    def _rearrange(self, places: Places) -> None:
        copies = places.copies
        is_continued = places.parent != self.parent
        self.started[is_continued] = False
        self.parent = np.concatenate([places.parent, copies.parent])
        self.function = np.concatenate([self.function, self.function[copies.original]])
        self.started = np.concatenate([self.started, self.started[copies.original]])
        self.trace = np.concatenate([self.trace, copies.trace])
        self._copies = len(copies.parent)

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return the concatenated column of all traces; copies have neither calls nor tracks."""
        values = np.concatenate([getattr(each, name) for each in self._chains])
        of_copies = np.full(self._copies, -1 if name.endswith("_track") else 0)
        return np.concatenate([values, of_copies.astype(values.dtype)])

    def wall_clock(self, name: str) -> Int64s:
        """Return a column of times as wall-clock times, comparable between processes."""
        began = np.array([each.trace.started for each in self._chains], np.int64)
        times: Int64s = self.column(name) + began[self.trace]
        return times

    def pick(self, node_of: Int64s, first: Int64s, rank: Int64s, track: str) -> Int64s:
        """Return, for each of the forest's nodes, the lowest-ranked entry with a track, or -1."""
        has_track = self.column(track) >= 0
        chosen = np.lexsort((rank, ~has_track, node_of))[first[:-1]]
        return np.where(has_track[chosen], chosen, -1)


def _number(all_nodes: _AllNodes) -> Int64s:
    """Return the forest's node of each entry, level by level from parent and function."""
    node_of = np.full(len(all_nodes.parent), -1, np.int64)
    key = (all_nodes.function.astype(np.int64) << 1) | all_nodes.started
    kinds = int(key.max(initial=0)) + 1
    count = 0
    for level in levels(all_nodes.parent):
        parent = all_nodes.parent[level]
        merged_parent = np.where(parent >= 0, node_of[parent], -1)
        distinct, index = np.unique((merged_parent + 1) * kinds + key[level], return_inverse=True)
        node_of[level] = count + index
        count += len(distinct)
    return node_of


def levels(parent: Int64s) -> list[Int64s]:
    """Return the nodes grouped by depth, roots first."""
    depth = (parent >= 0).astype(np.int64)
    ancestor = parent
    while (ancestor >= 0).any():
        has_ancestor = ancestor >= 0
        depth = depth + np.where(has_ancestor, depth[ancestor], 0)
        ancestor = np.where(has_ancestor, ancestor[ancestor], -1)
    order = np.argsort(depth, kind="stable")
    return np.split(order, np.cumsum(np.bincount(depth))[:-1]) if len(order) else []


def below(forest: Forest, nodes: Sequence[int]) -> Bools:
    """Return a mask of the nodes that have one of ``nodes`` as an ancestor."""
    chosen = np.zeros(len(forest) + 1, np.bool_)  # the last entry stands for a root's parent, -1
    chosen[list(nodes)] = True
    ancestor = forest.parent.astype(np.int64)
    found = chosen[ancestor]
    while (ancestor >= 0).any():
        next_ancestor = np.append(ancestor, -1)
        found = found | np.append(found, False)[ancestor]
        ancestor = next_ancestor[ancestor]
    return found
