"""Answers about a store as JSON values, one module per endpoint.

They have the keys of those about traces, as far as a store has the figures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from functrace.view.query import Query
from functrace.view.store_api import chains, flame, functions, session, triage
from functrace.view.stored_session import StoredSession

Endpoint = Callable[[StoredSession, Query], Any]

ENDPOINTS: dict[str, Endpoint] = {
    "chains": chains.answer,
    "flame": flame.answer,
    "functions": functions.answer,
    "session": session.answer,
    "triage": triage.answer,
}
