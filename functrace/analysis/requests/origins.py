"""Origins of inbound calls: the chains in other processes that they continue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from functrace.analysis.columns import Int32s, Int64s

MAX_DEPTH = 200
"""processes one after another in a chain; deeper ones begin a new chain"""


@dataclass(frozen=True, eq=False)
class Origins:
    """Distinct origins, numbered from 1; an entry 0 stands for none.

    The origin of an inbound call is the chain of the outbound call that it is joined to, continued
    by the origin of the inbound call that this one belongs to.
    """

    of_request: Int64s
    """number of each request's origin; 0: none, or not known"""
    parent: Int64s
    """origin of the inbound call that the outbound one belongs to"""
    trace: Int32s
    """trace of the outbound call"""
    chain: Int64s
    """node of the outbound call in the chains of its trace"""
    example: Int64s
    """one of the outbound calls"""
    too_deep: int
    """number of inbound calls whose chain was cut because of MAX_DEPTH"""

    def __len__(self) -> int:
        """Return the number of origins, without the entry 0."""
        return len(self.parent) - 1


def drop_cycles(outbound: Int64s, inbound: Int64s) -> Int64s:
    """Return the joins without those on cycles, in which a request would have caused itself.

    Args:
        outbound: for each request, the outbound call that it is joined to, or -1.
        inbound: for each request, the inbound call that it belongs to, or -1.
    """
    cause = _causes(outbound, inbound)
    reached = cause
    for _ in range(max(len(cause), 1).bit_length()):
        reached = np.where(reached >= 0, reached[reached], -1)
    on_cycle = np.zeros(len(cause), np.bool_)
    # Only cycles are left after that many steps, and each of their requests is reached.
    on_cycle[reached[reached >= 0]] = True
    members = np.flatnonzero(on_cycle)
    while len(members):  # 2^k steps do not reach each request of a cycle of even length
        following = cause[members]
        members = np.unique(following[~on_cycle[following]])
        on_cycle[members] = True
    return np.where(on_cycle, -1, outbound)


def find_origins(outbound: Int64s, inbound: Int64s, trace: Int32s, chain: Int64s) -> Origins:
    """Return the origins of all joined requests, whose joins must be without cycles.

    Args:
        outbound: for each request, the outbound call that it is joined to, or -1.
        inbound: for each request, the inbound call that it belongs to, or -1.
        trace: the trace of each request.
        chain: the node of each request in the chains of its trace.
    """
    cause = _causes(outbound, inbound)
    cause[(cause >= 0) & (outbound[cause] < 0)] = -1
    of_request = np.zeros(len(outbound), np.int64)
    found = [np.zeros((4, 1), np.int64)]
    count = 1
    pending = np.flatnonzero(outbound >= 0)
    pending = pending[np.argsort(cause[pending], kind="stable")]
    causes = cause[pending]
    level = pending[causes < 0]
    for _ in range(MAX_DEPTH):
        if not len(level):
            break
        outer = outbound[level]
        above = np.where(cause[level] >= 0, of_request[cause[level]], 0)
        keys = np.stack([above, trace[outer], chain[outer]])
        distinct, first, index = np.unique(keys, axis=1, return_index=True, return_inverse=True)
        of_request[level] = count + index.reshape(-1)
        count += distinct.shape[1]
        found.append(np.concatenate([distinct, outer[first][np.newaxis]]))
        level = pending[_members(causes, np.sort(level))]
    parent, traces, chains, example = np.concatenate(found, axis=1)
    too_deep = int(((outbound >= 0) & (of_request == 0)).sum())
    return Origins(of_request, parent, traces.astype(np.int32), chains, example, too_deep)


def _members(ordered: Int64s, chosen: Int64s) -> Int64s:
    """Return the places of all chosen values in an ordered column."""
    first = np.searchsorted(ordered, chosen)
    counts = np.searchsorted(ordered, chosen, side="right") - first
    offsets = np.cumsum(counts) - counts
    places: Int64s = np.arange(int(counts.sum())) + np.repeat(first - offsets, counts)
    return places


def _causes(outbound: Int64s, inbound: Int64s) -> Int64s:
    """Return for each request the inbound call in another process that led to it, or -1."""
    return np.where(outbound >= 0, inbound[outbound], -1)
