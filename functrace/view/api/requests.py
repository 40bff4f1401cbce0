"""Arrows of the timeline: requests between processes, and starts of tracks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import numpy as np

from functrace.analysis.columns import Bools, Int64s
from functrace.analysis.requests import has_requests
from functrace.analysis.requests.rows import UNFINISHED
from functrace.view.filters import Filter, Part
from functrace.view.query import Query
from functrace.view.session import Session

_DEFAULT_LIMIT = 2000
_MAX_LIMIT = 20_000


def answer(session: Session, query: Query) -> list[dict[str, Any]]:
    """Return the arrows that touch the window, at most ``limit`` of each kind.

    Requests that took longest to arrive come first.
    A filter on tracks selects the arrows that begin or end on one of them.
    """
    limit = query.number("limit", _DEFAULT_LIMIT, low=1, high=_MAX_LIMIT)
    chosen = Filter.parse(session, query)
    children = (_children(session, part) for part in chosen.parts(session))
    return [
        *islice(_requests(session, chosen), limit),
        *islice(chain.from_iterable(children), limit),
    ]


def _requests(session: Session, chosen: Filter) -> Iterator[dict[str, Any]]:
    if len(session.traces) == 1 or not has_requests(session.traces):
        return
    found = session.joined
    rows = found.rows
    inner = np.flatnonzero(found.joins.outbound >= 0)
    outer = found.joins.outbound[inner]
    start = _times(session, outer, rows.start)
    arrival = _times(session, inner, rows.start)
    is_shown = _touches(chosen, np.minimum(start, arrival), np.maximum(start, arrival))
    if chosen.errors:
        is_shown &= rows.failed[inner]
    places = np.flatnonzero(is_shown)
    places = places[np.argsort(-np.abs(arrival - start)[places], kind="stable")]
    for outbound, inbound, since, until in zip(
        outer[places].tolist(),
        inner[places].tolist(),
        start[places].tolist(),
        arrival[places].tolist(),
        strict=True,
    ):
        tracks = [_track(session, row) for row in (outbound, inbound)]
        if chosen.tracks is not None and chosen.tracks.isdisjoint(tracks):
            continue
        yield {
            "from_track": tracks[0],
            "from_ns": since,
            "to_track": tracks[1],
            "to_ns": until,
            "route": found.route(inbound),
            "failed": bool(rows.failed[inbound]),
            "kind": "request",
        }


def _track(session: Session, row: int) -> int:
    rows = session.joined.rows
    return session.track_id(int(rows.trace[row]), int(rows.track[row]))


def _times(session: Session, rows: Int64s, column: Int64s) -> Int64s:
    """Return times of requests on the session's axis."""
    trace = session.joined.rows.trace[rows]
    shift = np.array(
        [session.offset_ns(index) - opened.started for index, opened in enumerate(session.traces)],
        np.int64,
    )
    times: Int64s = column[rows] + shift[trace]
    return times


def _touches(chosen: Filter, since: Int64s, until: Int64s) -> Bools:
    is_shown = since < UNFINISHED
    if chosen.from_ns is not None:
        is_shown &= until >= chosen.from_ns
    if chosen.to_ns is not None:
        is_shown &= since <= chosen.to_ns
    return is_shown


def _children(session: Session, part: Part) -> Iterator[dict[str, Any]]:
    """Yield an arrow for each track that another one started."""
    tracks = part.trace.tracks
    is_shown = (tracks.parent >= 0) & (tracks.start >= part.from_ns)
    if part.to_ns is not None:
        is_shown &= tracks.start <= part.to_ns
    if part.tracks is not None:
        chosen = list(part.tracks)
        is_shown &= np.isin(np.arange(len(tracks)), chosen) | np.isin(tracks.parent, chosen)
    failed = session.track_figures(part.index).failed
    offset = session.offset_ns(part.index)
    for track in np.flatnonzero(is_shown).tolist():
        parent = int(tracks.parent[track])
        starter = int(tracks.starter[track])
        time = offset + int(tracks.start[track])
        yield {
            "from_track": session.track_id(part.index, parent),
            "from_ns": time,
            "to_track": session.track_id(part.index, track),
            "to_ns": time,
            "route": part.trace.functions[starter].name if starter >= 0 else "",
            "failed": bool(failed[track]),
            "kind": "child",
        }
