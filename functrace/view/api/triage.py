"""What is wrong in the traces, with links to where it shows."""

from __future__ import annotations

from typing import Any

from functrace.text import triage_json
from functrace.view import links
from functrace.view.query import Query
from functrace.view.session import Session


def answer(session: Session, query: Query) -> dict[str, Any]:
    """Return the findings as ``functrace triage --json`` does, each with links."""
    limit = query.number("limit", 0)
    report = triage_json.report(session.triage, session.arguments, limit)
    for kind in triage_json.KINDS:
        for finding in report[kind]:
            finding["links"] = links.of_finding(session, finding, kind)
    return report | {"command": session.command("triage")}
