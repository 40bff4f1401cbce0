"""The arguments of a fold, and its raw results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace.analysis.source import Source

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
class Anomalies:
    """Counts of inconsistencies, and of calls whose entries were overwritten."""

    unknown: int = 0
    orphans: int = 0
    skipped: int = 0
    backwards: int = 0
    differing: int = 0
    lost: int = 0
    hidden: int = 0


@dataclass
class Counters(Anomalies):
    """Anomalies, and the limits that a fold reached."""

    overflow: int = 0
    truncated: int = 0


@dataclass(frozen=True, eq=False)
class Result:
    """Tables of NODE, BLOCK and ROW."""

    nodes: Rows
    blocks: Rows
    rows: Rows
    counters: Counters
