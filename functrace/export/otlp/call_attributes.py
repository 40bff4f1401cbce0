"""Attributes of the spans of calls."""

from __future__ import annotations

from typing import Protocol

from functrace.analysis.stream import Call
from functrace.export.otlp.request_attributes import Value
from functrace.tracefile import Function


class TrackInfo(Protocol):
    """Track attributes of a span."""

    @property
    def id(self) -> int:
        """Track id of the language runtime."""

    @property
    def kind(self) -> str:
        """Kind: goroutine, thread, task or unknown."""

    @property
    def name(self) -> str:
        """Name, or an empty string."""


def function_attributes(function: Function) -> dict[str, Value]:
    """Return the attributes of a function; those of requests have none."""
    if function.direction:
        return {}
    facts: dict[str, Value] = {"code.function.name": function.name}
    if function.file:
        facts["code.file.path"] = function.file
    if function.line:
        facts["code.line.number"] = function.line
    return facts


def call_attributes(call: Call) -> dict[str, Value]:
    """Return the attributes that only few calls have."""
    facts: dict[str, Value] = {}
    if call.unfinished:
        facts["functrace.unfinished"] = True
    if call.goexit:
        facts["functrace.goexit"] = True
    if call.suspended:
        facts["functrace.suspended_ns"] = call.suspended
    return facts


def track_attributes(track: TrackInfo) -> dict[str, Value]:
    """Return track attributes; the semantic conventions define names only for threads."""
    prefix = "thread" if track.kind == "thread" else f"functrace.{track.kind}"
    facts: dict[str, Value] = {f"{prefix}.id": track.id}
    if track.name:
        facts[f"{prefix}.name"] = track.name
    return facts
