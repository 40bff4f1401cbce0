"""Results of OTLP requests, and counts of their spans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse


class SendResult(NamedTuple):
    """Response of a collector to a request, or the error that prevented one."""

    accepted: bool
    """whether the request was accepted, except for the refused spans"""
    refused_spans: int = 0
    message: str = ""
    """message of the collector, or error"""
    is_retryable: bool = False
    """whether the same request may be accepted later"""
    retry_after_s: float | None = None
    """seconds until the retry, if the collector specifies them"""
    is_bad_request: bool = False
    """whether only this request is invalid, so that others may be accepted"""


class Connection(Protocol):
    """Connection to a collector over one protocol, without retries."""

    @property
    def address(self) -> str:
        """Address of the collector, for messages."""

    def prepare(self, request: Any) -> Callable[[float], SendResult]:
        """Return a function that sends the request once, within a timeout in seconds."""

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

    def count(self, result: SendResult, spans: int) -> None:
        """Count the spans of a request that has its final result."""
        refused = min(result.refused_spans, spans) if result.accepted else spans
        self.refused += refused
        self.sent += spans - refused
        if result.message and not self.reason:
            self.reason = result.message


def from_response(response: ExportTraceServiceResponse) -> SendResult:
    """Return the result for a response, including its partial success."""
    partial = response.partial_success
    refused = max(partial.rejected_spans, 0)
    return SendResult(True, refused_spans=refused, message=partial.error_message)
