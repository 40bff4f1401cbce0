"""Comparison of two sets of runs that separates changes from chance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from functrace.analysis.chains import Chains
from functrace.analysis.deviations import (
    DURATION_Z,
    MIN_MEDIAN_RATIO,
    MIN_TAIL_RATIO,
    RATE_Z,
    Floats,
    durations_differ,
    rank_deviations,
    rate_deviations,
    tail_deviations,
)
from functrace.analysis.histograms import Histogram, joined
from functrace.analysis.side import Chain, ChainRegistry, FunctionFigures, Side

# Durations are compared only if both sides have this number of finished calls.
_MIN_CALLS = 20
# An absence is significant if at least this number of calls was expected: p = 0.05.
_MIN_EXPECTED = 3.0


@dataclass(frozen=True)
class Presence:
    """Function or chain that occurs on one side only."""

    chain: Chain
    """most frequent chain of the function, or the new chain"""
    is_function: bool
    calls: int
    total: int
    below: int
    """number of functions below it on chains that exist only on this side"""
    by_chance: bool


@dataclass(frozen=True)
class Timing:
    """Durations of a function's calls on both sides, in nanoseconds."""

    name: str
    calls: tuple[int, int]
    p50: tuple[int, int]
    p99: tuple[int, int]
    added: int
    """change of the mean total time of a call, times the calls on the second side"""
    added_self: int
    """the same for exclusive time"""
    deviations: float
    """z-score of the change; negative: faster"""
    by_chance: bool


@dataclass(frozen=True)
class FailureRate:
    """Failures of a function's calls on both sides."""

    name: str
    calls: tuple[int, int]
    failed: tuple[int, int]
    text: str
    """text of the first failure on the side with the higher rate"""
    by_chance: bool

    @property
    def rates(self) -> tuple[float, float]:
        """Failures per call on each side."""
        return self.failed[0] / self.calls[0], self.failed[1] / self.calls[1]


@dataclass(frozen=True)
class Comparison:
    """Differences by kind, most important first."""

    appeared: list[Presence]
    vanished: list[Presence]
    slower: list[Timing]
    faster: list[Timing]
    fails_more: list[FailureRate]
    fails_less: list[FailureRate]


def compare(before: Sequence[Chains], after: Sequence[Chains]) -> Comparison:
    """Return the differences of the traces ``after`` from those ``before``."""
    registry = ChainRegistry()
    old, new = Side(registry, before), Side(registry, after)
    both = sorted(old.functions.keys() & new.functions.keys())
    timings = [found for name in both if (found := _timing(name, old, new))]
    failure_rates = [each for name in both if (each := _failure_rate(name, old, new))]
    return Comparison(
        appeared=_only_in(new, old),
        vanished=_only_in(old, new),
        slower=_by_weight([each for each in timings if each.deviations > 0]),
        faster=_by_weight([each for each in timings if each.deviations < 0]),
        fails_more=_by_excess([each for each in failure_rates if each.rates[0] < each.rates[1]]),
        fails_less=_by_excess([each for each in failure_rates if each.rates[0] > each.rates[1]]),
    )


def _by_weight(timings: list[Timing]) -> list[Timing]:
    """Sort by exclusive time, so that functions come before callers that only wait for them."""
    return sorted(timings, key=lambda t: (-abs(t.added_self), -abs(t.added), t.name))


def _by_excess(failure_rates: list[FailureRate]) -> list[FailureRate]:
    def excess(rate: FailureRate) -> float:
        before, after = rate.rates
        return abs(after - before) * max(rate.calls)

    return sorted(failure_rates, key=lambda rate: (-excess(rate), rate.name))


def _only_in(side: Side, other: Side) -> list[Presence]:
    """Return what occurs on ``side`` but not on ``other``.

    A function that ``other`` lacks is returned with its most frequent chain, unless its caller is
    missing too. Of a new chain to a function of both sides, only the first new step is returned.
    """
    new = {chain: None for chain in side.chains if chain not in other.chains}
    reported = [chain for chain in _new_functions(side, other) if _has_common_caller(chain, other)]
    reported += [c for c in new if c.parent not in new and c.name in other.functions]
    below = _functions_below(new, set(reported))
    found = [_presence(chain, len(below[chain]), side, other) for chain in reported]
    return sorted(found, key=lambda p: (not p.is_function, -p.total, -p.calls, p.chain.names))


