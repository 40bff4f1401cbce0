"""Comparison of two selections: which chains changed, and by how much."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from functrace.analysis.deviations import MIN_MEDIAN_RATIO
from functrace.rollup.comparison.causes import Cause, find_causes
from functrace.rollup.comparison.difference import MIN_UNITS, Difference, Pair
from functrace.rollup.comparison.durations import find_durations
from functrace.rollup.comparison.group_tests import ranks_agree, significant, welch_p
from functrace.rollup.comparison.rates import find_calls, find_failures
from functrace.rollup.comparison.sides import ChainTree, Side
from functrace.rollup.comparison.speeds import log_speeds

_PRECISION = 0.02


@dataclass(frozen=True)
class Figures:
    """Figures of a chain on one side. Times are nanoseconds."""

    calls: int
    failed: int
    caller_calls: int
    """calls of its caller; of an outermost function, instances"""
    p50: int
    p99: int
    total: int
    self: int


@dataclass(frozen=True)
class Change:
    """Change of a chain, at which it begins."""

    kind: str
    """one of difference.KINDS"""
    steps: tuple[str, ...]
    """functions of the chain, outermost first"""
    before: Figures
    after: Figures
    text: str
    """most frequent error text on the side that fails more often"""
    affected: tuple[tuple[str, ...], ...]
    """chains whose changes follow from it"""
    chains_below: int
    """number of chains below it, which appeared or vanished with it"""
    p_value: float
    """not corrected for the number of tests; 1 if there are too few units to test"""
    by_chance: bool


@dataclass(frozen=True)
class StoreComparison:
    """Changes, most important first, and how all functions together changed.

    Attributes:
        changes: changes of all kinds.
        slowdown: how much longer the same work takes on the second side, 1 for as long. The changes
            of durations are relative to it.
        slowdown_by_chance: whether that is chance.
    """

    changes: Sequence[Change]
    slowdown: float
    slowdown_by_chance: bool


def compare(
    tree: ChainTree, before: Side, after: Side, *, is_enough: bool = True
) -> StoreComparison:
    """Return the changes from one side to the other.

    Args:
        tree: chains of both sides.
        before: the first side.
        after: the second side.
        is_enough: whether the units of both sides tell changes from chance; if not, any difference
            may be chance.
    """
    speeds = log_speeds(before.units, after.units)
    log_ratio = float(np.median(speeds[1]) - np.median(speeds[0])) if all(map(len, speeds)) else 0.0
    pair = Pair(tree, (before, after), speeds, log_ratio)
    causes = find_causes(pair, _candidates(list(_differences(pair)), is_enough))
    return StoreComparison(
        changes=sorted((_describe(pair, cause) for cause in causes), key=_rank),
        slowdown=float(np.exp(log_ratio)),
        slowdown_by_chance=not (is_enough and _speeds_differ(pair)),
    )


def _differences(pair: Pair) -> Iterator[Difference]:
    for chain in range(len(pair.tree.names)):
        yield from find_calls(pair, chain)
        yield from find_failures(pair, chain)
        yield from find_durations(pair, chain)


def _candidates(tested: Sequence[Difference], is_enough: bool) -> dict[Difference, bool]:
    """Return large differences of calls, and whether units differ beyond chance by all tests."""
    beyond = significant(np.array([each.p_value for each in tested]))
    return {
        each: bool(is_enough and each.units_differ and is_beyond)
        for each, is_beyond in zip(tested, beyond, strict=True)
        if each.is_candidate
    }


def _speeds_differ(pair: Pair) -> bool:
    """Return whether all functions together are slower or faster on one side."""
    before, after = pair.speeds
    if min(len(before), len(after)) < MIN_UNITS or abs(pair.log_ratio) < np.log(MIN_MEDIAN_RATIO):
        return False
    p_value = welch_p(before, after, _PRECISION)
    return bool(significant(np.array([p_value]))[0]) and ranks_agree(before, after)


def _describe(pair: Pair, cause: Cause) -> Change:
    before, after = (_figures(pair.tree, side, cause.chain) for side in pair.sides)
    fails_more = before.failed * after.calls < after.failed * before.calls
    affected = sorted({tuple(pair.tree.steps(chain)) for chain in cause.affected}, key=len)
    return Change(
        kind=cause.kind,
        steps=pair.tree.steps(cause.chain),
        before=before,
        after=after,
        text=pair.sides[fails_more].sums.texts[cause.chain],
        affected=tuple(reversed(affected)),
        chains_below=_count_below(pair.tree, cause.chain),
        p_value=cause.p_value,
        by_chance=not cause.is_change,
    )


def _count_below(tree: ChainTree, chain: int) -> int:
    """Return the number of chains below a chain; callers have lower numbers."""
    below = {chain}
    for each in range(chain + 1, len(tree.names)):
        if tree.parents[each] in below:
            below.add(each)
    return len(below) - 1


def _figures(tree: ChainTree, side: Side, chain: int) -> Figures:
    sums, caller = side.sums, tree.parents[chain]
    return Figures(
        calls=int(sums.calls[chain]),
        failed=int(sums.failed[chain]),
        caller_calls=int(sums.calls[caller]) if caller >= 0 else side.units.unit_count,
        p50=sums.percentile_ns(chain, 50),
        p99=sums.percentile_ns(chain, 99),
        total=int(sums.total_ns[chain]),
        self=int(sums.self_ns[chain]),
    )


def _rank(change: Change) -> tuple[float, tuple[str, ...]]:
    """Return a key by which changes with the most time, failures or calls come first."""
    amount = {
        "slower": abs(added_self(change)),
        "faster": abs(added_self(change)),
        "fails_more": change.after.failed,
        "fails_less": change.before.failed,
    }.get(change.kind, max(change.before.total, change.after.total))
    return -float(amount), change.steps


def added(change: Change) -> int:
    """Return the change of the mean time of a call, times the calls of the second side."""
    before, after = change.before, change.after
    return round(after.total - before.total / max(before.calls, 1) * after.calls)


def added_self(change: Change) -> int:
    """Return the same of self time."""
    before, after = change.before, change.after
    return round(after.self - before.self / max(before.calls, 1) * after.calls)
