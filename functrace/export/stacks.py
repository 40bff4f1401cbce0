"""Call chains as stacks of functions, for formats without tracks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from functrace.analysis import Chains
from functrace.analysis.columns import Int32s, Int64s, added, summed
from functrace.analysis.merge import levels

WEIGHTS = ("time", "calls", "errors")


def weight(chains: Chains, by: str) -> Int64s:
    """Return each node's weight: exclusive nanoseconds, calls, or failed calls."""
    if by == "time":
        return chains.self
    return chains.calls if by == "calls" else chains.errors + chains.panics


def stacks(chains: Chains) -> Iterator[list[int]]:
    """Yield for each node the function indices from its own to the outermost."""
    parents, functions = chains.parent.tolist(), chains.function.tolist()
    for node in range(len(parents)):
        stack = []
        at = node
        while at >= 0:
            stack.append(functions[at])
            at = parents[at]
        yield stack


def outermost(chains: Chains) -> Int32s:
    """Return for each node the index of its track's outermost function."""
    starts_track = (chains.parent < 0) | chains.started
    at = np.where(starts_track, np.arange(len(chains)), chains.parent)
    while not starts_track[at].all():
        at = at[at]
    return chains.function[at]


def inclusive(parent: Int64s, values: Int64s) -> Int64s:
    """Return for each node the sum of its value and those of all nodes below it."""
    sums = values.copy()
    for nodes in reversed(levels(parent)):
        inner = nodes[parent[nodes] >= 0]
        sums = added(sums, summed(sums[inner], parent[inner], len(sums)))
    return sums
