"""Which part of a trace is looked at."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from functrace.analysis.request import Flags


@dataclass(frozen=True)
class Selection:
    """Calls that overlap a window, of some tracks. Chains are whole all the same."""

    since: int | None = None
    """nanoseconds after the trace's start"""
    until: int | None = None
    tracks: Collection[int] | None = None
    """indices of tracks"""


EVERYTHING = Selection()


def flags(chosen: Collection[int] | None, count: int) -> Flags | None:
    """A byte for each of so many things, 1 where it was chosen; None: no choice was made."""
    if chosen is None:
        return None
    made = np.zeros(max(count, 1), np.uint8)
    made[[index for index in chosen if 0 <= index < count]] = 1
    return made
