"""Selection of the OTLP transport."""

from __future__ import annotations

import logging
import os

from functrace.errors import UsageError
from functrace.export.otlp.answers import Transport
from functrace.export.otlp.redaction import redact

GRPC, HTTP = "grpc", "http/protobuf"
PROTOCOLS = (HTTP, GRPC)


def connect(endpoint: str | None = None, protocol: str | None = None) -> Transport:
    """Return a connection; OTEL_EXPORTER_OTLP variables provide omitted arguments.

    Raises:
        UsageError: an argument or a variable is invalid or not supported.
    """
    # The result of the export contains what the exporters would log.
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    protocol = protocol or _variable("PROTOCOL") or HTTP
    if protocol not in PROTOCOLS:
        raise UsageError(f"OTLP as {protocol}: it can be {' or '.join(PROTOCOLS)}")
    if protocol == HTTP and endpoint and not endpoint.startswith(("http://", "https://")):
        raise UsageError(f"{redact(endpoint)} is no address such as http://localhost:4318")
    try:
        return _transport(endpoint, protocol)
    except (ValueError, OSError) as error:
        raise UsageError(f"OTEL_EXPORTER_OTLP variables: {redact(str(error))}") from None


def _transport(endpoint: str | None, protocol: str) -> Transport:
    if protocol == GRPC:
        from functrace.export.otlp.over_grpc import Grpc

        return Grpc(endpoint, _timeout())
    from functrace.export.otlp.over_http import Http

    return Http(endpoint, _timeout())


def _timeout() -> float:
    """Return OTEL_EXPORTER_OTLP_TIMEOUT in seconds.

    The specification defines it in milliseconds; OpenTelemetry's exporters for Python read seconds.

    Raises:
        ValueError: it is not a positive number.
    """
    text = _variable("TIMEOUT") or "10000"
    timeout_ms = float(text) if text.replace(".", "", 1).isdecimal() else 0.0
    if not timeout_ms:
        raise ValueError(f"timeout {text} is not a positive number of milliseconds")
    return timeout_ms / 1000


def _variable(name: str) -> str:
    """Return a variable; the one for traces overrides the one for all signals."""
    return os.environ.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}") or os.environ.get(
        f"OTEL_EXPORTER_OTLP_{name}", ""
    )
