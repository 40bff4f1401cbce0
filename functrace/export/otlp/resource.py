"""OpenTelemetry resource of a recorded process."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from opentelemetry.sdk.resources import OTELResourceDetector

from functrace import __version__
from functrace.export.otlp.ids import Identity
from functrace.export.otlp.request_attributes import Value
from functrace.tracefile import programs
from functrace.tracefile.programs import Recorded


def resource(recorded: Recorded) -> dict[str, Value]:
    """Return resource attributes; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES override them."""
    facts: dict[str, Value] = {
        "service.name": programs.service_name(recorded),
        "service.instance.id": Identity(recorded).instance,
        "process.pid": recorded.pid,
        "telemetry.sdk.name": "functrace",
        "telemetry.sdk.version": __version__,
        "telemetry.sdk.language": recorded.language,
    }
    facts |= _process(recorded) | _runtime(recorded)
    for key, value in OTELResourceDetector().detect().attributes.items():
        facts[key] = value if isinstance(value, str) else str(value)
    return facts


def service_name(recorded: Recorded) -> str:
    """Return the name of the service, which OTEL_SERVICE_NAME overrides."""
    return str(resource(recorded)["service.name"])


def _build(recorded: Recorded) -> dict[str, Any]:
    found = recorded.process.get("build")
    return found if isinstance(found, dict) else {}


def _process(recorded: Recorded) -> dict[str, Value]:
    arguments = programs.arguments(recorded)
    facts: dict[str, Value] = {}
    if arguments:
        facts["process.command_args"] = arguments
    for key, name in (("host", "host.name"), ("executable", "process.executable.path")):
        if _text(recorded.process, key):
            facts[name] = _text(recorded.process, key)
    if _text(recorded.process, "executable"):
        facts["process.executable.name"] = PurePath(_text(recorded.process, "executable")).name
    if type(recorded.process.get("ppid")) is int:
        facts["process.parent_pid"] = recorded.process["ppid"]
    if _text(_build(recorded), "version"):
        facts["service.version"] = _text(_build(recorded), "version")
    return facts


def _runtime(recorded: Recorded) -> dict[str, Value]:
    """Return attributes from ``go1.27.3 linux/amd64`` or ``CPython 3.13.0 linux``."""
    description = _text(recorded.process, "runtime")
    words = description.split()
    if len(words) < 2:
        return {}
    name, version = ("go", words[0]) if recorded.language == "go" else (words[0].lower(), words[1])
    return {
        "process.runtime.name": name,
        "process.runtime.version": version,
        "process.runtime.description": description,
    }


def _text(facts: dict[str, Any], key: str) -> str:
    """Return a fact if it is a string, or an empty string."""
    value = facts.get(key)
    return value if isinstance(value, str) else ""
