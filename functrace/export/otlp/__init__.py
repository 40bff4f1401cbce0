"""Export of traces as OpenTelemetry spans to any backend that accepts OTLP; see docs/otlp.md."""

from functrace.export.otlp.call_selection import ALL_CALLS, Options
from functrace.export.otlp.collector_export import export
from functrace.export.otlp.exporter_settings import PROTOCOLS
from functrace.export.otlp.redaction import redact
from functrace.export.otlp.resuming import resume_token
from functrace.export.otlp.sending import Clock, Delivery, StoppedError
from functrace.export.otlp.transport import connect

__all__ = [
    "ALL_CALLS",
    "PROTOCOLS",
    "Clock",
    "Delivery",
    "Options",
    "StoppedError",
    "connect",
    "export",
    "redact",
    "resume_token",
]
