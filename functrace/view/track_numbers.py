"""Numbers of the tracks of several traces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from functrace.analysis.columns import Int64s
from functrace.tracefile import Trace


class TrackNumbers:
    """A number for each track of all traces.

    Args:
        traces: the traces.
        before: numbers of an earlier copy of the same traces: its tracks keep theirs, although
            others before them may have been overwritten.
    """

    def __init__(self, traces: Sequence[Trace], before: TrackNumbers | None = None) -> None:
        self._ids = [trace.tracks.id for trace in traces]
        self._next: int = before._next if before else 0
        self._numbers = [self._number(index, before) for index in range(len(traces))]
        all_numbers = np.concatenate(self._numbers)
        self._first = np.cumsum([0, *map(len, self._numbers)])
        self._order = np.argsort(all_numbers, kind="stable")
        self._sorted = all_numbers[self._order]

    def _number(self, trace: int, before: TrackNumbers | None) -> Int64s:
        ids = self._ids[trace]
        numbers = np.full(len(ids), -1, np.int64)
        if before:
            known = dict(
                zip(before._ids[trace].tolist(), before._numbers[trace].tolist(), strict=True)
            )
            numbers = np.array([known.get(each, -1) for each in ids.tolist()], np.int64)
        is_new = numbers < 0
        count = int(is_new.sum())
        numbers[is_new] = np.arange(self._next, self._next + count)
        self._next += count
        return numbers

    def number(self, trace: int, track: int) -> int:
        """Return the number of the track with this index in its trace."""
        return int(self._numbers[trace][track])

    def place(self, number: int) -> tuple[int, int] | None:
        """Return the trace of a track and its index there; None if there is no such track."""
        at = int(np.searchsorted(self._sorted, number))
        if at == len(self._sorted) or self._sorted[at] != number:
            return None
        found = int(self._order[at])
        trace = int(np.searchsorted(self._first, found, "right")) - 1
        return trace, found - int(self._first[trace])
