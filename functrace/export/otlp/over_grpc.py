"""OTLP over gRPC, sent by OpenTelemetry's exporter.

The exporter knows endpoint, headers, certificates, compression and time limits, and tries again.
But it takes only the SDK's spans, and keeps what the collector answers to itself. So its hook for
turning spans into a request is handed the request, and its client notes the answer.
"""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc.exporter import InvalidCompressionValueException
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from functrace.export.otlp.answers import Answer, accepted

_LATER = frozenset(
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
_ONLY_THIS = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED})
_RETRY_INFO = "google.rpc.retryinfo-bin"
_STATUS = "grpc-status-details-bin"


class Grpc:
    """A transport.

    Args:
        endpoint: as OTEL_EXPORTER_OTLP_ENDPOINT, and before it; None: as the variables say.
        timeout: seconds for a request, retries included.
    """

    def __init__(self, endpoint: str | None, timeout: float) -> None:
        try:
            self._exporter = _Exporter(endpoint=endpoint, timeout=timeout)
        except InvalidCompressionValueException as error:
            raise ValueError(error) from None

    @property
    def where(self) -> str:
        """As Transport.where."""
        return self._exporter.address

    @property
    def obstacle(self) -> str:
        """As Transport.obstacle."""
        return self._exporter.obstacle

    def send(self, request: ExportTraceServiceRequest) -> Answer:
        """As Transport.send."""
        return self._exporter.send(request)

    def close(self) -> None:
        """As Transport.close."""
        self._exporter.shutdown()


class _Exporter(OTLPSpanExporter):
    """OpenTelemetry's, with its client in between."""

    obstacle = ""
    """what the last attempt failed with"""

    def send(self, request: ExportTraceServiceRequest) -> Answer:
        """Send a request and return its answer."""
        self.obstacle = ""
        self._answer = Answer(False, told="nothing was sent")
        self._export(request)
        return self._answer

    @property
    def address(self) -> str:
        """Where requests are sent."""
        return str(self._endpoint)

    def _translate_data(self, data: Any) -> Any:
        return data

    def _count_data(self, data: Any) -> int:
        spans = data.resource_spans[0].scope_spans[0].spans
        return len(spans)

    def _initialize_channel_and_stub(self) -> None:
        super()._initialize_channel_and_stub()  # type: ignore[no-untyped-call]
        self._stub_in_use: Any = self._client
        self._client: Any = self

    def Export(self, **told: Any) -> ExportTraceServiceResponse:  # noqa: N802  the service's name
        """As the client's."""
        try:
            response: ExportTraceServiceResponse = self._stub_in_use.Export(**told)
        except grpc.RpcError as error:
            self._answer = _refusal(error)
            self.obstacle = self._answer.told
            raise
        self._answer = accepted(response)
        return response


def _refusal(error: Any) -> Answer:
    code = error.code()
    wait = _retry_after(error.trailing_metadata() or ())
    # A server that is out of resources for now says when to come again.
    again = code in _LATER or (code is grpc.StatusCode.RESOURCE_EXHAUSTED and wait is not None)
    return Answer(
        False,
        told=f"{code.name}: {' '.join(str(error.details()).split())}",
        again=again,
        wait=wait,
        only_this=code in _ONLY_THIS and not again,
    )


def _retry_after(metadata: Any) -> float | None:
    """Return the seconds of a RetryInfo: a detail of the status, or metadata of its own."""
    info = RetryInfo()
    for key, value in metadata:
        try:
            if key == _RETRY_INFO:
                info = RetryInfo.FromString(value)
            elif key != _STATUS or not _unpack(Status.FromString(value), info):
                continue
        except DecodeError:
            return None
        return float(info.retry_delay.seconds + info.retry_delay.nanos / 1e9)
    return None


def _unpack(status: Status, info: RetryInfo) -> bool:
    return any(detail.Unpack(info) for detail in status.details)
