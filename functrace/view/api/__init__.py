"""Answers of the server as JSON values, one module per endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from functrace.view.api import (
    call,
    calls,
    chains,
    flame,
    functions,
    live,
    overview,
    requests,
    services,
    session,
    source,
    tracks,
    triage,
    window,
)
from functrace.view.query import Query
from functrace.view.session import Session

Endpoint = Callable[[Session, Query], Any]

ENDPOINTS: dict[str, Endpoint] = {
    "call": call.answer,
    "calls": calls.answer,
    "chains": chains.answer,
    "flame": flame.answer,
    "functions": functions.answer,
    "live": live.answer,
    "overview": overview.answer,
    "requests": requests.answer,
    "services": services.answer,
    "session": session.answer,
    "source": source.answer,
    "tracks": tracks.answer,
    "triage": triage.answer,
    "window": window.answer,
}
