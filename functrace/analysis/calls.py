"""Single calls, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from functrace._native.tables import CUT, ERROR, GOEXIT, PANIC, UNFINISHED
from functrace.analysis.chains import Chains
from functrace.analysis.columns import Bools, Columns, Int32s, Int64s
from functrace.analysis.request import Rows
from functrace.trace.reader import Trace


@dataclass(frozen=True, eq=False)
class Calls(Columns):
    """A column for each fact about a call, in the order of their beginnings.

    Times are nanoseconds. node is one of chains; -1 is no call.
    """

    start: Int64s
    start_ticks: Int64s
    """the same in ticks of the trace's clock: exact, whatever these are worth"""
    duration: Int64s
    suspended: Int64s
    """of the duration, how long its track waited"""
    node: Int32s
    function: Int32s
    track: Int32s
    depth: Int32s
    """calls around it on its track, listed or not"""
    parent: Int32s
    """the innermost call around it on its track that is listed"""
    error: Bools
    panic: Bools
    goexit: Bools
    unfinished: Bools
    text_at: Int64s
    """where an error's text is, for Trace.text"""
    text_bytes: Int64s
    text_cut: Bools
    """the recorder kept but the text's beginning"""
    truncated: bool
    """there were more than the limit"""
    chains: Chains
    """of all calls selected, listed or not"""

    def __len__(self) -> int:
        """How many calls are listed."""
        return len(self.start)

    def text(self, call: int) -> str:
        """The text of the call's error or panic; empty where it has none."""
        return self.chains.trace.text(int(self.text_at[call]), int(self.text_bytes[call]))


def calls_of(trace: Trace, rows: Rows, truncated: bool, chains: Chains) -> Calls:
    """Sort, name and convert what a fold yields."""
    order = np.lexsort((rows["depth"], rows["track"], rows["start"]))
    place = np.empty(len(rows) + 1, np.int32)
    place[order] = np.arange(len(rows))
    place[-1] = -1
    sorted_rows = rows[order]
    flags = sorted_rows["flags"]
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
        truncated=truncated,
        chains=chains,
    )
