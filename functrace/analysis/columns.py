"""What has columns, as pandas.DataFrame and its like take it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

_HIGHEST = np.iinfo(np.int64).max


class Columns:
    """A dataclass some of whose fields are numpy arrays of the same length."""

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """The columns by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]  # subclasses are dataclasses
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


@dataclass(frozen=True, eq=False, kw_only=True)
class Figures(Columns):
    """What is known of the calls of functions, or of nodes. Times are nanoseconds."""

    calls: Int64s
    total: Int64s
    """of a function: a call inside a call of the same function is not counted twice"""
    self: Int64s
    """total without what was called on the same track, and without what its track waited"""
    suspended: Int64s
    """of total, how long the track waited"""
    min: Int64s
    """of calls that have ended, as are max and percentiles"""
    max: Int64s
    errors: Int64s
    panics: Int64s
    unfinished: Int64s

    @property
    def finished(self) -> Bools:
        """Where there are calls that have ended."""
        return self.calls > self.unfinished


SUMS = ("calls", "total", "self", "suspended", "errors", "panics", "unfinished")
"""the figures that add up"""


@dataclass(frozen=True, eq=False, kw_only=True)
class Tree(Figures):
    """Nodes, each a function with everything above it; a parent comes before its children."""

    parent: Int32s
    function: Int32s
    started: Bools
    """its track is another than its parent's, which started it"""
    recursive: Bools
    """its function is on the chain above it, too: a function's total is that of the others"""

    def __len__(self) -> int:
        """How many nodes there are."""
        return len(self.parent)


def summed(column: Int64s, groups: npt.NDArray[Any], count: int) -> Int64s:
    """Return the sum of each of ``count`` groups, at most the largest int64.

    Args:
        column: items, none negative.
        groups: the group of each item.
    """
    sums = np.zeros(count, np.int64)
    np.add.at(sums, groups, column)
    if len(column) and int(column.max()) > _HIGHEST // len(column):
        sums[np.bincount(groups, column, count) >= float(_HIGHEST)] = _HIGHEST
    return sums


def added(first: Int64s, second: Int64s) -> Int64s:
    """Return the sum of two columns without negative items, at most the largest int64."""
    return first + np.minimum(second, _HIGHEST - first)


def lowest(column: Int64s, groups: npt.NDArray[Any], count: int) -> Int64s:
    """The lowest item of each group, 0 where there is none."""
    found = np.full(count, _HIGHEST)
    np.minimum.at(found, groups, column)
    return np.where(found < _HIGHEST, found, 0)


def highest(column: Int64s, groups: npt.NDArray[Any], count: int) -> Int64s:
    """The highest item of each group, 0 where there is none above."""
    found = np.zeros(count, np.int64)
    np.maximum.at(found, groups, column)
    return found
