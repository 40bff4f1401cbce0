"""Selection of a part of a trace."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from functrace.analysis.request import Flags


@dataclass(frozen=True)
class Selection:
    """Selection of calls by time window and track. Their chains stay complete."""

    since: int | None = None
    """nanoseconds since the start of the trace"""
    until: int | None = None
    tracks: Collection[int] | None = None
    """indices of tracks; None: all"""


EVERYTHING = Selection()


def flags(chosen: Collection[int] | None, count: int) -> Flags | None:
    """Return ``count`` bytes, 1 at each index in ``chosen``; None if ``chosen`` is None."""
    if chosen is None:
        return None
    made = np.zeros(max(count, 1), np.uint8)
    made[[index for index in chosen if 0 <= index < count]] = 1
    return made
