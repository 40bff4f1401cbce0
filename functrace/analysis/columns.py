"""Base classes of tables with columns, which pandas.DataFrame and similar types accept."""

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
    """Base of dataclasses some of whose fields are numpy arrays of the same length."""

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return the columns by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]  # subclasses are dataclasses
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


@dataclass(frozen=True, eq=False, kw_only=True)
class Figures(Columns):
    """Figures of the calls of functions or nodes. Times are nanoseconds."""

    calls: Int64s
    total: Int64s
    """inclusive time; for a function, a call nested in a call of the same function counts once"""
    self: Int64s
    """exclusive time: without callees on the same track and without suspended time"""
    suspended: Int64s
    """part of total in which the track was suspended"""
    min: Int64s
    """min of finished calls; max and percentiles also cover only finished calls"""
    max: Int64s
    errors: Int64s
    panics: Int64s
    unfinished: Int64s
    partial: Int64s
    """calls whose chains lack callers, because what was known of these was overwritten"""

    @property
    def finished(self) -> Bools:
        """Mask of items with at least one finished call."""
        return self.calls > self.unfinished


SUMS = ("calls", "total", "self", "suspended", "errors", "panics", "unfinished", "partial")
"""names of the figures that can be summed"""


@dataclass(frozen=True, eq=False, kw_only=True)
class Tree(Figures):
    """Columns of nodes, each a function with its callers. Parents precede their children."""

    parent: Int32s
    function: Int32s
    started: Bools
    """whether it runs on another track than its parent, which started that track"""
    recursive: Bools
    """whether its function is also one of its callers; a function's total omits such nodes"""

    def __len__(self) -> int:
        """Return the number of nodes."""
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
    """Return the lowest item of each group, or 0 for an empty group."""
    found = np.full(count, _HIGHEST)
    np.minimum.at(found, groups, column)
    return np.where(found < _HIGHEST, found, 0)


def highest(column: Int64s, groups: npt.NDArray[Any], count: int) -> Int64s:
    """Return the highest item of each group, at least 0."""
    found = np.zeros(count, np.int64)
    np.maximum.at(found, groups, column)
    return found
