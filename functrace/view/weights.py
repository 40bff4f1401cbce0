"""Figures of the calls that a filter selects, by node of the call chains of a trace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from functrace.analysis import Calls, Chains, Listing, Selection, calls, fold
from functrace.analysis.columns import Int32s, Int64s, summed
from functrace.view.filters import Filter, Part
from functrace.view.session import Session

MAX_CALLS = 2_000_000
"""limit on calls that conditions select one by one"""
COLUMNS = ("calls", "failed", "total", "self", "suspended", "waiting")


@dataclass(frozen=True, eq=False)
class Weights:
    """Figures by node of ``chains``. Times are nanoseconds within the window of the filter."""

    chains: Chains
    calls: Int64s
    failed: Int64s
    total: Int64s
    self: Int64s
    """time outside callees; within a window of time it contains the suspended time"""
    suspended: Int64s
    """0 within a window of time: when calls were suspended is not known"""
    waiting: Int64s
    """suspended time outside callees on the same track"""
    is_sampled: bool = False
    """whether there were more calls than could be listed"""


def weigh(session: Session, chosen: Filter) -> list[Weights]:
    """Return the figures of each trace that the filter selects a part of."""
    if chosen.has_call_conditions:
        return [_of_listed_calls(part, chosen) for part in chosen.parts(session)]
    return [_of_all_calls(session, part, chosen) for part in chosen.parts(session)]


def _of_all_calls(session: Session, part: Part, chosen: Filter) -> Weights:
    """Sum up all calls; those that cross an end of the window count as far as they are inside."""
    ends = [time for time in (part.from_ns or None, part.to_ns) if time is not None]
    if not chosen.is_range:
        is_whole = part.tracks is None
        chains = session.chains(part.index) if is_whole else fold(part.trace, part.selection)
        return weights_of(chains)
    crossings = [_crossing(part, time) for time in ends]
    chains = crossings[0].chains if crossings else fold(part.trace, part.selection)
    total = np.maximum(chains.total - _outside(part, crossings, len(chains)), 0)
    return _weights(chains, total, np.zeros_like(total), None)


def weights_of(chains: Chains) -> Weights:
    """Return the figures of all calls."""
    return _weights(chains, chains.total, chains.suspended, chains.self)


def _weights(chains: Chains, total: Int64s, suspended: Int64s, own: Int64s | None) -> Weights:
    """Return figures by node; without self times, these are what callees leave of the total."""
    outer = np.where(chains.started, -1, chains.parent)
    waiting = _without_callees(suspended, outer)
    if own is None:
        own = np.maximum(_without_callees(total, outer) - waiting, 0)
    failed = np.minimum(chains.errors + chains.panics, chains.calls)
    return Weights(chains, chains.calls, failed, total, own, suspended, waiting)


def _crossing(part: Part, time: int) -> Calls:
    """Return the calls that are open at a time, with the chains of all calls of the selection."""
    return calls(part.trace, part.selection, Listing(window=Selection(time, time)))


def _outside(part: Part, crossings: list[Calls], nodes: int) -> Int64s:
    """Return the time outside the window of the calls of each node that cross its ends."""
    found = np.zeros(nodes, np.int64)
    if part.from_ns:
        crossing = crossings[0]
        found += summed(np.maximum(part.from_ns - crossing.start, 0), crossing.node, nodes)
    if part.to_ns is not None:
        crossing = crossings[-1]
        end = crossing.start + crossing.duration
        found += summed(np.maximum(end - part.to_ns, 0), crossing.node, nodes)
    return found


def _of_listed_calls(part: Part, chosen: Filter) -> Weights:
    """Sum up the calls that fulfil conditions; the self time of one is that outside the others."""
    listing = Listing(
        limit=MAX_CALLS,
        functions=part.functions,
        min_duration_ns=chosen.min_duration_ns,
        failed_only=chosen.errors,
    )
    found = calls(part.trace, part.selection, listing)
    end = found.start + found.duration
    until = end if part.to_ns is None else np.minimum(end, part.to_ns)
    inside = np.maximum(until - np.maximum(found.start, part.from_ns), 0)
    suspended = np.zeros_like(inside) if chosen.is_range else found.suspended
    waiting = _without_callees(suspended, found.parent)
    own = np.maximum(_without_callees(inside, found.parent) - waiting, 0)
    count = len(found.chains)
    return Weights(
        found.chains,
        np.bincount(found.node, minlength=count),
        np.bincount(found.node[found.error | found.panic], minlength=count),
        summed(inside, found.node, count),
        summed(own, found.node, count),
        summed(suspended, found.node, count),
        summed(waiting, found.node, count),
        found.truncated,
    )


def _without_callees(column: Int64s, outer: Int32s) -> Int64s:
    """Return what is left of a column without that of callees, given what encloses each item."""
    has_outer = outer >= 0
    inner = summed(column[has_outer], outer[has_outer], len(column))
    left: Int64s = np.maximum(column - inner, 0)
    return left
