"""The graph of services."""

from __future__ import annotations

from typing import Any

from functrace.text import services_json
from functrace.view.query import Query
from functrace.view.session import Session


def answer(session: Session, _query: Query) -> dict[str, Any]:
    """Return services and edges as ``functrace services --json`` does."""
    return services_json.report(session.service_graph) | {"command": session.command("services")}
