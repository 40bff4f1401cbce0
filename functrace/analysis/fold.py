"""Fold of a trace's events into call chains and single calls."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from functrace._native.engine import array, engine
from functrace._native.row_types import BLOCK, NODE, NODE_ORIGIN, REQUEST, ROW
from functrace.analysis.calls import Calls, calls_of
from functrace.analysis.chains import Chains, chains_of
from functrace.analysis.columns import Int32s, Int64s
from functrace.analysis.damage import damage
from functrace.analysis.origins import Origins
from functrace.analysis.request import Counters, Flags, Listed, Request, Result, RowFilter, Rows
from functrace.analysis.request_rows import requests_of
from functrace.analysis.selection import EVERYTHING, Selection, flags
from functrace.analysis.track_words import source_of
from functrace.tracefile.format import TIME_LIMIT
from functrace.tracefile.reader import Clock, Trace
from functrace.tracefile.requests import Requests

_NODE_LIMIT = 4_000_000
_ROW_LIMIT = (1 << 31) - 1


@dataclass(frozen=True)
class Listing:
    """Filter for the selected calls that are listed one by one."""

    limit: int = _ROW_LIMIT
    """calls beyond it are left out; Calls.truncated states whether there are any"""
    functions: Collection[int] | None = None
    """indices of the functions whose calls may be listed; None: all"""
    min_duration_ns: int = 0
    failed_only: bool = False
    """only calls that returned an error or panicked; without effect if ``focus`` is set"""
    focus: Collection[int] | None = None
    """indices of functions: list only their calls and calls inside these; None: no restriction"""
    include_callers: bool = False
    """whether calls that enclose a listed call are listed too"""
    preceding_calls: int = 0
    """number of calls just before a call of ``focus`` that are listed too"""
    window: Selection | None = None
    """window of the calls to match; None: the selection. Only calls in the selection are listed"""
    usual_factor: int = 0
    """once half of the limit is reached, only calls are listed that took this many times the 90th
    percentile of the calls of their function so far; 0: all. Calls.omitted has what was left out"""


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
    result = _run(_request(trace, selection, (), histograms_of, node_limit))
    return chains_of(trace, result, damage(trace, result.counters))


def calls(
    trace: Trace,
    selection: Selection = EVERYTHING,
    listing: Listing | None = None,
    *,
    histograms_of: Collection[int] = (),
    node_limit: int = _NODE_LIMIT,
) -> Calls:
    """Return the listed calls of a trace, and the chains of all selected calls."""
    request = _request(trace, selection, (listing or Listing(),), histograms_of, node_limit)
    return _listed(trace, _run(request))[0]


def calls_of_each(trace: Trace, listings: Sequence[Listing]) -> list[Calls]:
    """Return the calls of several listings, and the chains of all calls, from one fold."""
    return _listed(trace, _run(_request(trace, EVERYTHING, listings, (), _NODE_LIMIT)))


def _listed(trace: Trace, result: Result) -> list[Calls]:
    chains = chains_of(trace, result, damage(trace, result.counters))
    return [calls_of(trace, each, chains) for each in result.listed]


def fold_requests(
    trace: Trace, origins: Origins | None = None, *, node_limit: int = _NODE_LIMIT
) -> tuple[Chains, Requests]:
    """Return the tree of call chains of a trace, and its requests with their nodes.

    Args:
        trace: the trace to fold.
        origins: origins of inbound calls; default: those of the trace. The calls of one node of an
            inbound call's function have the same origin.
        node_limit: the same as for fold().
    """
    if origins is not None:
        trace = replace(trace, origins=(origins.numbers, origins.ids))
    request = _request(trace, EVERYTHING, (), (), node_limit)
    if any(function.direction for function in trace.functions):
        request = replace(request, direction_of=_directions(trace))
    result = _run(request)
    chains = chains_of(trace, result, damage(trace, result.counters))
    return chains, requests_of(trace, result.requests, result.counters.invalid_requests)


@dataclass(frozen=True, eq=False)
class WindowFold:
    """Calls of a trace by the chain and window in which they ended, and those that failed.

    The nodes of `chains` are chains without figures, and their figures in one window each. The
    parent of the latter is the chain. Their histograms are of nanoseconds.
    """

    chains: Chains
    window: Int32s
    """by node: the window of its figures; -1 for a chain"""
    failures: Rows
    """rows of ROW: failed calls, at most as many as asked for; their nodes are chains"""
    failure_window: Int64s
    """by row of `failures`: the window in which the call ended"""


def fold_windows(
    trace: Trace, bounds: Sequence[int], *, with_histograms: bool = True, max_failures: int = 0
) -> WindowFold:
    """Return the chains of a trace with figures for each window in which calls ended.

    Args:
        trace: the trace to fold.
        bounds: nanoseconds since the start of the trace, ascending, at least two: each window
            begins with a bound and ends before the next one. Calls that end in none are left out.
        with_histograms: whether figures have histograms.
        max_failures: limit on the failed calls that are listed.
    """
    listing = Listing(limit=max_failures, failed_only=True)
    histograms_of = range(len(trace.functions)) if with_histograms else ()
    ends = _ascending(trace, bounds)
    request = replace(
        _request(trace, EVERYTHING, (listing,), histograms_of, _NODE_LIMIT),
        bounds=ends,
        ns_per_tick=1e9 / trace.clock.ticks_per_second,
    )
    result = _run(request)
    nodes, rows = result.nodes, result.listed[0].rows
    chains = chains_of(trace, result, damage(trace, result.counters), Clock(1e9))
    window_of_row = np.searchsorted(ends, rows["start"] + rows["duration"], "right") - 1
    return WindowFold(chains, nodes["window"].copy(), rows, window_of_row)


def _ascending(trace: Trace, bounds: Sequence[int]) -> Int64s:
    """Return bounds in ticks. Where two are the same tick, the later one is moved."""
    ticks = np.array([trace.clock.ticks(bound) for bound in bounds], np.int64)
    return ticks + np.arange(len(ticks)) if (np.diff(ticks) <= 0).any() else ticks


def _run(request: Request) -> Result:
    nodes, blocks, listed, origins_of_nodes, requests, counters = engine().fold(
        request.source.arguments(),
        array(request.selected_tracks),
        array(request.histogram_of),
        array(request.direction_of),
        array(request.origin_numbers),
        array(request.origin_ids),
        request.since,
        request.until,
        request.node_limit,
        request.starts_are_observed,
        tuple(_listing_arguments(each) for each in request.listings),
        array(request.bounds),
        request.ns_per_tick,
    )
    return Result(
        np.frombuffer(nodes, NODE),
        np.frombuffer(blocks, BLOCK),
        tuple(_listed_rows(*each) for each in listed),
        np.frombuffer(origins_of_nodes, NODE_ORIGIN),
        np.frombuffer(requests, REQUEST),
        Counters(*counters),
    )


def _listing_arguments(each: RowFilter) -> tuple[object, ...]:
    return (
        array(each.row_of),
        array(each.focus),
        each.row_limit,
        each.min_duration,
        each.failed_only,
        each.include_callers,
        each.preceding_rows,
        each.match_since,
        each.match_until,
        each.usual_factor,
    )


def _listed_rows(rows: bytearray, truncated: int, omitted: bytearray) -> Listed:
    return Listed(np.frombuffer(rows, ROW), bool(truncated), np.frombuffer(omitted, np.int64))


def _request(
    trace: Trace,
    selection: Selection,
    listings: Sequence[Listing],
    histograms_of: Collection[int],
    node_limit: int,
) -> Request:
    source, clock = source_of(trace), trace.clock
    numbers, ids = Origins(*trace.origins).columns() if trace.origins else (None, None)
    functions, tracks = source.function_count, len(source.tracks)
    since, until = _window(selection, clock)
    return Request(
        source=source,
        since=since,
        until=until,
        selected_tracks=flags(selection.tracks, tracks),
        histogram_of=flags(histograms_of or None, functions),
        direction_of=_directions(trace) if trace.origins else None,
        origin_numbers=numbers,
        origin_ids=ids,
        node_limit=min(node_limit, _NODE_LIMIT),
        starts_are_observed=trace.language == "python",
        listings=tuple(_row_filter(each, selection, clock, functions) for each in listings),
    )


def _row_filter(listing: Listing, selection: Selection, clock: Clock, functions: int) -> RowFilter:
    match_since, match_until = _window(listing.window or selection, clock)
    return RowFilter(
        row_of=flags(listing.functions, functions),
        focus=_focus(listing, functions),
        row_limit=min(max(listing.limit, 0), _ROW_LIMIT),
        min_duration=clock.ticks(listing.min_duration_ns),
        failed_only=listing.failed_only,
        include_callers=listing.include_callers,
        preceding_rows=min(max(listing.preceding_calls, 0), _ROW_LIMIT),
        match_since=match_since,
        match_until=match_until,
        usual_factor=listing.usual_factor,
    )


def _directions(trace: Trace) -> Flags:
    return np.array([function.direction for function in trace.functions], np.uint8)


def _window(selection: Selection, clock: Clock) -> tuple[int, int]:
    return (
        0 if selection.since is None else clock.ticks(selection.since),
        TIME_LIMIT if selection.until is None else clock.ticks(selection.until),
    )


def _focus(listing: Listing, functions: int) -> Flags | None:
    """Return the flags of ``focus``, without functions whose calls may not be listed."""
    focus, listed = flags(listing.focus, functions), flags(listing.functions, functions)
    return focus if focus is None or listed is None else focus & listed
