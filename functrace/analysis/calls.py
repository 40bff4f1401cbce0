"""Columns of single calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from functrace._native.row_types import CUT, ERROR, GOEXIT, PANIC, UNFINISHED
from functrace.analysis.chains import Chains
from functrace.analysis.columns import Bools, Columns, Int32s, Int64s
from functrace.analysis.request import Listed
from functrace.tracefile.reader import Trace


@dataclass(frozen=True, eq=False)
class Calls(Columns):
    """Columns of single calls, sorted by start.

    Times are nanoseconds. ``node`` is an index into ``chains``. -1 means no call.
    """

    start: Int64s
    start_ticks: Int64s
    """start in ticks of the trace's clock, without rounding"""
    duration: Int64s
    suspended: Int64s
    """part of the duration in which its track was suspended"""
    node: Int32s
    function: Int32s
    track: Int32s
    depth: Int32s
    """number of enclosing calls on its track, listed or not"""
    parent: Int32s
    """innermost enclosing call on its track that is listed"""
    error: Bools
    panic: Bools
    goexit: Bools
    unfinished: Bools
    text_at: Int64s
    """position of the error's text, for Trace.text"""
    text_bytes: Int64s
    text_cut: Bools
    """whether the recorder kept only the beginning of the text"""
    truncated: bool
    """whether the limit left calls out"""
    omitted: dict[int, int]
    """duration of the longest call that Listing.usual_factor left out, by function"""
    chains: Chains
    """chains of all selected calls, listed or not"""

    def __len__(self) -> int:
        """Return the number of listed calls."""
        return len(self.start)

    def only(self, chosen: Bools) -> Calls:
        """Return the chosen calls. Those whose parent is not chosen have none."""
        place = np.append(np.where(chosen, np.cumsum(chosen) - 1, -1), -1).astype(np.int32)
        columns: dict[str, Any] = {name: column[chosen] for name, column in self.columns().items()}
        columns["parent"] = place[columns["parent"]]
        return replace(self, **columns)

    def text(self, call: int) -> str:
        """Return the text of the call's error or panic, or an empty string."""
        return self.chains.trace.text(int(self.text_at[call]), int(self.text_bytes[call]))


def calls_of(trace: Trace, listed: Listed, chains: Chains) -> Calls:
    """Sort the raw rows of a fold and convert them to columns."""
    rows = listed.rows
    # Rows come in the order of their ends. Calls at the same tick are sorted outer calls first.
    # Those without a caller keep their order: inherited calls, without rows, may enclose them.
    depth = np.where(rows["parent"] < 0, 0, rows["depth"])
    order = np.lexsort((depth, rows["track"], rows["start"]))
    place = np.empty(len(rows) + 1, np.int32)
    place[order] = np.arange(len(rows))
    place[-1] = -1
    sorted_rows = rows[order]
    flags = sorted_rows["flags"]
    left_out = np.flatnonzero(listed.omitted)
    longest = trace.clock.nanoseconds(listed.omitted[left_out])
    return Calls(
        start=trace.clock.nanoseconds(sorted_rows["start"]),
        start_ticks=sorted_rows["start"].copy(),
        duration=trace.clock.nanoseconds(sorted_rows["duration"]),
        suspended=trace.clock.nanoseconds(sorted_rows["suspended"]),
        node=sorted_rows["node"].copy(),
        function=sorted_rows["function"].copy(),
        track=sorted_rows["track"].copy(),
        depth=sorted_rows["depth"].copy(),
        parent=place[sorted_rows["parent"]],
        error=(flags & ERROR) > 0,
        panic=(flags & PANIC) > 0,
        goexit=(flags & GOEXIT) > 0,
        unfinished=(flags & UNFINISHED) > 0,
        text_at=sorted_rows["text"].copy(),
        text_bytes=sorted_rows["text_length"].astype(np.int64),
        text_cut=(flags & CUT) > 0,
        truncated=listed.truncated,
        omitted=dict(zip(left_out.tolist(), longest.tolist(), strict=True)),
        chains=chains,
    )
