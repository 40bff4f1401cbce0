"""Numbers per chain over several windows."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace.tracefile.scan import Rows

Floats = npt.NDArray[np.float64]


def grown(array: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    """Return an array with at least ``count`` elements; new ones are 0."""
    if len(array) >= count:
        return array
    return np.concatenate([array, np.zeros(count - len(array), array.dtype)])


class Sums:
    """Calls and failures per chain: of the last few windows, and of those before.

    What lies further back counts less: after ``past`` windows about a third.
    """

    def __init__(self, recent: int, past: int) -> None:
        self.calls, self.failed = np.zeros(0), np.zeros(0)
        self.past_calls, self.past_failed = np.zeros(0), np.zeros(0)
        self.past_windows = 0.0
        """number of windows in the past, each with the weight of its calls"""
        self._recent = recent
        self._decay = 1 - 1 / max(past, 1)
        self._windows: deque[Rows] = deque()

    def add(self, rows: Rows, count: int) -> None:
        """Add the rows of a window of a process with ``count`` chains."""
        for name in ("calls", "failed", "past_calls", "past_failed"):
            setattr(self, name, grown(getattr(self, name), count))
        self._windows.append(rows[["chain", "calls", "failed"]].copy())
        _add(self.calls, self.failed, rows, 1)
        if len(self._windows) > self._recent:
            old = self._windows.popleft()
            _add(self.calls, self.failed, old, -1)
            self.past_calls *= self._decay
            self.past_failed *= self._decay
            self.past_windows = self.past_windows * self._decay + 1
            _add(self.past_calls, self.past_failed, old, 1)


def _add(calls: Floats, failed: Floats, rows: Rows, sign: int) -> None:
    np.add.at(calls, rows["chain"], sign * rows["calls"])
    np.add.at(failed, rows["chain"], sign * rows["failed"])
