"""Call graph: functions and the calls between them, for the dot and svg formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from functrace.analysis import Chains, Forest, merge
from functrace.analysis.columns import summed
from functrace.analysis.totals import Totals, part_of, totals


@dataclass(frozen=True)
class Edge:
    """Calls of one function by another; times in nanoseconds, functions as indices."""

    caller: int
    callee: int
    started: bool
    """whether the callee ran on a new track"""
    calls: int
    total: int
    """inclusive time; recursive calls are not counted twice"""
    failed: int


@dataclass(frozen=True)
class CallGraph:
    """Functions, once each, and the calls between them."""

    functions: Totals
    shown: list[int]
    """function indices; functions with failed calls first, then by inclusive time"""
    omitted: int
    """number of functions beyond the limit"""
    edges: list[Edge]
    """between the shown functions"""


def call_graph(chains: Sequence[Chains], limit: int) -> CallGraph:
    """Return the combined call graph of the chains of traces.

    Args:
        chains: one or more.
        limit: the maximum number of functions; 0: all.
    """
    found = totals([each.trace for each in chains], [part_of(each) for each in chains])
    failed = found.errors + found.panics
    called = np.flatnonzero(found.calls)
    order = called[np.lexsort((-found.total[called], failed[called] == 0))]
    shown = order[: limit or None]
    edges = _edges(merge(chains), set(shown.tolist()))
    return CallGraph(found, shown.tolist(), len(order) - len(shown), edges)


def _edges(forest: Forest, shown: set[int]) -> list[Edge]:
    inner = np.flatnonzero(forest.parent >= 0)
    count = len(forest.functions)
    caller = forest.function[forest.parent[inner]].astype(np.int64)
    key = (caller * count + forest.function[inner]) * 2 + forest.started[inner]
    keys, edge_of = np.unique(key, return_inverse=True)
    failed = (forest.errors + forest.panics)[inner]
    total = np.where(forest.recursive, 0, forest.total)[inner]
    sums = [summed(column, edge_of, len(keys)) for column in (forest.calls[inner], total, failed)]
    pairs, started = np.divmod(keys, 2)
    columns = (*np.divmod(pairs, count), started.astype(np.bool_), *sums)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    edges = [Edge(*row) for row in rows if row[0] in shown and row[1] in shown]
    return sorted(edges, key=lambda edge: edge.total, reverse=True)
