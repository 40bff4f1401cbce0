"""Join of outbound calls to the inbound calls of the same process that they belong to.

An inbound call counts only while it is open. By context: the recorder wrote its number, from the
context that the program passed on. By ancestry: the tracks that were started inside it lead to the
outbound call.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from functrace.analysis.request import Rows
from functrace.tracefile.format import INBOUND, OUTBOUND
from functrace.tracefile.requests import BY_ANCESTRY, BY_CONTEXT, NO_JOIN

_Int32s = npt.NDArray[np.int32]


def join_calls(rows: Rows, *, has_all_calls: bool) -> tuple[_Int32s, npt.NDArray[np.uint8]]:
    """Return the row of each outbound call's inbound call, or -1, and how it is known.

    Args:
        rows: rows of REQUEST.
        has_all_calls: whether the trace has the short calls of a track too; else ancestry is not
            relied on, since a worker's second job may look like its first.
    """
    is_outbound = rows["direction"] == OUTBOUND
    by_context = np.where(is_outbound, _rows_of(rows, rows["inbound"]), -1)
    is_asked = is_outbound & (rows["inbound"] == 0) & has_all_calls
    by_ancestry = np.where(is_asked, rows["ancestor"], -1)
    found = np.where(by_context >= 0, by_context, by_ancestry).astype(np.int32)
    is_open = (
        (found >= 0)
        & (rows["start"][found] <= rows["start"])
        & (rows["start"] <= rows["end"][found])
    )
    how = np.where(by_context >= 0, BY_CONTEXT, BY_ANCESTRY)
    return np.where(is_open, found, -1), np.where(is_open, how, NO_JOIN).astype(np.uint8)


def _rows_of(rows: Rows, numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Return the row of the inbound call with each number; -1 if there are none or several."""
    inbound = np.flatnonzero(rows["direction"] == INBOUND)
    known, first, counts = np.unique(rows["number"][inbound], return_index=True, return_counts=True)
    known, row = known[counts == 1], inbound[first[counts == 1]]
    if not len(known):
        return np.full(len(numbers), -1)
    place = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    return np.where(known[place] == numbers, row[place], -1)
