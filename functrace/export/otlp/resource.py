"""The resource of a trace's spans: the process that recorded it."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from opentelemetry.sdk.resources import OTELResourceDetector

from functrace import __version__
from functrace.export import processes
from functrace.export.otlp.ids import Identity
from functrace.export.otlp.messages import Value
from functrace.trace import Trace


def resource(trace: Trace) -> dict[str, Value]:
    """Attributes; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES have the last word."""
    told: dict[str, Value] = {
        "service.name": _service(trace),
        "service.instance.id": Identity(trace).instance,
        "process.pid": trace.pid,
        "telemetry.sdk.name": "functrace",
        "telemetry.sdk.version": __version__,
        "telemetry.sdk.language": trace.language,
    }
    told |= _process(trace) | _runtime(trace)
    for key, value in OTELResourceDetector().detect().attributes.items():
        told[key] = value if isinstance(value, str) else str(value)
    return told


def _service(trace: Trace) -> str:
    """What runs: of an interpreter, the module or script."""
    main = _text(_build(trace), "main").removesuffix(".__main__")
    if main.endswith(".pyc"):
        main = _behind(main, processes.arguments(trace))
    if trace.language != "python" or not main:
        return processes.name(trace)
    return PurePath(main).stem if "/" in main or main.endswith(".py") else main


def _behind(started: str, arguments: list[str]) -> str:
    """The script or module that functrace run names behind the compiled file that it starts."""
    words = arguments[arguments.index(started) + 1 :] if started in arguments else []
    return next((word for word in words if word != "-m"), "")


def _build(trace: Trace) -> dict[str, Any]:
    found = trace.process.get("build")
    return found if isinstance(found, dict) else {}


def _process(trace: Trace) -> dict[str, Value]:
    arguments = processes.arguments(trace)
    told: dict[str, Value] = {}
    if arguments:
        told["process.command_args"] = arguments
    for key, name in (("host", "host.name"), ("executable", "process.executable.path")):
        if _text(trace.process, key):
            told[name] = _text(trace.process, key)
    if _text(trace.process, "executable"):
        told["process.executable.name"] = PurePath(_text(trace.process, "executable")).name
    if type(trace.process.get("ppid")) is int:
        told["process.parent_pid"] = trace.process["ppid"]
    if _text(_build(trace), "version"):
        told["service.version"] = _text(_build(trace), "version")
    return told


def _runtime(trace: Trace) -> dict[str, Value]:
    """Go's recorder says ``go1.27.3 linux/amd64``, Python's ``CPython 3.13.0 linux``."""
    description = _text(trace.process, "runtime")
    words = description.split()
    if len(words) < 2:
        return {}
    name, version = ("go", words[0]) if trace.language == "go" else (words[0].lower(), words[1])
    return {
        "process.runtime.name": name,
        "process.runtime.version": version,
        "process.runtime.description": description,
    }


def _text(facts: dict[str, Any], key: str) -> str:
    """A fact, if it is there and a text."""
    value = facts.get(key)
    return value if isinstance(value, str) else ""
