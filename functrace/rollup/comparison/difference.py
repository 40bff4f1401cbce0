"""Difference between the two sides of a comparison."""

from __future__ import annotations

from dataclasses import dataclass

from functrace.rollup.comparison.sides import ChainTree, Side
from functrace.rollup.comparison.unit_figures import Floats

MIN_UNITS = 5
"""Each side must have this number of instances, or else of windows, with figures of a chain."""
KINDS = (
    "appeared",
    "vanished",
    "slower",
    "faster",
    "fails_more",
    "fails_less",
    "called_more",
    "called_less",
)


@dataclass(frozen=True)
class Difference:
    """Difference of a chain of one kind, with what the tests say of it."""

    kind: str
    """one of KINDS"""
    chain: int
    is_large: bool
    """whether it exceeds the minimal effect of its kind"""
    calls_differ: bool
    """whether single calls differ beyond chance"""
    units_differ: bool
    """whether the rank test finds that the units differ"""
    p_value: float
    """of the t-test of the units, not corrected for the number of tests; 1 with too few units"""
    is_self: bool = False
    """whether it is about self time"""

    @property
    def is_candidate(self) -> bool:
        """Whether it is a change if units differ beyond chance."""
        return self.is_large and self.calls_differ


@dataclass(frozen=True, eq=False)
class Pair:
    """Both sides, with the speed of each unit.

    Attributes:
        tree: chains of both sides.
        sides: figures before and after.
        speeds: logarithm of how long each unit of a side takes for the same work, relative to all.
        log_ratio: the same of the second side, relative to the first.
    """

    tree: ChainTree
    sides: tuple[Side, Side]
    speeds: tuple[Floats, Floats]
    log_ratio: float


@dataclass(frozen=True, eq=False)
class Group:
    """A figure for each unit of both sides that has one."""

    before: Floats
    after: Floats

    @property
    def is_enough(self) -> bool:
        """Whether there are enough units to tell a change from chance."""
        return min(len(self.before), len(self.after)) >= MIN_UNITS
