"""What became of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


class Answer(NamedTuple):
    """A collector's, or why there is none."""

    accepted: bool
    """but for the spans refused"""
    refused: int = 0
    told: str = ""
    """what the collector says, or what stands in the way"""
    again: bool = False
    """the same request may be taken later"""
    wait: float | None = None
    """seconds until then, if the collector says so"""
    only_this: bool = False
    """the request itself is not accepted; others may be"""


class Transport(Protocol):
    """A connection to a collector through one of OpenTelemetry's own exporters."""

    @property
    def where(self) -> str:
        """The address, for people."""

    @property
    def obstacle(self) -> str:
        """What the last attempt failed with; empty if it did not fail or is under way."""

    def send(self, request: ExportTraceServiceRequest) -> Answer:
        """Send a request, again where that helps, within OTEL_EXPORTER_OTLP_TIMEOUT."""

    def close(self) -> None:
        """Give the connection up."""


@dataclass
class Tally:
    """What became of spans."""

    sent: int = 0
    """taken by the collector"""
    refused: int = 0
    """by the collector, for good"""
    reason: str = ""
    """why the first of the refused were"""

    def note(self, answer: Answer, spans: int) -> None:
        """A request with so many has its answer for good."""
        refused = min(answer.refused, spans) if answer.accepted else spans
        self.refused += refused
        self.sent += spans - refused
        if answer.told and not self.reason:
            self.reason = answer.told


def accepted(response: ExportTraceServiceResponse) -> Answer:
    """The answer, of which a part may say that spans were refused."""
    partial = response.partial_success
    return Answer(True, refused=max(partial.rejected_spans, 0), told=partial.error_message)
