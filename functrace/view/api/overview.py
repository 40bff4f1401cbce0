"""Calls, failures and tracks over the whole time of a session."""

from __future__ import annotations

from typing import Any

import numpy as np

from functrace.view.query import Query
from functrace.view.session import Session
from functrace.view.window import Overview

_DEFAULT_PX = 1024
_MAX_PX = 8192
_FINER = 8
"""bins of a trace per bin of several traces, which do not begin at the same time"""


def answer(session: Session, query: Query) -> dict[str, Any]:
    """Return bins of equal width from the origin to the end, at most ``px``."""
    px = query.number("px", _DEFAULT_PX, low=1, high=_MAX_PX)
    is_one = len(session.traces) == 1
    found = session.timeline(0).overview(px) if is_one else _added(session, px)
    return {"calls": found.calls, "failed": found.failed, "tracks": found.tracks}


def _added(session: Session, px: int) -> Overview:
    """Return the sum of the bins of all traces."""
    width = (session.duration_ns + 1) / px
    calls, failed, tracks = (np.zeros(px, np.int64) for _ in range(3))
    for trace in range(len(session.traces)):
        found = session.timeline(trace).overview(px * _FINER)
        start = session.offset_ns(trace) + np.arange(len(found.calls)) * found.bin_ns
        bin_of = np.minimum((start / width).astype(np.int64), px - 1)
        np.add.at(calls, bin_of, found.calls)
        np.add.at(failed, bin_of, found.failed)
        active = np.zeros(px, np.int64)
        np.maximum.at(active, bin_of, found.tracks)
        tracks += active
    return Overview(width, calls, failed, tracks)
