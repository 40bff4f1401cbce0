"""Arguments and raw results of the C code that folds calls into chains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace.analysis.track_words import Source

Rows = npt.NDArray[Any]
Flags = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class RowFilter:
    """Filter for the calls that become rows of one table. Times are ticks, as in Request."""

    row_of: Flags | None
    """whether a function's calls may be listed, by function; None: all may"""
    focus: Flags | None
    """functions of which only calls and calls inside them are listed; None: no restriction"""
    row_limit: int
    min_duration: int
    failed_only: bool
    include_callers: bool
    """whether calls that enclose a listed call are listed too"""
    preceding_rows: int
    """number of calls just before a call of ``focus`` that are listed too"""
    match_since: int
    """start of the window of the calls to match; only those in since..until are listed"""
    match_until: int
    usual_factor: int
    """once half of the limit is reached, only calls are listed that took this many times the 90th
    percentile of the calls of their function so far; 0: all are"""


@dataclass(frozen=True, eq=False)
class Request:
    """Arguments of a fold. Times are ticks since the start of the trace."""

    source: Source
    since: int
    until: int
    selected_tracks: Flags | None
    """whether a track's calls count, by track; None: all do"""
    histogram_of: Flags | None
    """whether each node of a function gets a histogram, by function"""
    direction_of: Flags | None
    """direction of the requests of a function, or 0; None: requests are not listed"""
    origin_numbers: npt.NDArray[np.uint64] | None
    """numbers of the inbound calls with an origin, in ascending order"""
    origin_ids: npt.NDArray[np.uint32] | None
    """origins of these"""
    node_limit: int
    starts_are_observed: bool
    """whether tracks start when they are made, not with their first event"""
    listings: tuple[RowFilter, ...] = ()
    """each is answered with a table of rows"""
    bounds: npt.NDArray[np.int64] | None = None
    """ends of windows in ticks: a node has a child for each window in which calls of it ended, with
    their figures, and calls that ended in no window do not count; None: there are no windows"""
    ns_per_tick: float = 1.0
    """with `bounds`, histograms are of nanoseconds"""


@dataclass
class Anomalies:
    """Counts of inconsistencies and of hidden calls."""

    unknown: int = 0
    orphans: int = 0
    skipped: int = 0
    backwards: int = 0
    differing: int = 0
    lost: int = 0
    hidden: int = 0


@dataclass
class Counters(Anomalies):
    """Counts of anomalies and of the limits that a fold reached."""

    overflow: int = 0
    invalid_requests: int = 0


@dataclass(frozen=True, eq=False)
class Listed:
    """Raw rows of ROW that match a filter."""

    rows: Rows
    truncated: bool
    """whether the limit left calls out"""
    omitted: npt.NDArray[np.int64]
    """by function: ticks of the longest call that ``usual_factor`` left out; empty without one"""


@dataclass(frozen=True, eq=False)
class Result:
    """Raw results of a fold: tables of NODE, BLOCK, NODE_ORIGIN and REQUEST, and counters."""

    nodes: Rows
    blocks: Rows
    listed: tuple[Listed, ...]
    """by listing"""
    origins: Rows
    requests: Rows
    counters: Counters
