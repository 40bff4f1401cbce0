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
from functrace.view.call_rows import FAILED
from functrace.view.filters import moment
from functrace.view.query import Query
from functrace.view.session import Session
from functrace.view.window import CallPage

_MAX_OPEN = 100_000
"""calls of a track around a time that are looked at"""
_MAX_STEPS = 1000
_MAX_TRACKS = 100


def answer(session: Session, query: Query) -> dict[str, Any]:
    """Return the call that starts at ``start`` on ``track``, at ``depth`` if several do.

    Its chain is outermost first and goes on in the tracks that led to its own. Of a long one, the
    innermost calls are returned.
    """
    trace, track = session.track_of(query.required_number("track"))
    start = query.required_number("start")
    opened = _open_at(session, trace, track, start)
    is_found = opened.start == start - session.offset_ns(trace)
    depth = query.optional_number("depth")
    if depth is not None:
        is_found &= opened.depth == depth
    found = np.flatnonzero(is_found)
    if not len(found):
        raise FunctraceError(f"no call starts at {start} ns on this track")
    failed = found[opened.flags[found] & FAILED > 0]
    place = int(failed[-1] if len(failed) else found[-1])
    chain = opened.take(np.arange(place + 1))
    call = call_rows.rows(session, trace, opened.take(np.array([place])))[0]
    steps, is_truncated = _chain(session, trace, track, chain)
    steps[0]["started"] = False
    return {
        **call,
        "chain": steps,
        "chain_truncated": is_truncated,
        "requests": _requests(session, trace, steps, start),
        "command": _command(session, trace, track, call),
    }


def _open_at(session: Session, trace: int, track: int, time: int) -> CallPage:
    """Return the calls that are open at a time, outermost first; one of each depth."""
    at = time - session.offset_ns(trace)
    margin = 1 + int(1e9 / session.traces[trace].ticks_per_second)  # covers rounding to nanoseconds
    since, until = max(at - margin, 0), at + margin
    # The innermost calls are those that matter if there are too many.
    request = CallQuery(since, until, tracks=[track], descending=True, limit=_MAX_OPEN)
    page = session.timeline(trace).calls_in(request)
    page = page.take(np.flatnonzero((page.start <= at) & (page.start + page.duration >= at))[::-1])
    page = page.take(np.lexsort((page.start, page.depth)))
    is_latest = np.append(page.depth[1:] != page.depth[:-1], [True] * bool(len(page)))
    return page.take(np.flatnonzero(is_latest))


def _chain(
    session: Session, trace: int, track: int, page: CallPage
) -> tuple[list[dict[str, Any]], bool]:
    """Return the steps to the last call of a page, and whether outer ones are left out.

    Those on other tracks are as of the time when the next track was started.
    """
    steps: list[dict[str, Any]] = []
    tracks = session.traces[trace].tracks
    for _ in range(_MAX_TRACKS):
        first = max(len(page) - (_MAX_STEPS - len(steps)), 0)
        taken = page.take(np.arange(first, len(page)))
        steps = _steps(call_rows.rows(session, trace, taken)) + steps
        started = tracks[track]
        if first or started.parent < 0:
            return steps, first > 0
        time = session.offset_ns(trace) + started.start
        opened = _open_at(session, trace, started.parent, time)
        page = _up_to(opened, session, trace, started.starter)
        track = started.parent
    return steps, True


def _up_to(page: CallPage, session: Session, trace: int, starter: int) -> CallPage:
    """Return the open calls up to the innermost one of the function that started a track."""
    if starter < 0:
        return page
    functions = session.traces[trace].functions
    name = functions[starter].name
    named = [index for index, each in enumerate(functions) if each.name == name]
    places = np.flatnonzero(np.isin(page.function, named))
    return page.take(np.arange(places[-1] + 1)) if len(places) else page


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
