"""Order of a trace's tracks on the page: parents before their children."""

from __future__ import annotations

import numpy as np

from functrace.analysis.columns import Int32s


def display_order(parent: Int32s) -> list[int]:
    """Return the tracks, each followed by all that it started, in the order of their starts.

    Args:
        parent: parent of each track, which precedes it, or -1.
    """
    by_parent = np.argsort(parent, kind="stable")
    first = np.searchsorted(parent[by_parent], np.arange(-1, len(parent) + 1)).tolist()
    children = by_parent.tolist()
    order: list[int] = []
    pending = children[: first[1]][::-1]
    while pending:
        track = pending.pop()
        order.append(track)
        pending += children[first[track + 1] : first[track + 2]][::-1]
    return order
