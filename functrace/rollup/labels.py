"""Labels of a process: service, release, instance, host and build."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from functrace.tracefile import Trace
from functrace.tracefile.facts import encodable
from functrace.tracefile.programs import service_name

RELEASE_VARIABLE = "FUNCTRACE_RELEASE"
_MAX_CHARACTERS = 200
_ID_DIGITS = 16


@dataclass(frozen=True)
class Labels:
    """Labels by which rollups are selected."""

    service: str
    release: str
    instance: str
    host: str
    build: str


def labels_of(trace: Trace, *, service: str = "", release: str = "", instance: str = "") -> Labels:
    """Return the labels of a trace; those given replace those of the trace."""
    facts = trace.process
    options = facts.get("options")
    set_release = options.get(RELEASE_VARIABLE) if isinstance(options, dict) else None
    return Labels(
        service=_label(service or service_name(trace)) or "unknown",
        release=_label(release or set_release),
        instance=_label(instance or _instance(trace)),
        host=_label(facts.get("host")),
        build=_label(_build(facts.get("build"))),
    )


def recording_id(trace: Trace) -> str:
    """Return an id of a recording, which is the same whenever and wherever its trace is read."""
    host = trace.process.get("host")
    parts = [host, trace.pid, trace.started, trace.process_key, trace.language]
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:_ID_DIGITS]


def _instance(trace: Trace) -> str:
    """Return the key of the process, or the id of its recording if the trace has no key."""
    return f"{trace.process_key:016x}" if trace.process_key else recording_id(trace)


def _build(build: Any) -> str:
    """Return the main module and its version."""
    if not isinstance(build, dict):
        return ""
    parts = [str(part) for part in (build.get("main"), build.get("version")) if part]
    return "@".join(parts)


def _label(value: Any) -> str:
    return encodable(value)[:_MAX_CHARACTERS] if isinstance(value, str) else ""
