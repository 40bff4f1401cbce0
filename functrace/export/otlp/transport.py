"""Transport of requests to a collector: selection of the protocol, and retries."""

from __future__ import annotations

import os
import random
import time
from typing import Any

from functrace.errors import UsageError
from functrace.export.otlp.exporter_settings import GRPC, ExporterSettings, read_settings
from functrace.export.otlp.redaction import redact
from functrace.export.otlp.send_result import Connection, SendResult

_MAX_ATTEMPTS = 6
_JITTER = 0.2  # share by which a pause is shortened or lengthened at random
_MIN_TIMEOUT_S = 0.001


class Transport:
    """Connection to a collector that repeats failed requests.

    Args:
        connection: connection without retries.
        timeout_s: timeout of a request in seconds, including its retries.
    """

    def __init__(self, connection: Connection, timeout_s: float) -> None:
        self._connection = connection
        self._timeout_s = timeout_s
        self.last_error = ""
        """error of the last attempt; empty if it succeeded or none has ended yet"""

    @property
    def address(self) -> str:
        """Address of the collector, for messages."""
        return self._connection.address

    def send(self, request: Any) -> SendResult:
        """Send a request until it is accepted, refused permanently, or the timeout is exceeded."""
        deadline = time.monotonic() + self._timeout_s
        self.last_error = ""
        attempt = self._connection.prepare(request)
        number = 0
        while True:
            number += 1
            result = attempt(max(deadline - time.monotonic(), _MIN_TIMEOUT_S))
            self.last_error = "" if result.accepted else result.message
            pause_s = _pause_s(number, result)
            is_last = number == _MAX_ATTEMPTS or pause_s > deadline - time.monotonic()
            if is_last or not result.is_retryable:
                return result
            time.sleep(pause_s)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def connect(endpoint: str | None = None, protocol: str | None = None) -> Transport:
    """Return a transport; OTEL_EXPORTER_OTLP variables provide omitted arguments.

    Raises:
        UsageError: an argument or a variable is invalid or not supported.
    """
    settings = read_settings(os.environ, endpoint, protocol)
    try:
        return Transport(_connection(settings), settings.timeout_s)
    except (ValueError, OSError) as error:
        raise UsageError(f"OTEL_EXPORTER_OTLP variables: {redact(str(error))}") from None


def _connection(settings: ExporterSettings) -> Connection:
    if settings.protocol == GRPC:
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # the result contains what it would log
        from functrace.export.otlp.grpc_connection import GrpcConnection

        return GrpcConnection(settings)
    from functrace.export.otlp.http_connection import HttpConnection

    return HttpConnection(settings)


def _pause_s(attempt: int, result: SendResult) -> float:
    if result.retry_after_s is not None:
        return result.retry_after_s
    return float(2 ** (attempt - 1)) * random.uniform(1 - _JITTER, 1 + _JITTER)
