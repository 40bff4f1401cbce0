"""What is wrong in a store, as far as the figures of chains show it."""

from __future__ import annotations

from typing import Any

from functrace.text import triage_json
from functrace.view import links
from functrace.view.query import Query
from functrace.view.stored_session import StoredSession

_FAILING = "failing"


def answer(session: StoredSession, query: Query) -> dict[str, Any]:
    """Return the findings as ``functrace triage --store --json`` does, with links to chains."""
    found = session.figures.triage
    report = triage_json.report(found, session.places, query.number("limit", 0))
    for kind in triage_json.KINDS:
        for finding in report[kind]:
            link = links.chains(finding["function"], errors=kind == _FAILING)
            finding["links"] = {"chains": link}
    return report | {"command": session.command("triage")}
