"""Reason for which the watcher saved a trace: that in the bundle from which the trace is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from functrace.errors import FunctraceError
from functrace.tracefile import Trace
from functrace.tracefile.archive import is_archive, read_member
from functrace.watch.bundle_names import WHY

_MAX_BYTES = 1 << 20
_MAX_LINES = 100
_MAX_SECONDS = 1e11  # the year 5138


def reason_of(trace: Trace) -> dict[str, Any] | None:
    """Return trigger, summary, chain and other triggers; None if the trace is in no bundle."""
    content = _content(trace.path)
    try:
        found = json.loads(content or "null")
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("summary"), str):
        return None
    if not is_archive(trace.path) and found.get("trace") != trace.path.name:
        return None  # that of another trace in the folder
    return {
        "trigger": _text(found.get("trigger")),
        "summary": found["summary"],
        "at": _seconds(found.get("at")),
        "function": _text(found.get("function")),
        "chain": _texts(found.get("chain")),
        "also_true": _texts(found.get("also_true")),
    }


def _content(path: Path) -> bytes | None:
    try:
        if is_archive(path):
            return read_member(path, WHY, _MAX_BYTES)
        file = path.with_name(WHY)
        return file.read_bytes() if file.is_file() and file.stat().st_size <= _MAX_BYTES else None
    except (FunctraceError, OSError):
        return None


def _seconds(value: object) -> float | None:
    """Return a time in seconds since 1970 that a page can show."""
    if not isinstance(value, (int, float)) or not abs(value) < _MAX_SECONDS:
        return None
    return float(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    return list(map(_text, value[:_MAX_LINES])) if isinstance(value, list) else []
