"""Slices of tracks in a window of time."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from functrace.errors import UsageError
from functrace.view.filters import Filter
from functrace.view.query import Query
from functrace.view.session import Session
from functrace.view.window import Row, Window

_DEFAULT_PX = 1600
_MAX_PX = 8192
_DEFAULT_DEPTH = 64
_MAX_DEPTH = 1024
_MAX_TRACKS = 500
_MAX_SLICES = 200_000


def answer(session: Session, query: Query) -> dict[str, Any]:
    """Return the slices of ``tracks`` between ``from`` and ``to``, ``px`` pixels wide.

    Above a limit on all slices, they are merged as if there were fewer pixels.
    """
    since = query.number("from", 0)
    until = max(query.number("to", session.duration_ns), since)
    numbers = query.numbers("tracks")
    if numbers is None:
        raise UsageError("the parameter tracks is missing")
    if len(numbers) > _MAX_TRACKS:
        raise UsageError(f"more than {_MAX_TRACKS} tracks")
    px = query.number("px", _DEFAULT_PX, low=1, high=_MAX_PX)
    depth = query.number("depth", _DEFAULT_DEPTH, low=1, high=_MAX_DEPTH)
    windows = open_windows(session, numbers, (since, until), px, depth)
    while px > 1 and count_slices(windows) > _MAX_SLICES:
        px = max(px // 4, 1)
        windows = open_windows(session, numbers, (since, until), px, depth)
    shown = Filter(since, until, frozenset(numbers))
    command = shown.replay_command(session, "--tree")
    return as_json(session, numbers, windows) | {"from": since, "to": until, "command": command}


def open_windows(
    session: Session,
    numbers: list[int],
    times: tuple[int, int],
    px: int,
    depth: int,
) -> dict[int, Window]:
    """Return, by trace, the slices of tracks between two times."""
    of_trace: defaultdict[int, list[int]] = defaultdict(list)
    for number in dict.fromkeys(numbers):
        trace, track = session.track_of(number)
        of_trace[trace].append(track)
    return {
        trace: session.timeline(trace).window(
            tracks,
            times[0] - session.offset_ns(trace),
            times[1] - session.offset_ns(trace),
            px,
            depth,
        )
        for trace, tracks in of_trace.items()
    }


def count_slices(windows: dict[int, Window]) -> int:
    """Return the number of slices in the windows of all traces."""
    return sum(window.slices for window in windows.values())


def as_json(session: Session, numbers: list[int], windows: dict[int, Window]) -> dict[str, Any]:
    """Return the slices of tracks, in the order of their numbers, and the functions in them."""
    tracks = {
        session.track_id(trace, track.track): [_row(session, trace, row) for row in track.rows]
        for trace, window in windows.items()
        for track in window.tracks
    }
    columns = [row["function"] for rows in tracks.values() for row in rows]
    used = np.unique(np.concatenate(columns)).tolist() if columns else []
    return {
        "tracks": [{"id": number, "rows": tracks[number]} for number in dict.fromkeys(numbers)],
        "functions": {index: _function(session, index) for index in used},
    }


def _row(session: Session, trace: int, row: Row) -> dict[str, Any]:
    """Return a row as arrays, which are encoded much faster than lists."""
    return {
        "depth": row.depth,
        "start": row.start + session.offset_ns(trace),
        "duration": row.duration,
        "function": session.function_of[trace][row.function],
        "flags": row.flags,
        "calls": row.calls,
    }


def _function(session: Session, index: int) -> dict[str, Any]:
    function = session.functions[index]
    return {"name": function.name, "file": function.file, "line": function.line}
