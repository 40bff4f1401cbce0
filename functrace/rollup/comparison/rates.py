"""Chains that fail more or less often, are called more or less often, appeared or vanished."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import numpy as np

from functrace.analysis.deviations import RATE_Z, rate_deviations
from functrace.rollup.comparison.difference import Difference, Group, Pair
from functrace.rollup.comparison.group_tests import ranks_agree, welch_p
from functrace.rollup.comparison.sides import Side
from functrace.rollup.comparison.unit_figures import Floats

_PRECISION = 0.02
"""of rates, as a share of the rate: so few instances cannot have exactly the same by nature"""
MIN_FAILURE_DIFFERENCE = 0.001
MIN_FAILURE_RATIO = 1.5
MIN_CALLS_RATIO = 1.2
_MIN_CALLER_CALLS = 20
"""A caller with fewer calls in a unit is a loop, and what it calls depends on the load."""
_MIN_EXPECTED = 10.0
"""Absence matters if at least this number of calls was expected: p = 0.00005."""


def find_failures(pair: Pair, chain: int) -> Iterator[Difference]:
    """Yield the difference of the failures per call of a chain."""
    calls, failed = (
        [int(getattr(side.sums, name)[chain]) for side in pair.sides]
        for name in ("calls", "failed")
    )
    if not all(calls) or not any(failed):
        return
    rates = failed[0] / calls[0], failed[1] / calls[1]
    low, high = sorted(rates)
    yield _difference(
        ("fails_less", "fails_more"),
        chain,
        rates,
        Group(*(_unit_rates(s.units.failed[chain], s.units.calls[chain], 1) for s in pair.sides)),
        is_large=high - low >= MIN_FAILURE_DIFFERENCE and high >= MIN_FAILURE_RATIO * low,
        z=rate_deviations(failed[0], calls[0], failed[1], calls[1]),
    )


def find_calls(pair: Pair, chain: int) -> Iterator[Difference]:
    """Yield the difference of the calls of a chain per call of its caller."""
    caller = pair.tree.parents[chain]
    calls = [int(side.sums.calls[chain]) for side in pair.sides]
    if not any(calls):
        return
    trials = [_trials(side, caller) for side in pair.sides]
    if not all(trials):  # the caller appeared or vanished
        return
    rates = calls[0] / trials[0], calls[1] / trials[1]
    if not all(calls):
        yield _presence(pair, chain, caller, rates, trials)
    elif caller >= 0:
        group = Group(
            *(
                _unit_rates(s.units.calls[chain], s.units.calls[caller], _MIN_CALLER_CALLS)
                for s in pair.sides
            )
        )
        if len(group.before) and len(group.after):
            low, high = sorted(rates)
            yield _difference(
                ("called_less", "called_more"),
                chain,
                rates,
                group,
                is_large=high >= MIN_CALLS_RATIO * low,
                z=_poisson_deviations(rates, trials),
            )


def _trials(side: Side, caller: int) -> int:
    """Return the number of calls of a caller, or of units for an outermost function."""
    return int(side.sums.calls[caller]) if caller >= 0 else side.units.unit_count


def _presence(
    pair: Pair, chain: int, caller: int, rates: tuple[float, float], trials: list[int]
) -> Difference:
    """Return the difference of the share of units that have a chain, which one side lacks."""
    present = []
    for side in pair.sides:
        could = side.units.calls[caller] > 0 if caller >= 0 else slice(None)
        present.append((side.units.calls[chain][could] > 0).astype(np.float64))
    expected = max(rates) * trials[0 if rates[1] else 1]
    return _difference(
        ("vanished", "appeared"),
        chain,
        rates,
        Group(*present),
        is_large=True,
        # An outermost function is called once: the units themselves tell.
        z=RATE_Z if expected >= _MIN_EXPECTED or caller < 0 else 0.0,
    )


def _difference(
    kinds: tuple[str, str],
    chain: int,
    rates: tuple[float, float],
    group: Group,
    *,
    is_large: bool,
    z: float,
) -> Difference:
    """Return a difference of the first kind if the rate fell, else of the second."""
    precision = _PRECISION * (rates[0] + rates[1]) / 2
    is_higher = rates[1] > rates[0]
    units_differ, p_value = False, 1.0
    if group.is_enough:
        p_value = welch_p(group.before, group.after, precision)
        has_same_sign = (group.after.mean() > group.before.mean()) == is_higher
        units_differ = bool(has_same_sign) and ranks_agree(group.before, group.after)
    return Difference(
        kind=kinds[is_higher],
        chain=chain,
        is_large=is_large,
        calls_differ=abs(z) >= RATE_Z,
        units_differ=units_differ,
        p_value=p_value,
    )


def _unit_rates(count: Floats, of_count: Floats, min_count: int) -> Floats:
    """Return the rate in each unit with at least this number."""
    known = of_count >= min_count
    rates: Floats = count[known].astype(np.float64) / of_count[known]
    return rates


def _poisson_deviations(rates: tuple[float, float], trials: list[int]) -> float:
    """Return the z-score of the difference of two rates of events that may exceed one."""
    calls = rates[0] * trials[0] + rates[1] * trials[1]
    common = calls / sum(trials)
    return (rates[1] - rates[0]) / sqrt(common * (1 / trials[0] + 1 / trials[1]))
