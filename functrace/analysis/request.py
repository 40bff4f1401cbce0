"""What a fold is asked for, and its raw results: the seam between the driver and both twins."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace.analysis.source import Source
from functrace.analysis.track_walk import Oddities

Rows = npt.NDArray[Any]
Flags = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Request:
    """Everything that a fold takes into account. Times are ticks after the trace's start."""

    source: Source
    since: int
    until: int
    wanted: Flags | None
    """by track: whether its calls count; None: all do"""
    histogram_of: Flags | None
    """by function: whether each of its nodes has a histogram"""
    row_of: Flags | None
    """by function: whether its calls may be listed; None: all may"""
    asked: Flags | None
    """by function: only calls in or around one of these are listed; None: that does not matter"""
    row_limit: int
    row_duration: int
    rows_failed_only: bool
    rows_around: bool
    """a call around one that is listed is listed, too"""
    rows_before: int
    """so many are listed just before one of asked"""
    asked_since: int
    """rows are decided on by the calls that overlap this window; those in since to until come"""
    asked_until: int
    node_limit: int


@dataclass
class Counters(Oddities):
    """What a fold met that could not be as it is."""

    overflow: int = 0
    truncated: int = 0


COUNTERS = tuple(field.name for field in fields(Counters))


@dataclass(frozen=True, eq=False)
class Result:
    """Tables of NODE, BLOCK and ROW."""

    nodes: Rows
    blocks: Rows
    rows: Rows
    counters: Counters
