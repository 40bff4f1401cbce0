"""Grouping and matching of rows by several integer columns at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from functrace.analysis.columns import Bools, Int64s

_Keys = tuple[npt.NDArray[Any], ...]


def group(*columns: npt.NDArray[Any]) -> Int64s:
    """Return a number for each row; rows have the same one if they are equal in all columns."""
    order = np.lexsort(columns)
    is_new = np.zeros(len(order), np.bool_)
    for column in columns:
        ordered = column[order]
        is_new[1:] |= ordered[1:] != ordered[:-1]
    groups = np.empty(len(order), np.int64)
    groups[order] = np.cumsum(is_new)
    return groups


def group_sizes(groups: Int64s, chosen: Bools) -> Int64s:
    """Return for each row how many chosen rows its group has."""
    counts = np.bincount(groups[chosen], minlength=int(groups.max(initial=0)) + 1)
    sizes: Int64s = counts[groups]
    return sizes


def find_unique(groups: Int64s, wanted: Bools, offered: Bools) -> Int64s:
    """Return for each wanted row the offered row of its group.

    It is -1 for rows that are not wanted, and for groups with none or several offered rows.
    """
    found = np.full(len(groups), -1, np.int64)
    count = int(groups.max(initial=0)) + 1
    of_group = np.full(count, -1, np.int64)
    of_group[groups[offered]] = np.flatnonzero(offered)
    of_group[np.bincount(groups[offered], minlength=count) != 1] = -1
    found[wanted] = of_group[groups[wanted]]
    return found


def sums_before(
    keys: _Keys, values: Int64s, weights: Int64s, asked: tuple[_Keys, Int64s], *, inclusive: bool
) -> Int64s:
    """Return for each asked row the sum of weights of the rows with its keys and lower values.

    Args:
        keys: columns of the rows that are summed.
        values: a value of each of these rows.
        weights: what is summed.
        asked: the same keys and a value for each sum that is asked for.
        inclusive: whether rows with an equal value count.
    """
    asked_keys, asked_values = asked
    rows, count = len(values), len(asked_values)
    is_asked = np.repeat([False, True], [rows, count])
    joined = [np.concatenate(pair) for pair in zip(keys, asked_keys, strict=True)]
    groups = group(*joined)
    place = is_asked if inclusive else ~is_asked
    order = np.lexsort((place, np.concatenate([values, asked_values]), groups))
    sums = np.cumsum(np.concatenate([weights, np.zeros(count, np.int64)])[order])
    ordered = groups[order]
    first = np.searchsorted(ordered, ordered)
    before = np.concatenate([[0], sums])[first]
    found = np.empty(rows + count, np.int64)
    found[order] = sums - before
    result: Int64s = found[rows:]
    return result
