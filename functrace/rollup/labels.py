"""Labels of a process: service, release, instance, host and build."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from functrace.tracefile.facts import encodable
from functrace.tracefile.programs import Recorded, process_key, service_name

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


def labels_of(
    trace: Recorded, *, service: str = "", release: str = "", instance: str = ""
) -> Labels:
    """Return the labels of a trace; those given replace those of the trace."""
    facts = trace.process
    return Labels(
        service=_label(service or service_name(trace)) or "unknown",
        release=_label(release or _release(facts)),
        instance=_label(instance or _instance(trace)),
        host=_label(facts.get("host")),
        build=_label(_build(facts.get("build"))),
    )


def recording_id(trace: Recorded) -> str:
    """Return an id of a recording, which is the same whenever and wherever its trace is read."""
    host = trace.process.get("host")
    return _digest([host, trace.pid, trace.started, process_key(trace), trace.language])


def part_id(recording: str, window_ns: int, begin_ns: int) -> str:
    """Return the id of a part of a recording, which has a rollup of its own.

    Args:
        recording: id of the recording.
        window_ns: start of the first window of the part, nanoseconds since 1970.
        begin_ns: time in the trace from which calls count.
    """
    return _digest([recording, window_ns, begin_ns])


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:_ID_DIGITS]


def _instance(trace: Recorded) -> str:
    """Return the key of the process, or the id of its recording if the trace has no key."""
    key = process_key(trace)
    return f"{key:016x}" if key else recording_id(trace)


def _release(facts: dict[str, Any]) -> Any:
    """Return the release; older traces have it among the variables only."""
    options = facts.get("options")
    variable = options.get(RELEASE_VARIABLE) if isinstance(options, dict) else None
    return facts.get("release") or variable


def _build(build: Any) -> str:
    """Return the main module and its version."""
    if not isinstance(build, dict):
        return ""
    parts = [str(part) for part in (build.get("main"), build.get("version")) if part]
    return "@".join(parts)


def _label(value: Any) -> str:
    return encodable(value)[:_MAX_CHARACTERS] if isinstance(value, str) else ""
