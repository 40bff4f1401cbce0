"""Slow outliers: calls that took far longer than almost all other calls of their function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from functrace.analysis.calls import Calls
from functrace.analysis.chains import Functions
from functrace.analysis.columns import Bools, Int64s
from functrace.analysis.examples import Example
from functrace.analysis.fold import Listing
from functrace.analysis.merge import Forest

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


@dataclass(frozen=True, eq=False)
class SlowCalls:
    """Outliers of a trace, without those whose time passed in others."""

    calls: Calls
    functions: Functions
    limits: Int64s
    """duration above which a call of each function is an outlier"""
    is_sample: bool
    """whether some may be missing"""


def listing(limit: int) -> Listing:
    """Return a filter of the calls that may be outliers.

    What is usual for a function is known for sure only at the end of a trace, and may have become
    less since a call was left out: half of the factor allows for that.
    """
    return Listing(limit, min_duration_ns=_MIN_DURATION_NS, usual_factor=_FACTOR // 2)


def slow_calls(listed: Calls) -> SlowCalls:
    """Return the outliers among the calls that listing() selects.

    A function's usual duration is that in the same trace.
    """
    functions = listed.chains.functions()
    limits = limits_of(functions)
    has_outliers = bool((limits < _NO_LIMIT).any())
    is_outlier = ~listed.unfinished & (listed.duration > limits[listed.function])
    return SlowCalls(
        listed.only(is_outlier & ~_explained(listed, is_outlier)),
        functions,
        limits,
        (has_outliers and listed.truncated)
        or any(longest > limits[function] for function, longest in listed.omitted.items()),
    )


def find_slow(forest: Forest, slow: Sequence[SlowCalls]) -> list[SlowChain]:
    """Return the slow outliers by chain, those first that took most."""
    found: dict[int, SlowChain] = {}
    for index, each in enumerate(slow):
        _add(found, forest, index, each)
    return sorted(found.values(), key=lambda each: -each.total)


def limits_of(functions: Functions) -> Int64s:
    """Return for each function the duration above which a call is an outlier."""
    limits: Int64s = np.full(len(functions.calls), _NO_LIMIT)
    enough = functions.calls - functions.unfinished >= _MIN_CALLS
    for function in np.flatnonzero(enough & (functions.max > _MIN_DURATION_NS)).tolist():
        limit = max(_FACTOR * functions.percentile(function, 90), _MIN_DURATION_NS)
        if functions.max[function] > limit:
            limits[function] = limit
    return limits


def _add(found: dict[int, SlowChain], forest: Forest, index: int, slow: SlowCalls) -> None:
    listed, functions = slow.calls, slow.functions
    nodes = forest.nodes.of(index, listed.node)
    for call in range(len(listed)):
        node, duration = int(nodes[call]), int(listed.duration[call])
        function = int(listed.function[call])
        start, track = int(listed.start[call]), int(listed.track[call])
        example = Example(index, track, node, start, duration, "slowest")
        if node not in found or duration > found[node].max:
            p50, p99 = (functions.percentile(function, percent) for percent in (50, 99))
            before = found.get(node)
            found[node] = SlowChain(node, example, duration, int(slow.limits[function]), p50, p99)
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
