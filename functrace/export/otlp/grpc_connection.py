"""OTLP over gRPC, with the generated client of the specification."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from functrace.export.otlp.exporter_settings import USER_AGENT, ExporterSettings
from functrace.export.otlp.send_result import SendResult, from_response

_RETRYABLE = frozenset(
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
_BAD_REQUEST = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED})
_COMPRESSION = {"": grpc.Compression.NoCompression, "gzip": grpc.Compression.Gzip}
_RETRY_INFO = "google.rpc.retryinfo-bin"
_STATUS = "grpc-status-details-bin"


class GrpcConnection:
    """Connection over gRPC; see send_result.Connection.

    Raises:
        ValueError: a setting is not supported over gRPC.
        OSError: a certificate or key cannot be read.
    """

    def __init__(self, settings: ExporterSettings) -> None:
        if settings.compression not in _COMPRESSION:
            raise ValueError(
                f"compression {settings.compression} is not supported over gRPC; use gzip or none"
            )
        url = urlsplit(settings.endpoint)
        self.address = url.netloc or settings.endpoint
        """host and port"""
        is_insecure = url.scheme == "http" or (url.scheme != "https" and settings.insecure)
        self._credentials = None if is_insecure else _credentials(settings)
        self._compression = _COMPRESSION[settings.compression]
        self._metadata = tuple(settings.headers.items())
        self._channel: Any = None

    def prepare(self, request: ExportTraceServiceRequest) -> Callable[[float], SendResult]:
        """Return a function that sends the request once, within a timeout in seconds."""
        return lambda timeout_s: self._send(request, timeout_s)

    def close(self) -> None:
        """Close the connection."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _send(self, request: ExportTraceServiceRequest, timeout_s: float) -> SendResult:
        if self._channel is None:
            self._channel = self._open()
        export = TraceServiceStub(self._channel).Export  # type: ignore[no-untyped-call]
        try:
            return from_response(export(request, timeout=timeout_s, metadata=self._metadata))
        except grpc.RpcError as error:
            # A failed channel waits up to two minutes before it connects again; a new one does not.
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                self.close()
            return _failure(error)
        except ValueError as error:  # a header that gRPC does not accept
            return SendResult(False, message=str(error))

    def _open(self) -> Any:
        options = (("grpc.primary_user_agent", USER_AGENT),)
        if self._credentials is None:
            return grpc.insecure_channel(self.address, options, self._compression)
        return grpc.secure_channel(self.address, self._credentials, options, self._compression)


def _credentials(settings: ExporterSettings) -> Any:
    def content(path: str | None) -> bytes | None:
        return Path(path).read_bytes() if path else None

    chain = content(settings.client_certificate)
    key = content(settings.client_key) or chain  # one file may contain both
    if key and not chain:
        raise ValueError("a client key requires a client certificate")
    return grpc.ssl_channel_credentials(content(settings.certificate), key, chain)


def _failure(error: Any) -> SendResult:
    code = error.code()
    retry_after_s = _retry_after_s(error.trailing_metadata() or ())
    # A server that is temporarily out of resources specifies a retry delay.
    is_retryable = code in _RETRYABLE or (
        code is grpc.StatusCode.RESOURCE_EXHAUSTED and retry_after_s is not None
    )
    return SendResult(
        False,
        message=f"{code.name}: {' '.join(str(error.details()).split())}",
        is_retryable=is_retryable,
        retry_after_s=retry_after_s,
        is_bad_request=code in _BAD_REQUEST and not is_retryable,
    )


def _retry_after_s(metadata: Any) -> float | None:
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
