"""Tests that compare the calls of two sides: how unlikely their difference is by chance.

Each returns a z-score: the difference in standard deviations, positive if the second side is
higher. The rank test is that of Mann and Whitney (1947) with the correction for ties, computed
from counts by value (Lehmann, Nonparametrics, 1975, section 1.4).
"""

from __future__ import annotations

from math import sqrt

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DURATION_Z = 3.3
"""A change of durations is significant from this z-score on: p = 0.001."""
RATE_Z = 2.58
"""A change of a rate is significant from this z-score on: p = 0.01."""
MIN_MEDIAN_RATIO = 1.1
"""Medians that are closer than this are the same in practice."""
MIN_TAIL_RATIO = 1.5
"""99th percentiles that are closer than this are the same in practice."""
MIN_DIFFERENCE_NS = 50
"""Tracing itself may cause a difference smaller than this."""


def durations_differ(before: float, after: float, min_ratio: float) -> bool:
    """Return whether two durations in nanoseconds differ by a ratio, and by more than tracing."""
    low, high = sorted((before, after))
    return high >= min_ratio * low and high - low >= MIN_DIFFERENCE_NS


def rank_deviations(first: Floats, second: Floats) -> float:
    """Return the z-score of a rank test.

    Args:
        first: number of items of the first side by value, in the order of the values.
        second: number of items of the second side by the same values.
    """
    n, m = first.sum(), second.sum()
    lower = np.cumsum(first) - first
    wins = (second * (lower + first / 2)).sum()
    both = first + second
    total = n + m
    ties = (both**3 - both).sum() / (total * (total - 1)) if total > 1 else 0.0
    variance = n * m / 12 * (total + 1 - ties)
    return float((wins - n * m / 2) / sqrt(variance)) if variance > 0 else 0.0


def tail_deviations(first: Floats, second: Floats) -> float:
    """Return the z-score of the rate of items beyond the common 98th percentile.

    The arguments are those of `rank_deviations`.
    """
    both = np.cumsum(first + second)
    beyond = np.arange(len(both)) > np.searchsorted(both, 0.98 * both[-1])
    return rate_deviations(first[beyond].sum(), first.sum(), second[beyond].sum(), second.sum())


def rate_deviations(first: float, of_first: float, second: float, of_second: float) -> float:
    """Return the z-score of the difference of the second rate from the first."""
    common = (first + second) / (of_first + of_second)
    variance = common * (1 - common) * (1 / of_first + 1 / of_second)
    return float((second / of_second - first / of_first) / sqrt(variance)) if variance > 0 else 0.0
