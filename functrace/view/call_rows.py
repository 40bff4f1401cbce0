"""Calls of a page as JSON values."""

from __future__ import annotations

from typing import Any

from functrace._native.row_types import ERROR, PANIC, UNFINISHED
from functrace.export import process_names
from functrace.view.session import Session
from functrace.view.window import CallPage

FAILED = ERROR | PANIC


def rows(session: Session, trace: int, page: CallPage) -> list[dict[str, Any]]:
    """Return a JSON object for each call of a page."""
    opened, offset = session.traces[trace], session.offset_ns(trace)
    functions = opened.functions
    track_names = {
        track: process_names.track_name(opened.tracks[track]) for track in set(page.track.tolist())
    }
    columns = zip(
        page.track.tolist(),
        page.start.tolist(),
        page.duration.tolist(),
        page.self.tolist(),
        page.suspended.tolist(),
        page.function.tolist(),
        page.parent_function.tolist(),
        page.depth.tolist(),
        page.flags.tolist(),
        page.text_at.tolist(),
        page.text_bytes.tolist(),
        strict=True,
    )
    return [
        {
            "trace": trace,
            "track": session.track_id(trace, track),
            "track_name": track_names[track],
            "start_ns": offset + start,
            "duration_ns": duration,
            "self_ns": own,
            "suspended_ns": suspended,
            "function": functions[function].name,
            "file": functions[function].file,
            "line": functions[function].line,
            "depth": depth,
            "failed": bool(flags & FAILED),
            "panicked": bool(flags & PANIC),
            "unfinished": bool(flags & UNFINISHED),
            "error": opened.text(at, size) if flags & FAILED else None,
            "parent_function": functions[parent].name if parent >= 0 else None,
        }
        for (
            track,
            start,
            duration,
            own,
            suspended,
            function,
            parent,
            depth,
            flags,
            at,
            size,
        ) in columns
    ]
