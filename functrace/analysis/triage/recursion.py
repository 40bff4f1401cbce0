"""Recursion that grew very deep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from functrace.analysis.columns import Int64s
from functrace.analysis.examples import Example, first_failed, slowest
from functrace.analysis.merge import Forest

_MIN_LEVELS = 100
"""A balanced tree of a million items has 20 levels, and the sources and documents that people write
nest less than 50 deep; Python's default limit is 1,000."""
_MAX_CYCLE_LENGTH = 64
"""functions on the way from a call of a function to the next call of the same one"""


@dataclass(frozen=True)
class GrowingRecursion:
    """Recursion on one track that went through a function many times."""

    node: int
    """deepest node"""
    levels: int
    """number of calls of the function that were open at once"""
    calls: int
    """number of calls of the deepest node"""
    failed: int
    """number of them that failed"""
    unfinished: int
    """number of them that never ended"""
    example: Example | None
    """first failed or slowest call of the deepest node"""


def find_growing_recursion(forest: Forest) -> list[GrowingRecursion]:
    """Return the deepest recursions, one for each cycle of functions, deepest first."""
    previous = _previous(forest)
    levels = _levels(previous)
    deepest: dict[int, int] = {}
    for node, number in levels.items():
        function = int(forest.function[node])
        if number >= _MIN_LEVELS and number > levels.get(deepest.get(function, -1), 0):
            deepest[function] = node
    found: list[GrowingRecursion] = []
    covered: set[int] = set()
    for function, node in sorted(deepest.items(), key=lambda item: -levels[item[1]]):
        if function not in covered:
            covered.update(_cycle(forest, node, int(previous[node])))
            found.append(_finding(forest, node, levels[node]))
    return found


def _previous(forest: Forest) -> Int64s:
    """Return each node's nearest caller of the same function on its track, or -1."""
    previous = np.full(len(forest), -1, np.int64)
    nodes = np.flatnonzero(forest.recursive)
    above = nodes
    for _ in range(_MAX_CYCLE_LENGTH):
        is_called = ~forest.started[above] & (forest.parent[above] >= 0)
        nodes, above = nodes[is_called], forest.parent[above[is_called]].astype(np.int64)
        is_found = forest.function[above] == forest.function[nodes]
        previous[nodes[is_found]] = above[is_found]
        nodes, above = nodes[~is_found], above[~is_found]
    return previous


def _levels(previous: Int64s) -> dict[int, int]:
    """Return the number of calls of the same function on the chain of each recursive node."""
    found: dict[int, int] = {}
    nodes = np.flatnonzero(previous >= 0)
    for node, outer in zip(nodes.tolist(), previous[nodes].tolist(), strict=True):
        found[node] = found.get(outer, 1) + 1
    return found


def _cycle(forest: Forest, node: int, last: int) -> Iterator[int]:
    """Yield the functions from a node to its caller ``last``."""
    while node != last:
        yield int(forest.function[node])
        node = int(forest.parent[node])


def _finding(forest: Forest, node: int, levels: int) -> GrowingRecursion:
    return GrowingRecursion(
        node=node,
        levels=levels,
        calls=int(forest.calls[node]),
        failed=int(min(forest.errors[node] + forest.panics[node], forest.calls[node])),
        unfinished=int(forest.unfinished[node]),
        example=first_failed(forest, [node]) or slowest(forest, [node]),
    )
