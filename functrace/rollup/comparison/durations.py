"""Chains that became slower or faster: in the middle, at the tail, or in their own code."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from functrace.analysis.deviations import (
    DURATION_Z,
    MIN_MEDIAN_RATIO,
    MIN_TAIL_RATIO,
    durations_differ,
    rank_deviations,
    tail_deviations,
)
from functrace.rollup.comparison.difference import Difference, Group, Pair
from functrace.rollup.comparison.group_tests import counts_by_value, ranks_agree, welch_p
from functrace.rollup.comparison.unit_figures import MIN_CALLS, Floats, UnitFigures, middles

_PRECISION = 0.02
"""of logarithms of times: a bucket is 3 % wide"""
_MIN_MEAN_CALLS = 50
"""Units with fewer calls have no mean: rare long calls would be missing in most of them."""
_MIN_SELF_SHARE = 0.05
"""A change of self time matters from this share of the total time on."""


def find_durations(pair: Pair, chain: int) -> Iterator[Difference]:
    """Yield the differences of the durations of a chain, on a machine of the same speed."""
    if min(int(side.sums.calls[chain]) for side in pair.sides) < MIN_CALLS:
        return
    for name in ("p50_ns", "p99_ns", "self_ns"):
        group = _log_times(pair, chain, name)
        if not len(group.before) or not len(group.after):
            continue
        typical = tuple(float(np.exp(np.median(each))) for each in (group.before, group.after))
        is_slower = typical[1] > typical[0]
        is_large = _is_large(pair, chain, name, typical)
        yield Difference(
            kind="slower" if is_slower else "faster",
            chain=chain,
            is_large=is_large,
            calls_differ=is_large and _calls_differ(pair, chain, name, is_slower),
            units_differ=is_large and group.is_enough and ranks_agree(group.before, group.after),
            p_value=welch_p(group.before, group.after, _PRECISION) if group.is_enough else 1.0,
            is_self=name == "self_ns",
        )


def _self_times(figures: UnitFigures, chain: int) -> Floats:
    """Return the mean self time of a call in each unit, NaN with few calls."""
    calls = figures.calls[chain].astype(np.float64)
    times = figures.self_ns[chain].astype(np.float64)
    found = np.full(len(calls), np.nan)
    np.divide(times, calls, out=found, where=calls >= _MIN_MEAN_CALLS)
    return found


def _log_times(pair: Pair, chain: int, name: str) -> Group:
    parts = []
    for side, speeds in zip(pair.sides, pair.speeds, strict=True):
        times = (
            _self_times(side.units, chain)
            if name == "self_ns"
            else getattr(side.units, name)[chain].astype(np.float64)
        )
        known = times > 0
        parts.append(np.log(times[known]) - speeds[known])
    return Group(*parts)


def _is_large(pair: Pair, chain: int, name: str, typical: tuple[float, ...]) -> bool:
    before, after = typical
    if name == "p99_ns":
        return durations_differ(before, after, MIN_TAIL_RATIO)
    if not durations_differ(before, after, MIN_MEDIAN_RATIO):
        return False
    if name == "p50_ns":
        return True
    sums = pair.sides[0].sums
    total = int(sums.total_ns[chain]) / int(sums.calls[chain])
    return abs(after - before) >= _MIN_SELF_SHARE * total


def _calls_differ(pair: Pair, chain: int, name: str, is_slower: bool) -> bool:
    """Return whether the histograms of all calls differ in this direction beyond chance."""
    if name == "self_ns":  # of which there is no histogram
        return True
    values, counts = [], []
    for side in pair.sides:
        bucket, calls = np.array(side.sums.buckets[chain], np.int64).reshape(-1, 2).T
        values.append(middles(bucket))
        counts.append(calls.astype(np.float64))
    values[1] = values[1] / np.exp(pair.log_ratio)
    both = counts_by_value(values[0], values[1], (counts[0], counts[1]))
    test = rank_deviations if name == "p50_ns" else tail_deviations
    return test(*both) * (1 if is_slower else -1) >= DURATION_Z
