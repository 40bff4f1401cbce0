"""OTLP transport over gRPC, based on OpenTelemetry's exporter.

The exporter handles endpoint, headers, certificates, compression, timeouts and retries. But it
accepts only SDK spans and does not expose the answers of the collector. So its hook that converts
spans to a request is overridden to pass the request through, and a wrapped client records answers.
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
    """Transport over gRPC.

    Args:
        endpoint: overrides OTEL_EXPORTER_OTLP_ENDPOINT; None: as the variables specify.
        timeout: seconds for a request, retries included.
    """

    def __init__(self, endpoint: str | None, timeout: float) -> None:
        try:
            self._exporter = _Exporter(endpoint=endpoint, timeout=timeout)
        except InvalidCompressionValueException as error:
            raise ValueError(error) from None

    @property
    def where(self) -> str:
        """Address of the collector; see Transport.where."""
        return self._exporter.address

    @property
    def obstacle(self) -> str:
        """Error of the last attempt; see Transport.obstacle."""
        return self._exporter.obstacle

    def send(self, request: ExportTraceServiceRequest) -> Answer:
        """Send a request; see Transport.send."""
        return self._exporter.send(request)

    def close(self) -> None:
        """Close the connection; see Transport.close."""
        self._exporter.shutdown()


class _Exporter(OTLPSpanExporter):
    """OpenTelemetry's exporter, which also serves as a wrapper of its own client."""

    obstacle = ""
    """error of the last attempt"""

    def send(self, request: ExportTraceServiceRequest) -> Answer:
        """Send a request and return its answer."""
        self.obstacle = ""
        self._answer = Answer(False, told="nothing was sent")
        self._export(request)
        return self._answer

    @property
    def address(self) -> str:
        """Address to which requests are sent."""
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
        """Send a request through the wrapped client, and record the answer."""
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
    # A server that is temporarily out of resources specifies a retry delay.
    again = code in _LATER or (code is grpc.StatusCode.RESOURCE_EXHAUSTED and wait is not None)
    return Answer(
        False,
        told=f"{code.name}: {' '.join(str(error.details()).split())}",
        again=again,
        wait=wait,
        only_this=code in _ONLY_THIS and not again,
    )


def _retry_after(metadata: Any) -> float | None:
    """Return the delay in seconds from a RetryInfo in the status details or in the metadata."""
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
