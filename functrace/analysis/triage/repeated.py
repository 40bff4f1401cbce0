"""Chains that repeat within one call of a function, such as N+1 queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from functrace.analysis.columns import Bools, Int64s
from functrace.analysis.examples import Example, slowest
from functrace.analysis.merge import Forest

_MIN_REPEATS = 10
"""calls of a callee in one call of its caller; tools that count SQL queries alone warn at 5"""
_MEDIAN_FACTOR = 5
"""The number must also exceed what is usual in the program: this many times the median of all
other chains, so that a program that does everything in loops is not one finding per loop."""
_MIN_TIME_SHARE = 0.1
"""part of the caller's time that the callee must take to be worth a line"""
_LOOP_PART = 0.5
"""An outermost call that takes this part of the trace is the loop of a main function or worker, not
a request that a server handles."""
_EXPLAINED_PART = 0.5
"""A loop around another repetition that takes this part of its time is left out."""


@dataclass(frozen=True)
class RepeatedChain:
    """Callee that one call of its caller called many times, on the same track."""

    node: int
    """node of the callee; its parent is the caller"""
    example: Example | None
    """slowest call of the callee"""
    max: int
    """max number of calls in one call of the caller"""
    calls: int
    caller_calls: int
    """number of calls of the caller with at least one call of the callee"""
    total: int
    """time of the callee's calls in nanoseconds"""
    caller_total: int


def find_repeated(forest: Forest) -> list[RepeatedChain]:
    """Return the repeated chains, those that took most time first.

    What the loop of a main function or of a worker repeats does not count, and recursion neither.
    Only in a main function itself, a call without callees counts.
    """
    most, caller_calls = _repetitions(forest)
    chosen = [node for node in _candidates(forest, most).tolist() if _takes_time(forest, node)]
    found = [
        RepeatedChain(
            node=node,
            example=slowest(forest, [node]),
            max=int(most[node]),
            calls=int(forest.calls[node]),
            caller_calls=int(caller_calls[node]),
            total=int(forest.total[node]),
            caller_total=int(forest.total[forest.parent[node]]),
        )
        for node in _unexplained(forest, chosen)
    ]
    found.sort(key=lambda each: -each.total)
    pairs: dict[tuple[int, int], RepeatedChain] = {}
    for each in found:  # of several chains with the same end, the one that took most time
        caller = int(forest.function[forest.parent[each.node]])
        pairs.setdefault((caller, int(forest.function[each.node])), each)
    return list(pairs.values())


def _repetitions(forest: Forest) -> tuple[Int64s, Int64s]:
    """Return max_in_caller and caller_calls of the forest's nodes."""
    most, caller_calls = np.zeros((2, len(forest)), np.int64)
    for index, chains in enumerate(forest.chains):
        nodes = forest.nodes.of(index, np.arange(len(chains), dtype=np.int32))
        is_own = chains.origin == 0  # others have their caller in another process
        np.maximum.at(most, nodes, np.where(is_own, chains.max_in_caller, 0))
        np.add.at(caller_calls, nodes, np.where(is_own, chains.caller_calls, 0))
    return most, caller_calls


def _candidates(forest: Forest, most: Int64s) -> Int64s:
    parent = forest.parent.astype(np.int64)
    has_callees = np.zeros(len(forest) + 1, np.bool_)  # the last entry stands for a root's parent
    has_callees[parent] = True
    is_loop = _main_loops(forest)[parent] & (has_callees[:-1] | forest.started[parent])
    is_recursive = forest.function == forest.function[parent]
    is_repeated = (most >= _MIN_REPEATS) & (most >= _MEDIAN_FACTOR * _usual(most))
    return np.flatnonzero(is_repeated & ~is_loop & ~is_recursive)


def _main_loops(forest: Forest) -> Bools:
    """Return the outermost nodes of tracks whose calls take most of a trace."""
    found = np.zeros(len(forest), np.bool_)
    for index, chains in enumerate(forest.chains):
        first, last = chains.trace.span
        is_outermost = (chains.parent < 0) | chains.started
        is_long = chains.total >= _LOOP_PART * (last - first) * chains.calls
        loops = np.flatnonzero(is_outermost & is_long).astype(np.int32)
        found[forest.nodes.of(index, loops)] = True
    return found


def _usual(most: Int64s) -> int:
    """Return the median of the others for any chain that is above it."""
    called = np.sort(most[most > 0])
    return int(called[(len(called) - 2) // 2]) if len(called) > 1 else 0


def _takes_time(forest: Forest, node: int) -> bool:
    share = _MIN_TIME_SHARE * int(forest.total[forest.parent[node]])
    return int(forest.total[node]) >= share


def _unexplained(forest: Forest, chosen: list[int]) -> list[int]:
    """Return the nodes without those most of whose time passed in chosen nodes below them."""
    candidates = set(chosen)
    inside = dict.fromkeys(chosen, 0)
    found = []
    for node in sorted(chosen, reverse=True):  # callees before their callers
        total = int(forest.total[node])
        if inside[node] < _EXPLAINED_PART * total or not inside[node]:
            found.append(node)
        else:
            total = inside[node]
        around = int(forest.parent[node])
        while around >= 0 and around not in candidates:
            around = int(forest.parent[around])
        if around >= 0:
            inside[around] += total
    return found
