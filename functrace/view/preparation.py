"""Analyses that the first pages need: the findings and the timelines, at the same time."""

from __future__ import annotations

from contextlib import suppress
from threading import Thread

from functrace.view.session import Session
from functrace.view.triage_report import triage_report


def prepare(session: Session) -> None:
    """Analyse the traces of a session, so that pages find it done."""
    timelines = Thread(target=_prepare_timelines, args=(session,), daemon=True)
    timelines.start()
    triage_report(session)
    timelines.join()
    for trace in range(len(session.traces)):
        session.chains(trace)


def _prepare_timelines(session: Session) -> None:
    with suppress(Exception):  # a page that needs the timeline that failed shows the error
        for trace in range(len(session.traces)):
            session.timeline(trace)
