"""Answers of the server as JSON values, one module per endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from functrace.view.api import chains, functions, services, session, triage
from functrace.view.query import Query
from functrace.view.session import Session

Endpoint = Callable[[Session, Query], Any]

ENDPOINTS: dict[str, Endpoint] = {
    "chains": chains.answer,
    "functions": functions.answer,
    "services": services.answer,
    "session": session.answer,
    "triage": triage.answer,
}
