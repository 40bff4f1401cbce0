"""Comparison of two sets of runs that separates changes from chance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from functrace.analysis.chains import Chains
from functrace.analysis.histograms import Floats, Histogram, joined
from functrace.analysis.side import Chain, Known, Measured, Side

# Standard deviations that one function in a thousand exceeds by chance alone.
_SURE = 3.3
# The same for failure rates: one function in a hundred.
_LIKELY = 2.58
# Fewer calls are not enough to compare durations.
_LEAST_CALLS = 20
# Smaller ratios of medians and of 99th percentiles count as chance even if they are
# significant, and so do differences that tracing itself may cause.
_LEAST_OF_MEDIAN = 1.1
_LEAST_OF_TAIL = 1.5
_LEAST_NS = 50
# An absence is significant if this many calls were expected: by chance, one in twenty.
_EXPECTED = 3.0


@dataclass(frozen=True)
class Presence:
    """Function or chain that occurs on one side only."""

    chain: Chain
    """most frequent chain of the function, or the new chain"""
    is_function: bool
    calls: int
    total: int
    below: int
    """number of functions below it, on chains that the other side lacks too"""
    by_chance: bool


@dataclass(frozen=True)
class Timing:
    """Durations of a function's calls on both sides, in nanoseconds."""

    name: str
    calls: tuple[int, int]
    p50: tuple[int, int]
    p99: tuple[int, int]
    added: int
    """additional time of all calls on the second side together"""
    added_itself: int
    """exclusive part of ``added``"""
    deviations: float
    """standard deviations from no difference; negative: faster"""
    by_chance: bool


@dataclass(frozen=True)
class Failing:
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
    fails_more: list[Failing]
    fails_less: list[Failing]


def compare(before: Sequence[Chains], after: Sequence[Chains]) -> Comparison:
    """Return the differences of the traces ``after`` from those ``before``."""
    known = Known()
    old, new = Side(known, before), Side(known, after)
    both = sorted(old.functions.keys() & new.functions.keys())
    timings = [found for name in both if (found := _timing(name, old, new))]
    failings = [each for name in both if (each := _failing(name, old, new))]
    return Comparison(
        appeared=_only_in(new, old),
        vanished=_only_in(old, new),
        slower=_by_weight([each for each in timings if each.deviations > 0]),
        faster=_by_weight([each for each in timings if each.deviations < 0]),
        fails_more=_by_excess([each for each in failings if each.rates[0] < each.rates[1]]),
        fails_less=_by_excess([each for each in failings if each.rates[0] > each.rates[1]]),
    )


def _by_weight(timings: list[Timing]) -> list[Timing]:
    """Sort by exclusive time, so that functions come before callers that only wait for them."""
    return sorted(timings, key=lambda t: (-abs(t.added_itself), -abs(t.added), t.name))


def _by_excess(failings: list[Failing]) -> list[Failing]:
    def excess(failing: Failing) -> float:
        before, after = failing.rates
        return abs(after - before) * max(failing.calls)

    return sorted(failings, key=lambda failing: (-excess(failing), failing.name))


def _only_in(side: Side, other: Side) -> list[Presence]:
    """Return the functions that ``other`` lacks, and the first new step of other new chains."""
    new = {chain: None for chain in side.chains if chain not in other.chains}
    told = [chain for chain in _busiest(side, other) if _known_above(chain, other)]
    told += [c for c in new if c.parent not in new and c.name in other.functions]
    below = _below(new, set(told))
    found = [_presence(chain, len(below[chain]), side, other) for chain in told]
    return sorted(found, key=lambda p: (not p.is_function, -p.total, -p.calls, p.chain.names))


def _busiest(side: Side, other: Side) -> Iterator[Chain]:
    """Yield the most frequent chain of each function that ``other`` lacks."""
    for name, measured in side.functions.items():
        if name not in other.functions and measured.chain:
            yield measured.chain


def _known_above(chain: Chain, other: Side) -> bool:
    return chain.parent is None or chain.parent.name in other.functions


def _below(new: Iterable[Chain], told: set[Chain]) -> dict[Chain, set[str]]:
    """Return the functions on new chains below each of ``told``. In ``new``, parents come first."""
    below: dict[Chain, set[str]] = {chain: set() for chain in told}
    owner: dict[Chain | None, Chain] = {}
    for chain in new:
        if chain in told:
            owner[chain] = chain
        elif chain.parent in owner:
            owner[chain] = owner[chain.parent]
            below[owner[chain]].add(chain.name)
    return below


def _presence(chain: Chain, below: int, side: Side, other: Side) -> Presence:
    is_function = chain.name not in other.functions
    counted = side.functions[chain.name] if is_function else side.chains[chain]
    first = chain
    while first.parent and first.parent not in other.chains:
        first = first.parent
    by_chance = _seldom(side.chains[first].calls, side.occasions(first), other.occasions(first))
    return Presence(chain, is_function, counted.calls, counted.total, below, by_chance)


