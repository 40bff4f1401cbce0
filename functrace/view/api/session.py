"""The traces of a session."""

from __future__ import annotations

import shlex
from typing import Any

from functrace import __version__
from functrace.analysis.losses import losses, missing
from functrace.export import process_names
from functrace.tracefile.programs import host_name, program_name
from functrace.view.bundle_reason import reason_of
from functrace.view.query import Query
from functrace.view.session import Session

_SMALL_BYTES = 64 << 20
"""size of a trace whose calls are counted at once"""


def answer(session: Session, _query: Query) -> dict[str, Any]:
    """Return the traces. Of a large one, the number of calls is None until they are counted."""
    return {
        "version": __version__,
        "origin_ns": str(session.origin_ns),
        "duration_ns": session.duration_ns,
        "live": session.is_live,
        "traces": [_trace(session, index) for index in range(len(session.traces))],
        "arguments": shlex.join(session.arguments),
        "command": session.command("info"),
    }


def _trace(session: Session, index: int) -> dict[str, Any]:
    trace = session.traces[index]
    offset = session.offset_ns(index)
    is_small = len(trace.words.data) <= _SMALL_BYTES
    if is_small or session.has_chains(index):
        notes = losses(session.chains(index))
    else:
        notes = [*missing(trace), *trace.damage]
    figures = session.track_figures(index) if is_small or session.has_timeline(index) else None
    return {
        "id": index,
        "name": process_names.title(trace),
        "path": str(trace.path),
        "program": program_name(trace),
        "service": session.services[index],
        "pid": trace.pid,
        "host": host_name(trace),
        "language": trace.language,
        "start_ns": offset + trace.span[0],
        "end_ns": offset + trace.span[1],
        "events": trace.events,
        "calls": int(figures.calls.sum()) if figures else None,
        "failed": int(figures.failed.sum()) if figures else None,
        "tracks": len(trace.tracks),
        "notes": notes,
        "reason": reason_of(trace),
    }
