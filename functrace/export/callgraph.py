"""Which functions call which: what the call graph's formats draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from functrace.analysis import Forest, fold, merge
from functrace.analysis.columns import summed
from functrace.analysis.totals import Totals, part_of, totals
from functrace.trace import Trace


@dataclass(frozen=True)
class Edge:
    """A function's calls of another; times are nanoseconds, functions are indices."""

    caller: int
    callee: int
    started: bool
    """on a track of its own"""
    calls: int
    total: int
    """a call inside a call of the same function is not counted"""
    failed: int


@dataclass(frozen=True)
class CallGraph:
    """Functions, each once whatever the chain, and the calls between them."""

    functions: Totals
    shown: list[int]
    """those that took longest with what they called, failed ones first; by index"""
    left_out: int
    edges: list[Edge]
    """between those shown"""


def call_graph(traces: Sequence[Trace], limit: int) -> CallGraph:
    """The call graph of all traces taken together.

    limit: show so many functions; 0: all.
    """
    chains = [fold(trace) for trace in traces]
    found = totals(traces, [part_of(each) for each in chains])
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
