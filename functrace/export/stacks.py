"""The chains of a trace as stacks of functions, for formats that know no more."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from functrace.analysis import Chains
from functrace.analysis.columns import Int32s, Int64s, added, summed
from functrace.analysis.merge import levels

WEIGHTS = ("time", "calls", "errors")


def weight(chains: Chains, by: str) -> Int64s:
    """What each node counts for by itself: nanoseconds of its own, calls, or calls that failed."""
    if by == "time":
        return chains.self
    return chains.calls if by == "calls" else chains.errors + chains.panics


def stacks(chains: Chains) -> Iterator[list[int]]:
    """For each node the functions from its own to the outermost, by index."""
    parents, functions = chains.parent.tolist(), chains.function.tolist()
    for node in range(len(parents)):
        stack = []
        at = node
        while at >= 0:
            stack.append(functions[at])
            at = parents[at]
        yield stack


def outermost(chains: Chains) -> Int32s:
    """For each node the function that its track began with, by index."""
    begins = (chains.parent < 0) | chains.started
    at = np.where(begins, np.arange(len(chains)), chains.parent)
    while not begins[at].all():
        at = at[at]
    return chains.function[at]


def inclusive(parent: Int64s, values: Int64s) -> Int64s:
    """For each node its value and those of all nodes below it, added up."""
    sums = values.copy()
    for nodes in reversed(levels(parent)):
        inner = nodes[parent[nodes] >= 0]
        sums = added(sums, summed(sums[inner], parent[inner], len(sums)))
    return sums
