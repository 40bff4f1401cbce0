"""The reference implementation of functrace/_native/reader/listing.h."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from functrace._native.row_types import ERROR, PANIC, ROW
from functrace.analysis.request import Listed, RowFilter


@dataclass
class Row:
    start: int
    duration: int
    suspended: int
    text: int
    text_length: int
    flags: int
    node: int
    function: int
    track: int
    depth: int
    parent: int = -1

    def row(self, kept: list[int]) -> tuple[int, ...]:
        return (
            self.start,
            self.duration,
            self.suspended,
            self.text,
            self.text_length,
            self.flags,
            kept[self.node],
            self.function,
            self.track,
            self.depth,
            self.parent,
            0,
        )


class _Ended:
    """Rows of calls that have ended in one that may be listed and is open."""

    def __init__(self, before: int = 0, *, listed: bool = False) -> None:
        self.listed = listed
        self.rows: list[Row] = []
        """those whose parent it will be"""
        self.before: deque[tuple[Row, bool]] = deque(maxlen=before)
        """those that are listed if a call that is asked for comes next, and whether they count"""
        self.wanted = False
        """whether the call is to be listed for what was in it"""


class Lister:
    """One list of calls.

    Args:
        ask: which calls.
        functions: number of functions.
        usual: returns what 90 % of the calls of a function took at most so far, rounded down.
    """

    def __init__(self, ask: RowFilter, functions: int, usual: Callable[[int], int]) -> None:
        self._ask = ask
        self._usual = usual
        self._rows: list[Row] = []
        self._truncated = False
        self._omitted = [0] * (functions if ask.usual_factor else 0)
        self._candidates = [0] * functions
        self._limits = [0] * functions
        self._open_focused = 0
        self._stack: list[_Ended] = []

    def listed(self, kept: list[int]) -> Listed:
        rows = np.array([row.row(kept) for row in self._rows], ROW)
        return Listed(rows, self._truncated, np.array(self._omitted, np.int64))

    def begin_track(self) -> None:
        self._stack = [_Ended(self._ask.preceding_rows, listed=True)]

    def enter(self, function: int) -> None:
        listed = self._ask.row_of is None or bool(self._ask.row_of[function])
        self._stack.append(_Ended(self._ask.preceding_rows, listed=listed))
        self._open_focused += self._is_focused(function)

    def leave(self, function: int, row: Row | None, *, counts: bool = False) -> None:
        """The innermost call ends. One that is inherited has no row."""
        own = self._stack.pop()
        around = next(ended for ended in reversed(self._stack) if ended.listed)
        self._open_focused -= self._is_focused(function)
        if row and own.listed and row.duration >= self._ask.min_duration:
            self._match(row, counts, own, around)
        around.rows += own.rows
        around.wanted |= own.wanted

    def _match(self, row: Row, counts: bool, own: _Ended, around: _Ended) -> None:
        ask = self._ask
        if row.start + row.duration < ask.match_since or row.start > ask.match_until:
            return
        if self._is_focused(row.function) and not self._open_focused:
            self._list_before(around)
        if self._is_listed(row, own):
            own.wanted = True
            if counts and self._is_unusual(row):
                self._add(row, own)
        else:
            around.before.append((row, counts))

    def _list_before(self, around: _Ended) -> None:
        for row, counts in around.before:
            own = _Ended()
            if counts:
                self._add(row, own)
            around.rows += own.rows
        around.before.clear()

    def _add(self, row: Row, own: _Ended) -> None:
        """The row becomes the parent of its call's own, and what waits for a parent instead."""
        if len(self._rows) >= self._ask.row_limit:
            self._truncated = True
            return
        for inner in own.rows:
            inner.parent = len(self._rows)
        own.rows = [row]
        self._rows.append(row)

    def _is_focused(self, function: int) -> bool:
        return self._ask.focus is not None and bool(self._ask.focus[function])

    def _is_listed(self, row: Row, own: _Ended) -> bool:
        if self._ask.include_callers and own.wanted:
            return True
        if self._ask.focus is not None:
            return self._open_focused > 0 or self._is_focused(row.function)
        return not self._ask.failed_only or bool(row.flags & (ERROR | PANIC))

    def _is_unusual(self, row: Row) -> bool:
        factor, function = self._ask.usual_factor, row.function
        if not factor or len(self._rows) * 2 < self._ask.row_limit:
            return True
        self._candidates[function] += 1
        if self._candidates[function].bit_count() == 1:
            self._limits[function] = factor * self._usual(function)
        if row.duration > self._limits[function]:
            return True
        self._omitted[function] = max(self._omitted[function], row.duration)
        return False
