"""Revision of a live session."""

from __future__ import annotations

from typing import Any

from functrace.view.api import session as session_api
from functrace.view.query import Query
from functrace.view.session import Session


def answer(session: Session, query: Query) -> dict[str, Any]:
    """Return the number of the copy that is shown, and its traces."""
    return {"revision": session.revision, "session": session_api.answer(session, query)}
