"""Joins of inbound calls to the outbound calls of other processes that caused them.

An inbound call is joined only where the data leave one answer; in all other cases, the answer is
*unknown*.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from functrace.analysis.columns import Bools, Int64s
from functrace.analysis.requests.clocks import FAR, TRACE_LIMIT, Clocks, measure, pairs_of
from functrace.analysis.requests.grouping import find_unique, group, group_sizes, sums_before
from functrace.analysis.requests.rows import UNFINISHED, Process, RequestRows

_MAX_ROUNDS = 64


class Method(IntEnum):
    """What two ends of a request were joined by."""

    UNKNOWN = 0
    FT = 1
    """the inbound call names the process and number of the outbound one"""
    SPAN_ID = 2
    """the outbound call sent the ids that the inbound one received"""
    TRACE_ID = 3
    """no other outbound call of the same trace can have caused it"""


METHOD_NAMES = {Method.FT: "ft", Method.SPAN_ID: "span id", Method.TRACE_ID: "trace id"}


@dataclass(frozen=True, eq=False)
class Joins:
    """Joins of requests."""

    outbound: Int64s
    """for each request, the outbound call that it was received from; -1: unknown or none"""
    method: Int64s
    """Method of each request"""
    clocks: Clocks


def join(rows: RequestRows, processes: tuple[Process, ...]) -> Joins:
    """Join the inbound calls of all processes to outbound calls."""
    outbound = np.full(len(rows), -1, np.int64)
    method = np.zeros(len(rows), np.int64)
    _add(outbound, method, _by_ft(rows, processes), Method.FT)
    clocks = measure(rows, processes, outbound)
    _add(outbound, method, _by_span_id(rows, clocks, outbound), Method.SPAN_ID)
    clocks = measure(rows, processes, outbound)
    _add(outbound, method, _Elimination(rows, clocks, outbound).found, Method.TRACE_ID)
    return Joins(outbound, method, measure(rows, processes, outbound))


def _add(outbound: Int64s, method: Int64s, found: Int64s, by: Method) -> None:
    """Add joins by one method to those by the methods before it."""
    is_new = (found >= 0) & (outbound < 0)
    outbound[is_new] = found[is_new]
    method[is_new] = by


def _by_ft(rows: RequestRows, processes: tuple[Process, ...]) -> Int64s:
    """Return the outbound call that each inbound one names, if it exists once.

    If several inbound calls name the same one, as where a program forwards the header itself, the
    one whose method and path agree was received from it.
    """
    keys = np.array([process.key for process in processes], np.uint64)[rows.trace]
    wanted = rows.inbound & (rows.ft_process > 0)
    is_known_once = group_sizes(group(keys, rows.number), keys > 0) == 1
    offered = ~rows.inbound & (keys > 0) & is_known_once
    groups = group(
        np.where(rows.inbound, rows.ft_process, keys),
        np.where(rows.inbound, rows.ft_number, rows.number),
    )
    found = find_unique(groups, wanted, offered)
    return _without_rivals(rows, found, np.full(len(rows), -1, np.int64))


def _by_span_id(rows: RequestRows, clocks: Clocks, before: Int64s) -> Int64s:
    """Return the outbound call that sent the ids that an inbound one received."""
    groups = group(rows.trace_id, rows.span_id)
    has_ids = rows.trace_id >= 0
    offered = has_ids & ~rows.inbound
    wanted = has_ids & rows.inbound
    found = find_unique(groups, wanted & (before < 0), offered)
    # Ids that several inbound calls received were forwarded: they identify no single call.
    found[group_sizes(groups, wanted) > 1] = -1
    found[~_may_follow(rows, clocks, found)] = -1
    return _without_rivals(rows, found, before)


def _without_rivals(rows: RequestRows, found: Int64s, before: Int64s) -> Int64s:
    """Return the joins whose outbound call no other inbound call is joined to."""
    is_taken = np.zeros(len(rows) + 1, np.bool_)  # the last entry stands for -1
    is_taken[before[before >= 0]] = True
    found = np.where(is_taken[found], -1, found)
    rivals = _counts(rows, found)
    agrees = (found >= 0) & (rows.name >= 0) & (rows.name == rows.name[found])
    agreeing = _counts(rows, np.where(agrees, found, -1))
    is_alone = rivals[found] == 1
    is_only_match = agrees & (agreeing[found] == 1)
    return np.where((found >= 0) & (is_alone | is_only_match), found, -1)


def _counts(rows: RequestRows, found: Int64s) -> Int64s:
    counts = np.bincount(found[found >= 0], minlength=len(rows) + 1)
    return counts.astype(np.int64)


def _may_follow(rows: RequestRows, clocks: Clocks, found: Int64s) -> Bools:
    """Return whether each inbound call may have begun after the outbound call found for it."""
    inner = np.flatnonzero(found >= 0)
    may = np.zeros(len(rows), np.bool_)
    if len(inner):
        pairs, index = np.unique(pairs_of(rows, found[inner], inner), return_inverse=True)
        both = zip(*(column.tolist() for column in np.divmod(pairs, TRACE_LIMIT)), strict=True)
        high = np.array([clocks.between(*pair).high for pair in both], np.int64)
        may[inner] = rows.start[found[inner]] <= rows.start[inner] + high[index]
    return may


class _Elimination:
    """Joins within a trace id: an inbound call with one outbound call that may have caused it.

    Candidates are all outbound calls of the same trace id, protocol, method and path that were open
    when the inbound call began, as far as the clocks are known, and that are not joined otherwise.
    The right one is among them if it was recorded, so the last candidate is the right one.
    """

    def __init__(self, rows: RequestRows, clocks: Clocks, before: Int64s) -> None:
        self._rows = rows
        self._clocks = clocks
        self.found = np.full(len(rows), -1, np.int64)
        can_join = (rows.trace_id >= 0) & (rows.name >= 0)
        self._groups = np.where(can_join, group(rows.trace_id, rows.name) + 1, 0)
        self._wanted = can_join & rows.inbound & (before < 0)
        self._offered = can_join & ~rows.inbound
        self._is_single = (group_sizes(self._groups, self._offered) == 1) & (
            group_sizes(self._groups, can_join & rows.inbound) == 1
        )
        self._offered[before[before >= 0]] = False
        self._drop_groups_without_both()
        rounds = 0
        while self._join_round() and rounds < _MAX_ROUNDS:
            rounds += 1

    def _drop_groups_without_both(self) -> None:
        self._wanted &= group_sizes(self._groups, self._offered) > 0
        self._offered &= group_sizes(self._groups, self._wanted) > 0

    def _join_round(self) -> bool:
        """Join the inbound calls with one candidate; return whether there were any."""
        inner = np.flatnonzero(self._wanted)
        if not len(inner):
            return False
        outer, is_certain = self._only_candidates(inner)
        is_found = (outer >= 0) & (is_certain | self._is_single[inner])
        inner, outer = inner[is_found], outer[is_found]
        rivals = np.bincount(outer, minlength=len(self._rows))
        self._wanted[inner] = False  # those with rivals stay unknown
        is_alone = rivals[outer] == 1
        self.found[inner[is_alone]] = outer[is_alone]
        self._offered[outer[is_alone]] = False
        self._drop_groups_without_both()
        return bool(is_alone.any())

    def _only_candidates(self, inner: Int64s) -> tuple[Int64s, Bools]:
        """Return the only candidate of each inbound call or -1, and whether clocks are known."""
        rows = self._rows
        counts, places = np.zeros(len(inner), np.int64), np.zeros(len(inner), np.int64)
        is_certain = np.ones(len(inner), np.bool_)
        outer = np.flatnonzero(self._offered)
        for sender in np.unique(rows.trace[outer]).tolist():
            own = outer[rows.trace[outer] == sender]
            chosen = np.flatnonzero(np.isin(self._groups[inner], self._groups[own]))
            count, place, certain = self._candidates(sender, own, inner[chosen])
            counts[chosen] += count
            places[chosen] += place
            is_certain[chosen] &= certain | (count == 0)
        return np.where(counts == 1, places, -1), is_certain

    def _candidates(self, sender: int, own: Int64s, inner: Int64s) -> tuple[Int64s, Int64s, Bools]:
        """Return the number of candidates of one process and the sum of their indices."""
        rows = self._rows
        receivers, index = np.unique(rows.trace[inner], return_inverse=True)
        bounds = [self._clocks.between(sender, int(each)) for each in receivers]
        low = np.array([min(each.low, each.high) for each in bounds], np.int64)[index]
        high = np.array([max(each.low, each.high) for each in bounds], np.int64)[index]
        known = np.array([each.is_known for each in bounds], np.bool_)[index]
        end = np.where(rows.has_response[own], rows.end[own], UNFINISHED)
        latest = np.where(high < FAR, rows.start[inner] + high, UNFINISHED)
        earliest = np.where(low > -FAR, rows.start[inner] + low, -UNFINISHED)
        keys, asked = (self._groups[own],), (self._groups[inner],)
        sums = []
        for weights in (np.ones(len(own), np.int64), own):
            begun = sums_before(keys, rows.start[own], weights, (asked, latest), inclusive=True)
            over = sums_before(keys, end, weights, (asked, earliest), inclusive=False)
            sums.append(begun - over)
        return sums[0], sums[1], known
