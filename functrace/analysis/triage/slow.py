"""Slow outliers: calls that took far longer than almost all other calls of their function."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from functrace.analysis.calls import Calls
from functrace.analysis.chains import Functions
from functrace.analysis.columns import Bools, Int64s
from functrace.analysis.examples import Example
from functrace.analysis.fold import Listing, calls
from functrace.analysis.merge import Forest
from functrace.analysis.triage.failed_calls import MAX_LISTED_CALLS

_MIN_CALLS = 20
"""ended calls of a function; fewer do not show what is usual"""
_FACTOR = 10
"""An outlier took this many times the 90th percentile, which up to 10 % of outliers do not move."""
_MIN_DURATION_NS = 10_000_000
"""The scheduler and the garbage collector make any call take milliseconds now and then."""
_EXPLAINED_PART = 0.5
"""An outlier is explained by outliers inside it that took this part of its time."""
_NO_LIMIT = np.iinfo(np.int64).max


@dataclass
class SlowChain:
    """Outliers of one chain. Times are nanoseconds."""

    node: int
    example: Example | None
    """slowest of them; None if a store has another example of the chain"""
    max: int
    limit: int
    """an outlier took longer"""
    p50: int
    """percentiles of all calls of the function in the trace of the example"""
    p99: int
    count: int = 0
    total: int = 0
    """time of the outliers"""


def find_slow(forest: Forest) -> tuple[list[SlowChain], bool]:
    """Return the slow outliers by chain, those first that took most, and whether some are missing.

    A function's usual duration is that in the same trace. An outlier whose time passed in other
    outliers is left out.
    """
    found: dict[int, SlowChain] = {}
    is_sampled = False
    for index, chains in enumerate(forest.chains):
        functions = chains.functions()
        limits = limits_of(functions)
        slow = np.flatnonzero(limits < _NO_LIMIT)
        if len(slow):
            minimum = int(limits[slow].min())
            listing = Listing(MAX_LISTED_CALLS, slow.tolist(), minimum)
            listed = calls(chains.trace, listing=listing)
            is_sampled |= listed.truncated
            _add(found, forest, index, listed, functions, limits)
    return sorted(found.values(), key=lambda each: -each.total), is_sampled


def limits_of(functions: Functions) -> Int64s:
    """Return for each function the duration above which a call is an outlier."""
    limits: Int64s = np.full(len(functions.calls), _NO_LIMIT)
    enough = functions.calls - functions.unfinished >= _MIN_CALLS
    for function in np.flatnonzero(enough & (functions.max > _MIN_DURATION_NS)).tolist():
        limit = max(_FACTOR * functions.percentile(function, 90), _MIN_DURATION_NS)
        if functions.max[function] > limit:
            limits[function] = limit
    return limits


def _add(
    found: dict[int, SlowChain],
    forest: Forest,
    index: int,
    listed: Calls,
    functions: Functions,
    limits: Int64s,
) -> None:
    nodes = forest.nodes.of(index, listed.node)
    is_outlier = ~listed.unfinished & (listed.duration > limits[listed.function])
    for call in np.flatnonzero(is_outlier & ~_explained(listed, is_outlier)).tolist():
        node, duration = int(nodes[call]), int(listed.duration[call])
        function = int(listed.function[call])
        start, track = int(listed.start[call]), int(listed.track[call])
        example = Example(index, track, node, start, duration, "slowest")
        if node not in found or duration > found[node].max:
            p50, p99 = (functions.percentile(function, percent) for percent in (50, 99))
            before = found.get(node)
            found[node] = SlowChain(node, example, duration, int(limits[function]), p50, p99)
            if before:
                found[node].count, found[node].total = before.count, before.total
        found[node].count += 1
        found[node].total += duration


def _explained(listed: Calls, is_outlier: Bools) -> Bools:
    """Return the outliers most of whose time passed in outliers inside them."""
    inside = np.zeros(len(listed), np.int64)
    for call in np.flatnonzero(is_outlier).tolist():
        around = int(listed.parent[call])
        while around >= 0 and not is_outlier[around]:
            around = int(listed.parent[around])
        if around >= 0:
            inside[around] += listed.duration[call]
    explained: Bools = inside >= _EXPLAINED_PART * listed.duration
    return explained
