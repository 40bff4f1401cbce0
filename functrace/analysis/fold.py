"""Fold of a trace's events into call chains and single calls."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from functrace._native.reader import array, engine
from functrace._native.tables import BLOCK, NODE, ROW
from functrace.analysis.calls import Calls, calls_of
from functrace.analysis.chains import Chains, chains_of
from functrace.analysis.damage import damage
from functrace.analysis.request import Counters, Flags, Request, Result
from functrace.analysis.selection import EVERYTHING, Selection, flags
from functrace.analysis.source import source_of
from functrace.tracefile.format import TIME_LIMIT
from functrace.tracefile.reader import Clock, Trace

_NODE_LIMIT = 4_000_000
_ROW_LIMIT = (1 << 31) - 1


@dataclass(frozen=True)
class Listing:
    """Filter for the selected calls that are listed one by one."""

    limit: int = _ROW_LIMIT
    """calls beyond it are left out; Calls.truncated states whether there are any"""
    functions: Collection[int] | None = None
    """indices of the functions whose calls may be listed; None: all"""
    least: int = 0
    """minimum duration in nanoseconds"""
    failed_only: bool = False
    """only calls that returned an error or panicked; without effect if ``asked`` is set"""
    asked: Collection[int] | None = None
    """indices of functions: list only their calls and calls inside these; None: no restriction"""
    around: bool = False
    """whether calls that enclose a listed call are listed too"""
    before: int = 0
    """number of calls just before a call of ``asked`` that are listed too"""
    window: Selection | None = None
    """window whose calls decide what matches; matches are listed if they are in the selection"""


_NO_CALLS = Listing(limit=0)


def fold(
    trace: Trace,
    selection: Selection = EVERYTHING,
    *,
    histograms_of: Collection[int] = (),
    node_limit: int = _NODE_LIMIT,
) -> Chains:
    """Return the tree of call chains of a trace.

    Args:
        trace: the trace to fold.
        selection: the calls that count.
        histograms_of: indices of functions; each of their nodes gets a histogram.
        node_limit: the number of nodes beyond which a new chain is counted as if it began at its
            last function.
    """
    result = _run(_request(trace, selection, _NO_CALLS, histograms_of, node_limit))
    return chains_of(trace, result.nodes, result.blocks, damage(trace, result.counters))


def calls(
    trace: Trace,
    selection: Selection = EVERYTHING,
    listing: Listing | None = None,
    *,
    histograms_of: Collection[int] = (),
    node_limit: int = _NODE_LIMIT,
) -> Calls:
    """Return the listed calls of a trace, and the chains of all selected calls."""
    ask = _request(trace, selection, listing or Listing(), histograms_of, node_limit)
    result = _run(ask)
    chains = chains_of(trace, result.nodes, result.blocks, damage(trace, result.counters))
    return calls_of(trace, result.rows, bool(result.counters.truncated), chains)


def _run(ask: Request) -> Result:
    nodes, blocks, rows, counters = engine().fold(
        ask.source.arguments(),
        array(ask.wanted),
        array(ask.histogram_of),
        array(ask.row_of),
        array(ask.asked),
        ask.since,
        ask.until,
        ask.node_limit,
        ask.row_limit,
        ask.row_duration,
        ask.rows_failed_only,
        ask.rows_around,
        ask.rows_before,
        ask.asked_since,
        ask.asked_until,
    )
    return Result(
        np.frombuffer(nodes, NODE),
        np.frombuffer(blocks, BLOCK),
        np.frombuffer(rows, ROW),
        Counters(*counters),
    )


def _request(
    trace: Trace,
    selection: Selection,
    listing: Listing,
    histograms_of: Collection[int],
    node_limit: int,
) -> Request:
    source, clock = source_of(trace), trace.clock
    functions, tracks = source.function_count, len(source.tracks)
    since, until = _window(selection, clock)
    asked_since, asked_until = _window(listing.window or selection, clock)
    return Request(
        source=source,
        since=since,
        until=until,
        wanted=flags(selection.tracks, tracks),
        histogram_of=flags(histograms_of or None, functions),
        row_of=flags(listing.functions, functions),
        asked=_asked(listing, functions),
        row_limit=min(max(listing.limit, 0), _ROW_LIMIT),
        row_duration=clock.ticks(listing.least),
        rows_failed_only=listing.failed_only,
        rows_around=listing.around,
        rows_before=min(max(listing.before, 0), _ROW_LIMIT),
        asked_since=asked_since,
        asked_until=asked_until,
        node_limit=min(node_limit, _NODE_LIMIT),
    )


def _window(selection: Selection, clock: Clock) -> tuple[int, int]:
    return (
        0 if selection.since is None else clock.ticks(selection.since),
        TIME_LIMIT if selection.until is None else clock.ticks(selection.until),
    )


def _asked(listing: Listing, functions: int) -> Flags | None:
    """Return the flags of ``asked``, without functions whose calls may not be listed."""
    asked, listed = flags(listing.asked, functions), flags(listing.functions, functions)
    return asked if asked is None or listed is None else asked & listed
