"""What is wrong in the traces, with links to where it shows."""

from __future__ import annotations

from typing import Any

from functrace.analysis.triage import triage
from functrace.text import triage_json
from functrace.view import links
from functrace.view.query import Query
from functrace.view.session import Session


def answer(session: Session, query: Query) -> dict[str, Any]:
    """Return the findings as ``functrace triage --json`` does, each with links."""
    limit = query.number("limit", 0)
    found = session.results.get("triage", lambda: triage(session.traces))
    report = triage_json.report(found, session.arguments, limit)
    for kind in triage_json.KINDS:
        for finding in report[kind]:
            finding["links"] = links.of_finding(session, finding, kind)
    return report | {"command": session.command("triage")}
