"""Results of OTLP requests, and the transport interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


class Answer(NamedTuple):
    """Answer of a collector, or the error that prevented one."""

    accepted: bool
    """whether the request was accepted, except for the refused spans"""
    refused: int = 0
    told: str = ""
    """message of the collector, or error"""
    again: bool = False
    """whether the same request may be accepted later"""
    wait: float | None = None
    """seconds until the retry, if the collector specifies them"""
    only_this: bool = False
    """whether only this request is invalid, so that others may be accepted"""


class Transport(Protocol):
    """Connection to a collector through one of OpenTelemetry's own exporters."""

    @property
    def where(self) -> str:
        """Address of the collector, for messages."""

    @property
    def obstacle(self) -> str:
        """Error of the last attempt; empty if it succeeded or is in progress."""

    def send(self, request: ExportTraceServiceRequest) -> Answer:
        """Send a request, with retries, within OTEL_EXPORTER_OTLP_TIMEOUT."""

    def close(self) -> None:
        """Close the connection."""


@dataclass
class Tally:
    """Counts of sent and refused spans."""

    sent: int = 0
    """spans that the collector accepted"""
    refused: int = 0
    """spans that the collector refused permanently"""
    reason: str = ""
    """reason of the first refusal"""

    def note(self, answer: Answer, spans: int) -> None:
        """Count the spans of a request that has its final answer."""
        refused = min(answer.refused, spans) if answer.accepted else spans
        self.refused += refused
        self.sent += spans - refused
        if answer.told and not self.reason:
            self.reason = answer.told


def accepted(response: ExportTraceServiceResponse) -> Answer:
    """Return the answer for a response, including its partial success."""
    partial = response.partial_success
    return Answer(True, refused=max(partial.rejected_spans, 0), told=partial.error_message)
