"""Service and release of the process, also from the variables of OpenTelemetry."""

from __future__ import annotations

from functrace.runtime import BUILTINS

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Mapping

globals()["__builtins__"] = BUILTINS


def service_facts(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the service and the release that the environment sets; empty for none."""
    attributes = environment.get("OTEL_RESOURCE_ATTRIBUTES") or ""
    return {
        "service": environment.get("FUNCTRACE_SERVICE")
        or environment.get("OTEL_SERVICE_NAME")
        or _attribute(attributes, "service.name"),
        "release": environment.get("FUNCTRACE_RELEASE")
        or _attribute(attributes, "service.version"),
    }


def _attribute(attributes: str, name: str) -> str:
    """Return the value of a key in ``key=value,key=value``; of several, the last one counts."""
    found = ""
    for item in attributes.split(","):
        key, is_pair, value = item.partition("=")
        if is_pair and key.strip() == name:
            found = _percent_decoded(value.strip())
    return found


def _percent_decoded(text: str) -> str:
    """Return the text without escapes such as %20; as it is if one of them is invalid."""
    first, *others = text.split("%")
    found = first.encode("utf-8", "surrogateescape")
    for other in others:
        digits = other[:2]
        if len(digits) < 2 or digits.strip("0123456789abcdefABCDEF"):
            return text
        found += bytes((int(digits, 16),)) + other[2:].encode("utf-8", "surrogateescape")
    return found.decode("utf-8", "replace")
