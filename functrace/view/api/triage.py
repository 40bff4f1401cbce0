"""What is wrong in the traces, with links to where it shows."""

from __future__ import annotations

from typing import Any

from functrace.text import triage_json
from functrace.view.query import Query
from functrace.view.session import Session
from functrace.view.triage_report import triage_report


def answer(session: Session, query: Query) -> dict[str, Any]:
    """Return the findings as ``functrace triage --json`` does, each with links."""
    report = triage_report(session)
    limit = query.number("limit", 0)
    every = {kind: report[kind] for kind in triage_json.KINDS}
    shown = {kind: findings[:limit] if limit else findings for kind, findings in every.items()}
    more = sum(len(every[kind]) - len(findings) for kind, findings in shown.items())
    return report | shown | {"more_findings": more, "command": session.command("triage")}
