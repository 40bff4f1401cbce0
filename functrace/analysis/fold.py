"""Fold the events of a trace into chains and calls."""

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
from functrace.trace.format import TIME_LIMIT
from functrace.trace.reader import Clock, Trace

_NODE_LIMIT = 4_000_000
_ROW_LIMIT = (1 << 31) - 1


@dataclass(frozen=True)
class Listing:
    """Which of the calls selected are listed one by one."""

    limit: int = 1_000_000
    functions: Collection[int] | None = None
    """indices of functions; None: all"""
    least: int = 0
    """nanoseconds that a call took"""
    failed_only: bool = False
    """only those that returned an error or panicked"""
    asked: Collection[int] | None = None
    """indices of functions; only their calls, and those in them; None: that does not matter"""
    around: bool = False
    """also the calls around those that are listed"""
    before: int = 0
    """also so many calls just before a call of asked"""
    window: Selection | None = None
    """decide on the calls that overlap another window, and list those that the selection has"""


_NO_CALLS = Listing(limit=0)


def fold(
    trace: Trace,
    selection: Selection = EVERYTHING,
    *,
    histograms_of: Collection[int] = (),
    node_limit: int = _NODE_LIMIT,
) -> Chains:
    """The tree of the chains of a trace's calls.

    histograms_of: functions, by index, each of whose nodes gets a histogram. node_limit: beyond so
    many nodes, a chain that is new is counted as if it began at its last function.
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
    """Single calls of a trace, and the chains of all those that were selected."""
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
    """A call that may not be listed cannot be asked for."""
    asked, listed = flags(listing.asked, functions), flags(listing.functions, functions)
    return asked if asked is None or listed is None else asked & listed