def _new_functions(side: Side, other: Side) -> Iterator[Chain]:
    """Yield the most frequent chain of each function that ``other`` lacks."""
    for name, figures in side.functions.items():
        if name not in other.functions and figures.chain:
            yield figures.chain


def _has_common_caller(chain: Chain, other: Side) -> bool:
    return chain.parent is None or chain.parent.name in other.functions


def _functions_below(new: Iterable[Chain], reported: set[Chain]) -> dict[Chain, set[str]]:
    """Return the functions below each reported chain. In ``new``, parents come first."""
    below: dict[Chain, set[str]] = {chain: set() for chain in reported}
    owner: dict[Chain | None, Chain] = {}
    for chain in new:
        if chain in reported:
            owner[chain] = chain
        elif chain.parent in owner:
            owner[chain] = owner[chain.parent]
            below[owner[chain]].add(chain.name)
    return below


def _presence(chain: Chain, below: int, side: Side, other: Side) -> Presence:
    is_function = chain.name not in other.functions
    counts = side.functions[chain.name] if is_function else side.chains[chain]
    first = chain
    while first.parent and first.parent not in other.chains:
        first = first.parent
    by_chance = _may_be_chance(side.chains[first].calls, side.trials(first), other.trials(first))
    return Presence(chain, is_function, counts.calls, counts.total, below, by_chance)


def _may_be_chance(count: int, trials: int, other_trials: int) -> bool:
    """Return whether ``count`` hits in ``trials`` and none in the others may be due to chance."""
    return count < trials / 2 and count * other_trials < _MIN_EXPECTED * trials


def _timing(name: str, old: Side, new: Side) -> Timing | None:
    before, after = old.functions[name], new.functions[name]
    if not before.finished or not after.finished:
        return None
    histograms = before.histogram, after.histogram
    p50, p99 = ((before.percentile(p), after.percentile(p)) for p in (50, 99))
    counts = _counts(*histograms)
    middle, tail = rank_deviations(*counts), tail_deviations(*counts)
    in_middle = abs(middle) >= DURATION_Z and durations_differ(*p50, MIN_MEDIAN_RATIO)
    in_tail = abs(tail) >= DURATION_Z and durations_differ(*p99, MIN_TAIL_RATIO)
    deviations = middle if in_middle or not in_tail else tail
    if not deviations:
        return None
    enough = min(before.finished, after.finished) >= _MIN_CALLS
    added = round((after.total / after.calls - before.total / before.calls) * after.calls)
    agreed = added * deviations > 0 and _runs_agree(before, after, deviations)
    return Timing(
        name=name,
        calls=(before.calls, after.calls),
        p50=p50,
        p99=p99,
        added=added,
        added_self=round((after.self / after.calls - before.self / before.calls) * after.calls),
        deviations=deviations,
        by_chance=not (enough and agreed and (in_middle or in_tail)),
    )


def _counts(before: Histogram, after: Histogram) -> tuple[Floats, Floats]:
    """Return both counts in common buckets, since buckets differ slightly between clocks."""
    both = joined([before, after])
    middles = np.unique((both.low + both.high) // 2)
    counts = []
    for histogram in (before, after):
        place = np.searchsorted(middles, (histogram.low + histogram.high) // 2)
        counts.append(np.bincount(place, histogram.count, len(middles)).astype(np.float64))
    return counts[0], counts[1]


def _runs_agree(before: FunctionFigures, after: FunctionFigures, deviations: float) -> bool:
    """Return whether the runs' medians do not overlap between the sides; one run each agrees."""
    low, high = (before, after) if deviations > 0 else (after, before)
    return max(low.medians) < min(high.medians) or len(low.medians) == len(high.medians) == 1


def _failure_rate(name: str, old: Side, new: Side) -> FailureRate | None:
    before, after = old.functions[name], new.functions[name]
    if not before.finished or not after.finished or not before.failed + after.failed:
        return None
    rates = before.failed / before.finished, after.failed / after.finished
    if rates[0] == rates[1]:
        return None
    if min(before.failed, after.failed) == 0:
        more, less = (after, before) if after.failed else (before, after)
        by_chance = _may_be_chance(more.failed, more.finished, less.finished)
    else:
        deviations = rate_deviations(before.failed, before.finished, after.failed, after.finished)
        by_chance = abs(deviations) < RATE_Z
    return FailureRate(
        name=name,
        calls=(before.finished, after.finished),
        failed=(before.failed, after.failed),
        text=(after if rates[0] < rates[1] else before).text,
        by_chance=by_chance,
    )
