"""Tracks in their order on the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from functrace.export import process_names
from functrace.view.filters import Filter
from functrace.view.query import Query
from functrace.view.session import Session

_DEFAULT_LIMIT = 500
_MAX_LIMIT = 10_000


def answer(session: Session, query: Query) -> dict[str, Any]:
    """Return the tracks that overlap the window and whose name contains ``q``."""
    offset = query.number("offset", 0)
    limit = query.number("limit", _DEFAULT_LIMIT, high=_MAX_LIMIT)
    found = list(_matching(session, Filter.parse(session, query), query.text("q").lower()))
    return {"total": len(found), "tracks": _rows(session, found[offset : offset + limit])}


def _matching(session: Session, chosen: Filter, text: str) -> Iterator[tuple[int, int]]:
    """Yield trace and index of the tracks, process by process."""
    for part in chosen.parts(session):
        figures = session.track_figures(part.index)
        is_shown = figures.end >= part.from_ns
        if part.to_ns is not None:
            is_shown &= figures.start <= part.to_ns
        if chosen.errors:
            is_shown &= figures.failed > 0
        shown = is_shown.tolist()
        for track in session.track_order(part.index):
            if shown[track] and (part.tracks is None or track in part.tracks):
                if text and text not in _title(session, part.index, track).lower():
                    continue
                yield part.index, track


def _title(session: Session, trace: int, track: int) -> str:
    return process_names.track_name(session.traces[trace].tracks[track])


def _rows(session: Session, found: list[tuple[int, int]]) -> list[dict[str, Any]]:
    outermost = {
        trace: _outermost(session, trace, [track for each, track in found if each == trace])
        for trace in {trace for trace, _ in found}
    }
    return [_row(session, trace, track, outermost[trace][track]) for trace, track in found]


def _outermost(session: Session, trace: int, tracks: list[int]) -> dict[int, str]:
    """Return the outermost function of each track, the one with most time if there are several."""
    end = session.traces[trace].span[1]
    functions = session.traces[trace].functions
    found = dict.fromkeys(tracks, "")
    for window in session.timeline(trace).window(tracks, 0, end, px=1, depth=1).tracks:
        for row in window.rows:
            longest = row.function[row.duration.argmax()]
            found[window.track] = functions[longest].name
    return found


def _row(session: Session, trace: int, index: int, function: str) -> dict[str, Any]:
    track = session.traces[trace].tracks[index]
    figures = session.track_figures(trace)
    offset = session.offset_ns(trace)
    has_parent = track.parent >= 0
    return {
        "id": session.track_id(trace, index),
        "trace": trace,
        "name": process_names.track_name(track),
        "kind": track.kind,
        "parent": session.track_id(trace, track.parent) if has_parent else None,
        "parent_time_ns": offset + track.start if has_parent else None,
        "function": function,
        "start_ns": offset + int(figures.start[index]),
        "end_ns": offset + int(figures.end[index]),
        "calls": int(figures.calls[index]),
        "failed": int(figures.failed[index]),
        "max_depth": int(figures.depth[index]),
        "group": process_names.title(session.traces[trace]),
    }
