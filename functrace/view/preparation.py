"""Analyses that the first pages need, in the order in which they show them."""

from __future__ import annotations

from functrace.view.session import Session
from functrace.view.triage_report import triage_report


def prepare(session: Session) -> None:
    """Analyse the traces of a session, so that pages find it done."""
    for trace in range(len(session.traces)):
        session.timeline(trace)
    triage_report(session)
    for trace in range(len(session.traces)):
        session.chains(trace)