def _seldom(count: int, occasions: int, others: int) -> bool:
    """Return whether ``count`` in ``occasions``, but none in ``others``, may be due to chance."""
    return count < occasions / 2 and count * others < _EXPECTED * occasions


def _timing(name: str, old: Side, new: Side) -> Timing | None:
    before, after = old.functions[name], new.functions[name]
    if not before.finished or not after.finished:
        return None
    histograms = before.histogram, after.histogram
    p50, p99 = ((before.percentile(p), after.percentile(p)) for p in (50, 99))
    middle, tail = _deviations(*histograms), _tail_deviations(*histograms)
    in_middle = abs(middle) >= _SURE and _differ(p50, _LEAST_OF_MEDIAN)
    in_tail = abs(tail) >= _SURE and _differ(p99, _LEAST_OF_TAIL)
    deviations = middle if in_middle or not in_tail else tail
    if not deviations:
        return None
    enough = min(before.finished, after.finished) >= _LEAST_CALLS
    added = round((after.total / after.calls - before.total / before.calls) * after.calls)
    agreed = added * deviations > 0 and _runs_agree(before, after, deviations)
    return Timing(
        name=name,
        calls=(before.calls, after.calls),
        p50=p50,
        p99=p99,
        added=added,
        added_itself=round((after.self / after.calls - before.self / before.calls) * after.calls),
        deviations=deviations,
        by_chance=not (enough and agreed and (in_middle or in_tail)),
    )


def _differ(pair: tuple[int, int], least: float) -> bool:
    low, high = sorted(pair)
    return high >= least * low and high - low >= _LEAST_NS


def _deviations(before: Histogram, after: Histogram) -> float:
    """Return the z-score of a Mann-Whitney test; positive: slower."""
    first, second = _counts(before, after)
    n, m = first.sum(), second.sum()
    lower = np.cumsum(first) - first
    wins = (second * (lower + first / 2)).sum()
    both = first + second
    total = n + m
    ties = (both**3 - both).sum() / (total * (total - 1)) if total > 1 else 0.0
    variance = n * m / 12 * (total + 1 - ties)
    return float((wins - n * m / 2) / sqrt(variance)) if variance > 0 else 0.0


def _tail_deviations(before: Histogram, after: Histogram) -> float:
    """Return the z-score of the change in the rate of calls beyond the common 98th percentile."""
    first, second = _counts(before, after)
    both = np.cumsum(first + second)
    beyond = np.arange(len(both)) > np.searchsorted(both, 0.98 * both[-1])
    return _rates(first[beyond].sum(), first.sum(), second[beyond].sum(), second.sum())


def _counts(before: Histogram, after: Histogram) -> tuple[Floats, Floats]:
    """Return both counts in common buckets, since buckets differ slightly between clocks."""
    whole = joined([before, after])
    middles = np.unique((whole.low + whole.high) // 2)
    counts = []
    for histogram in (before, after):
        place = np.searchsorted(middles, (histogram.low + histogram.high) // 2)
        counts.append(np.bincount(place, histogram.count, len(middles)).astype(np.float64))
    return counts[0], counts[1]


def _runs_agree(before: Measured, after: Measured, deviations: float) -> bool:
    """Return whether all medians of one side are below all of the other, or each has one run."""
    low, high = (before, after) if deviations > 0 else (after, before)
    return max(low.medians) < min(high.medians) or len(low.medians) == len(high.medians) == 1


def _failing(name: str, old: Side, new: Side) -> Failing | None:
    before, after = old.functions[name], new.functions[name]
    if not before.finished or not after.finished or not before.failed + after.failed:
        return None
    rates = before.failed / before.finished, after.failed / after.finished
    if rates[0] == rates[1]:
        return None
    if min(before.failed, after.failed) == 0:
        more, less = (after, before) if after.failed else (before, after)
        by_chance = _seldom(more.failed, more.finished, less.finished)
    else:
        deviations = _rates(before.failed, before.finished, after.failed, after.finished)
        by_chance = abs(deviations) < _LIKELY
    return Failing(
        name=name,
        calls=(before.finished, after.finished),
        failed=(before.failed, after.failed),
        text=(after if rates[0] < rates[1] else before).text,
        by_chance=by_chance,
    )


def _rates(first: float, of_first: float, second: float, of_second: float) -> float:
    """Return the difference of the second rate from the first, in standard deviations."""
    common = (first + second) / (of_first + of_second)
    variance = common * (1 - common) * (1 / of_first + 1 / of_second)
    return float((second / of_second - first / of_first) / sqrt(variance)) if variance > 0 else 0.0
