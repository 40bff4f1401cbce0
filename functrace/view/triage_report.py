"""Triage of a session as JSON. That of large traces is kept in the cache of functrace.

Not beside the traces, as the index is: it contains commands to copy, and a file that came with a
trace could contain those of somebody else.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from functrace import __version__
from functrace.cache import entries
from functrace.cache.folders import choose
from functrace.cache.trimming import trim
from functrace.text import triage_json
from functrace.tracefile.format import HEADER_BYTES
from functrace.view import links
from functrace.view.session import Session

_MIN_EVENTS = 2_000_000
_MAX_BYTES = 64 << 20


def triage_report(session: Session) -> dict[str, Any]:
    """Return all findings as ``functrace triage --json`` does, each with links."""
    return session.results.get("triage report", lambda: _kept_report(session))


def _kept_report(session: Session) -> dict[str, Any]:
    key = _key(session)
    folder = choose("view").folder if key else ""
    kept = entries.read(folder, key)
    if kept is not None:
        report: dict[str, Any] = json.loads(kept)
        return report
    report = _report(session)
    if folder:
        entries.put(folder, key, json.dumps(report).encode())
        trim(folder, _MAX_BYTES)
    return report


def _report(session: Session) -> dict[str, Any]:
    report = triage_json.report(session.triage, session.arguments, 0)
    for kind in triage_json.KINDS:
        for finding in report[kind]:
            finding["links"] = links.of_finding(session, finding, kind)
    return report


def _key(session: Session) -> str:
    """Return a digest of what the findings depend on; empty if they are not kept."""
    if sum(trace.events for trace in session.traces) < _MIN_EVENTS:
        return ""
    digest = hashlib.blake2b(repr((__version__, session.arguments)).encode(), digest_size=20)
    try:
        for trace in session.traces:
            if trace.is_running:
                return ""
            modified = os.stat(trace.path).st_mtime_ns
            size = len(trace.words.data)
            facts = (str(trace.path), trace.path.absolute(), size, modified, trace.events)
            digest.update(repr(facts).encode("utf-8", "backslashreplace"))
            digest.update(trace.words.data[:HEADER_BYTES])
    except OSError:
        return ""
    return digest.hexdigest()
