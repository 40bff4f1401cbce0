"""Tests of two groups of instances or windows, each with one figure, and of many such tests.

Two tests must agree. The rank test is not misled by a few odd instances, but that of five instances
against five has no p-value below 0.008, which is common among thousands of chains. Welch's t-test
has. Its p-values are the ones that are controlled for the number of tests.
"""

from __future__ import annotations

from math import exp, lgamma, log, sqrt

import numpy as np
import numpy.typing as npt

from functrace.analysis.deviations import RATE_Z, Floats, rank_deviations

FALSE_DISCOVERY_RATE = 0.01
"""Expected share of chance among the differences that are reported as changes."""
_MAX_ITERATIONS = 300
_TINY = 1e-300


def ranks_agree(before: Floats, after: Floats) -> bool:
    """Return whether the rank test finds the groups different, as their means are: p = 0.01."""
    ranked = rank_deviations(*counts_by_value(before, after))
    return abs(ranked) >= RATE_Z and (ranked > 0) == (after.mean() > before.mean())


def counts_by_value(
    before: Floats, after: Floats, weights: tuple[Floats, Floats] | None = None
) -> tuple[Floats, Floats]:
    """Return how often each value occurs on both sides, in the order of the values.

    Args:
        before: values of the first side.
        after: values of the second side.
        weights: how often each of them counts; None: once.
    """
    _, place = np.unique(np.concatenate([before, after]), return_inverse=True)
    size = int(place.max(initial=-1)) + 1
    parts = np.split(place.ravel(), [len(before)])
    first, second = (
        np.bincount(part, weights[side] if weights else None, size).astype(np.float64)
        for side, part in enumerate(parts)
    )
    return first, second


def welch_p(before: Floats, after: Floats, precision: float) -> float:
    """Return the two-sided p-value of Welch's t-test, which is for different variances.

    Args:
        before: a figure for each unit of the first side, two or more.
        after: a figure for each unit of the second side, two or more.
        precision: standard deviation to assume at least, in the unit of the figures: that of their
            measurement. It bounds the p-value of figures that are the same in all units.
    """
    groups = before, after
    parts = [max(float(group.var(ddof=1)), precision**2) / len(group) for group in groups]
    error = sum(parts)
    if error <= 0:
        return float(before[0] == after[0])
    freedom = error**2 / sum(
        part**2 / (len(group) - 1) for part, group in zip(parts, groups, strict=True)
    )
    return student_p((float(after.mean()) - float(before.mean())) / sqrt(error), freedom)


def student_p(t: float, freedom: float) -> float:
    """Return the two-sided p-value of Student's t distribution.

    It is the incomplete beta function of x = f / (f + t²) with a = f / 2 and b = 1/2.
    """
    a, b = freedom / 2, 0.5
    x, rest = freedom / (freedom + t * t), t * t / (freedom + t * t)
    if not x or not rest:
        return float(not rest)
    front = a * log(x) + b * log(rest)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + front)
    if x < (a + 1) / (a + b + 2):
        return min(front * _fraction(x, a, b) / a, 1.0)
    return max(1 - front * _fraction(rest, b, a) / b, 0.0)


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of the incomplete beta function.

    It is evaluated as Lentz did: Press et al., Numerical Recipes, section 6.4.
    """
    c, d = 1.0, 1 / _nonzero(1 - (a + b) * x / (a + 1))
    value = d
    for step in range(1, _MAX_ITERATIONS):
        for factor in (
            step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step)),
            -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1)),
        ):
            d = 1 / _nonzero(1 + factor * d)
            c = _nonzero(1 + factor / c)
            value *= d * c
        if abs(d * c - 1) < 1e-12:
            break
    return value


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def significant(p_values: Floats, rate: float = FALSE_DISCOVERY_RATE) -> npt.NDArray[np.bool_]:
    """Return which of many p-values are significant.

    Of those, at most the given share is expected to be chance: Benjamini and Hochberg, Controlling
    the false discovery rate, 1995.
    """
    ranked = np.sort(p_values)
    passed = np.flatnonzero(ranked <= rate * np.arange(1, len(ranked) + 1) / max(len(ranked), 1))
    return p_values <= ranked[passed[-1]] if len(passed) else np.zeros(len(p_values), np.bool_)
