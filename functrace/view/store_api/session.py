"""The store, its services, and what its figures cover."""

from __future__ import annotations

from typing import Any

from functrace import __version__
from functrace.view.query import Query
from functrace.view.stored_session import StoredSession


def answer(session: StoredSession, _query: Query) -> dict[str, Any]:
    """Return the store in place of traces."""
    figures = session.figures
    return {
        "version": __version__,
        "origin_ns": "0",
        "duration_ns": 0,
        "live": False,
        "traces": [],
        "store": {
            "place": session.place,
            "services": [
                {
                    "name": row["service"],
                    "releases": [release for release in row["releases"] if release],
                    "process_count": row["instances"],
                    "calls": row["calls"],
                    "failed": row["failed"],
                }
                for row in figures.services
            ],
            "notes": figures.notes,
        },
        "arguments": session.arguments,
        "command": session.command("services"),
    }
