"""Chains that go on in other processes: where a forest of several traces hangs inbound calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from functrace.analysis.chains import Chains
from functrace.analysis.columns import Bools, Int32s, Int64s
from functrace.analysis.requests.joined import INBOUND, Joined, has_requests, joined
from functrace.tracefile import Trace
from functrace.tracefile.requests import Requests

_MAX_SEGMENT = 100
"""functions of a worker's chain that are shown below the inbound call that it works for"""


@dataclass(frozen=True, eq=False)
class Copies:
    """Nodes without calls that lead from an inbound call to an outbound one on another track."""

    parent: Int64s
    """index of the copy's parent; see Places"""
    original: Int64s
    """index of the node that is copied"""
    trace: Int32s


@dataclass(frozen=True, eq=False)
class Places:
    """Parents of the nodes that continue chains of other processes.

    Nodes of all traces are numbered one trace after the other; copies follow.
    """

    parent: Int64s
    """new parent of each node; for those without an origin, the one it has"""
    copies: Copies


@dataclass(frozen=True, eq=False)
class Crossing:
    """Chains across the processes of several traces."""

    joined: Joined

    @cached_property
    def services(self) -> tuple[str, ...]:
        """Name of each trace's service."""
        return self.joined.services

    def places(self, chains: Sequence[Chains]) -> Places:
        """Return where the nodes of all traces, which were folded with origins, belong."""
        return _Placing(self.joined, chains).places()


def follow(traces: Sequence[Trace]) -> tuple[list[Trace], Crossing | None]:
    """Return the traces with the origins of their inbound calls, and the chains across them.

    Without requests, or in traces of one service without joins, nothing changes.
    """
    if not has_requests(traces):
        return list(traces), None
    found = joined(traces)
    if not len(found.rows):  # of names of requests alone, as in a trace cut off at once
        return list(traces), None
    if not (found.joins.outbound >= 0).any() and len(set(found.services)) == 1:
        return list(traces), None
    return list(found.traces_with_origins), Crossing(found)


class _Placing:
    def __init__(self, found: Joined, chains: Sequence[Chains]) -> None:
        self._origins = found.origins
        self._inbound = found.inbound
        self._offsets = np.cumsum([0, *map(len, chains)])
        self._node_of_request = _request_nodes(found, self._offsets)
        trace = np.arange(len(chains), dtype=np.int32).repeat([len(each) for each in chains])
        self._trace = trace
        own = np.concatenate([each.parent.astype(np.int64) for each in chains])
        self._parent = np.where(own >= 0, own + self._offsets[trace], -1)
        self._started = np.concatenate([each.started for each in chains])
        self._origin = np.concatenate([each.origin.astype(np.int64) for each in chains])
        self._is_inbound = np.concatenate([_inbound_nodes(each) for each in chains])
        self._copy_parent: list[int] = []
        self._copy_original: list[int] = []

    def places(self) -> Places:
        of_origin = self._of_origins()
        known = np.minimum(self._origin, len(of_origin) - 1)
        parent = np.where(self._origin > 0, of_origin[known], self._parent)
        original = np.array(self._copy_original, np.int64)
        copies = Copies(np.array(self._copy_parent, np.int64), original, self._trace[original])
        return Places(parent, copies)

    def _of_origins(self) -> Int64s:
        """Return the node below which the inbound calls of each origin belong, or -1."""
        origins = self._origins
        if not len(origins):
            return np.full(1, -1, np.int64)
        outer = self._node_of_request[origins.example]
        inbound = self._inbound[origins.example]
        around = np.where(inbound >= 0, self._node_of_request[inbound], -1)
        # Only with its own origin, a chain leads to an origin before this one: no cycle can arise.
        is_valid = (around >= 0) & (self._origin[around] == origins.parent)
        around[~is_valid] = -1
        nearest = self._nearest_inbound(outer)
        places = np.where(nearest == around, outer, -1)
        for origin in np.flatnonzero((outer >= 0) & (nearest != around)).tolist():
            if origin:
                places[origin] = self._copy(int(outer[origin]), int(around[origin]))
        places[0] = -1
        return places

    def _nearest_inbound(self, nodes: Int64s) -> Int64s:
        """Return the innermost inbound call on the chain of each node, or -1."""
        found = nodes
        while True:
            is_other = (found >= 0) & ~self._is_inbound[found]
            if not is_other.any():
                return found
            found = np.where(is_other, self._parent[found], found)

    def _copy(self, node: int, parent: int) -> int:
        """Copy what the track of a node has of its chain below another parent."""
        path = [node]
        while not self._started[path[-1]] and len(path) < _MAX_SEGMENT:
            above = int(self._parent[path[-1]])
            if above < 0 or self._is_inbound[above]:
                break
            path.append(above)
        for each in reversed(path):
            self._copy_parent.append(parent)
            self._copy_original.append(each)
            parent = len(self._parent) + len(self._copy_parent) - 1
        return parent


def _request_nodes(found: Joined, offsets: Int64s) -> Int64s:
    """Return the node of each request in the chains that were folded with origins."""
    columns = [_nodes(table) for _, table in found.folds]
    nodes = [
        np.where(column >= 0, column + start, -1)
        for column, start in zip(columns, offsets.tolist(), strict=False)
    ]
    return np.concatenate([np.empty(0, np.int64), *nodes])


def _nodes(table: Requests) -> Int64s:
    return table.chain.astype(np.int64)


def _inbound_nodes(chains: Chains) -> Bools:
    is_inbound = [function.direction == INBOUND for function in chains.trace.functions]
    mask: Bools = np.array([*is_inbound, False], np.bool_)[chains.function]
    return mask
