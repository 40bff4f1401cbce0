"""Differences between the clocks of processes, bounded by the requests between them.

A request arrives after it was sent and before its caller has the answer. With both clocks, that
bounds the difference between them from both sides, as in the Network Time Protocol.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from functrace.analysis.columns import Int64s
from functrace.analysis.requests.rows import Process, RequestRows

FAR = 1 << 61
"""nanoseconds that stand for no bound"""
TRACE_LIMIT = 1 << 31
_SAME_HOST_NS = 100_000
_DRIFT_PER_NS = 5e-6


@dataclass(frozen=True)
class Bounds:
    """Bounds of what must be added to one clock to get another, in nanoseconds."""

    low: int = -FAR
    high: int = FAR
    estimate: int | None = None
    """most plausible value; None: the middle"""

    @property
    def is_known(self) -> bool:
        """Whether there are bounds on both sides."""
        return self.low > -FAR and self.high < FAR

    @property
    def value(self) -> int:
        """The value to add."""
        if self.estimate is not None:
            return self.estimate
        if self.is_known:
            return (self.low + self.high) // 2
        return self.low if self.low > -FAR else self.high if self.high < FAR else 0

    @property
    def error(self) -> int | None:
        """How far the value may be off in either direction; None if that is not bounded."""
        if not self.is_known:
            return None
        low, high = min(self.low, self.high), max(self.low, self.high)
        return max(self.value - low, high - self.value, 0)

    def reversed(self) -> Bounds:
        """Return the bounds of the opposite difference."""
        return Bounds(-self.high, -self.low, None if self.estimate is None else -self.estimate)


_EXACT = Bounds(0, 0)


@dataclass(frozen=True, eq=False)
class Clocks:
    """Bounds between the clocks of processes, identified by the indices of their traces."""

    processes: tuple[Process, ...]
    measured: dict[tuple[int, int], Bounds] = field(default_factory=dict)
    """by the processes that sent and received requests: what to add to the receiver's times"""

    def between(self, sender: int, receiver: int) -> Bounds:
        """Return the bounds of what to add to the receiver's times to get the sender's."""
        if sender == receiver:
            return _EXACT
        forth = self.measured.get((sender, receiver), Bounds())
        back = self.measured.get((receiver, sender), Bounds()).reversed()
        found = _both(forth, back)
        first, second = self.processes[sender], self.processes[receiver]
        if not first.host or first.host != second.host:
            return found
        slack = _SAME_HOST_NS + int(_DRIFT_PER_NS * max(first.duration, second.duration))
        if found.low > slack or found.high < -slack or found.low > found.high:
            return found
        return Bounds(max(found.low, -slack), min(found.high, slack), _nearest_to_zero(found))

    def offsets(self, reference: int, wanted: Sequence[int]) -> dict[int, Bounds]:
        """Return what to add to the times of each wanted process to get those of the reference.

        Clocks that no requests connect with the reference have no bounds.
        """
        found = {reference: _EXACT}
        pending = deque([reference])
        near = self._neighbours()
        while pending:
            process = pending.popleft()
            for other in near.get(process, ()):
                if other not in found:
                    found[other] = _sum(found[process], self.between(process, other))
                    pending.append(other)
        return {p: found.get(p) or self.between(reference, p) for p in wanted}

    def _neighbours(self) -> dict[int, list[int]]:
        near: dict[int, list[int]] = {}
        for sender, receiver in self.measured:
            near.setdefault(sender, []).append(receiver)
            near.setdefault(receiver, []).append(sender)
        return near


def measure(rows: RequestRows, processes: tuple[Process, ...], outbound: Int64s) -> Clocks:
    """Return the bounds that joined requests give.

    Args:
        rows: the requests.
        processes: the process of each trace.
        outbound: for each request, the outbound call that it is joined to, or -1.
    """
    inner = np.flatnonzero(outbound >= 0)
    outer = outbound[inner]
    low = rows.start[outer] - rows.start[inner]
    # A handler may run on after its caller has the answer: only its start is before that for sure.
    has_answer = rows.has_response[outer]
    high = np.where(has_answer, rows.end[outer] - rows.start[inner], FAR)
    ended = has_answer & rows.has_response[inner]
    tight = np.where(ended, rows.end[outer] - rows.end[inner], FAR)
    pairs, index = np.unique(pairs_of(rows, outer, inner), return_inverse=True)
    senders, receivers = np.divmod(pairs, TRACE_LIMIT)
    count = len(pairs)
    lows, highs, tights = (np.full(count, start, np.int64) for start in (-FAR, FAR, FAR))
    np.maximum.at(lows, index, low)
    np.minimum.at(highs, index, high)
    np.minimum.at(tights, index, tight)
    columns = (senders, receivers, lows, highs, tights)
    measured = {
        (sender, receiver): _bounds(*bounds)
        for sender, receiver, *bounds in zip(*(c.tolist() for c in columns), strict=True)
        if sender != receiver
    }
    return Clocks(processes, measured)


def pairs_of(rows: RequestRows, outer: Int64s, inner: Int64s) -> Int64s:
    """Return the traces of both ends of requests as one number: the sender's times TRACE_LIMIT."""
    pairs: Int64s = rows.trace[outer].astype(np.int64) * TRACE_LIMIT + rows.trace[inner]
    return pairs


def _bounds(low: int, high: int, tight: int) -> Bounds:
    is_plausible = low <= tight <= high and tight < FAR
    return Bounds(low, high, (low + tight) // 2 if is_plausible else None)


def _both(one: Bounds, other: Bounds) -> Bounds:
    low, high = max(one.low, other.low), min(one.high, other.high)
    known = [b.estimate for b in (one, other) if b.estimate is not None]
    estimates = [e for e in known if low <= e <= high]
    return Bounds(low, high, sum(estimates) // len(estimates) if estimates else None)


def _nearest_to_zero(found: Bounds) -> int:
    return min(max(0, found.low), found.high)


def _sum(one: Bounds, other: Bounds) -> Bounds:
    is_known = one.is_known and other.is_known
    low, high = (one.low + other.low, one.high + other.high) if is_known else (-FAR, FAR)
    return Bounds(low, high, one.value + other.value)
