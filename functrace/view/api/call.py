"""One call, with the chain that led to it and the requests that it is part of."""

from __future__ import annotations

import shlex
from typing import Any

import numpy as np

from functrace.analysis.requests import has_requests
from functrace.errors import FunctraceError
from functrace.tracefile.format import INBOUND
from functrace.view import call_rows
from functrace.view.call_query import CallQuery
from functrace.view.filters import moment
from functrace.view.query import Query
from functrace.view.session import Session

_MAX_OPEN = 100_000
_MAX_TRACKS = 100


def answer(session: Session, query: Query) -> dict[str, Any]:
    """Return the call that starts at ``start`` on ``track``, at ``depth`` if several do.

    Its chain is outermost first and goes on in the tracks that led to its own.
    """
    trace, track = session.track_of(query.required_number("track"))
    start = query.required_number("start")
    depth = query.optional_number("depth")
    open_calls = _open_at(session, trace, track, start)
    found = [
        row
        for row in open_calls
        if row["start_ns"] == start and (depth is None or row["depth"] == depth)
    ]
    if not found:
        raise FunctraceError(f"no call starts at {start} ns on this track")
    call = next((row for row in reversed(found) if row["failed"]), found[-1])
    chain = [row for row in open_calls if row["depth"] <= call["depth"]]
    chain[-1] = call
    steps = _outer_tracks(session, trace, track) + _steps(chain)
    steps[0]["started"] = False
    return {
        **call,
        "chain": steps,
        "requests": _requests(session, trace, steps, start),
        "command": _command(session, trace, track, call),
    }


def _open_at(session: Session, trace: int, track: int, time: int) -> list[dict[str, Any]]:
    """Return the calls that are open at a time, outermost first; one of each depth."""
    at = time - session.offset_ns(trace)
    margin = 1 + int(1e9 / session.traces[trace].ticks_per_second)  # covers rounding to nanoseconds
    since, until = max(at - margin, 0), at + margin
    request = CallQuery(from_ns=since, to_ns=until, tracks=[track], limit=_MAX_OPEN)
    page = session.timeline(trace).calls_in(request)
    rows = [
        row
        for row in call_rows.rows(session, trace, page)
        if row["start_ns"] <= time <= row["start_ns"] + row["duration_ns"]
    ]
    latest = {row["depth"]: row for row in sorted(rows, key=lambda row: row["start_ns"])}
    return [latest[depth] for depth in sorted(latest)]


def _outer_tracks(session: Session, trace: int, track: int) -> list[dict[str, Any]]:
    """Return the steps on the tracks that led to one, as of the time when each was started."""
    steps: list[dict[str, Any]] = []
    tracks = session.traces[trace].tracks
    for _ in range(_MAX_TRACKS):
        started = tracks[track]
        if started.parent < 0:
            break
        time = session.offset_ns(trace) + started.start
        rows = _open_at(session, trace, started.parent, time)
        steps = _steps(_up_to(rows, session, trace, started.starter)) + steps
        track = started.parent
    return steps


def _up_to(
    rows: list[dict[str, Any]], session: Session, trace: int, starter: int
) -> list[dict[str, Any]]:
    """Return the open calls up to the innermost one of the function that started a track."""
    if starter < 0:
        return rows
    name = session.traces[trace].functions[starter].name
    places = [index for index, row in enumerate(rows) if row["function"] == name]
    return rows[: places[-1] + 1] if places else rows


def _steps(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the part of a chain on one track, whose first call another track started."""
    keys = ("function", "file", "line", "track", "depth", "start_ns", "duration_ns", "failed")
    steps = [{key: row[key] for key in keys} for row in rows]
    return [{**step, "started": not index} for index, step in enumerate(steps)]


def _requests(
    session: Session, trace: int, steps: list[dict[str, Any]], time: int
) -> list[dict[str, Any]]:
    """Return the requests that were open on the tracks of a chain at a time."""
    if not has_requests(session.traces):
        return []
    found = session.joined
    table = found.tables[trace]
    tracks = {session.track_of(step["track"])[1] for step in steps}
    at = time - session.offset_ns(trace) + session.traces[trace].started
    is_open = (table.start <= at) & ((table.end < 0) | (table.end >= at))
    is_open &= np.isin(table.track, list(tracks))
    first = int(found.first[trace])
    return [
        {
            "direction": "inbound" if table.direction[row] == INBOUND else "outbound",
            "route": found.route(first + row),
            "id": table.trace_id[row].tobytes().hex(),
            "status": int(table.status[row]) if table.status[row] >= 0 else None,
            "failed": bool(table.failed[row]),
        }
        for row in np.flatnonzero(is_open).tolist()
    ]


def _command(session: Session, trace: int, track: int, call: dict[str, Any]) -> str:
    opened = session.traces[trace]
    start = call["start_ns"] - session.offset_ns(trace)
    until = start + call["duration_ns"] + 1
    path = str(opened.path)
    words = ["functrace", "replay", f"./{path}" if path.startswith("-") else path, "--tree"]
    words += ["--track", str(opened.tracks[track].id)]
    return shlex.join([*words, "--from", moment(start), "--until", moment(until)])
