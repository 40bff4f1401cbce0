"""OTLP over HTTP: protobuf messages in POST requests."""

from __future__ import annotations

import gzip
import math
import time
import zlib
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from functrace.export.otlp.exporter_settings import USER_AGENT, ExporterSettings
from functrace.export.otlp.send_result import SendResult, from_response

_RETRYABLE = (429, 502, 503, 504)
_BAD_REQUEST = (400, 413)
_MAX_MESSAGE_CHARS = 500
_COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, 6),
    "deflate": zlib.compress,
}

_TEMPORARY = (requests.exceptions.ConnectionError, requests.exceptions.Timeout)
_PERMANENT = (requests.exceptions.SSLError, requests.exceptions.ProxyError)


class HttpConnection:
    """Connection over HTTP; see send_result.Connection.

    A compression other than gzip and deflate is ignored. A subclass may send other messages.
    """

    content_type = "application/x-protobuf"

    def __init__(self, settings: ExporterSettings) -> None:
        self.address = settings.endpoint
        """URL"""
        self._session = requests.Session()
        # An argument, since requests prefers REQUESTS_CA_BUNDLE to the session's attribute.
        self._verify = settings.certificate or True
        if settings.client_certificate and settings.client_key:
            self._session.cert = (settings.client_certificate, settings.client_key)
        else:
            self._session.cert = settings.client_certificate
        self._compress = _COMPRESS.get(settings.compression)
        self._session.headers["User-Agent"] = USER_AGENT
        self._session.headers.update(settings.headers)
        self._session.headers["Content-Type"] = self.content_type
        if self._compress is not None:
            self._session.headers["Content-Encoding"] = settings.compression

    def prepare(self, request: Any) -> Callable[[float], SendResult]:
        """Return a function that sends the request once, within a timeout in seconds."""
        body = self.encode(request)
        if self._compress is not None:
            body = self._compress(body)
        return lambda timeout_s: self._send(body, timeout_s)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def encode(self, request: Any) -> bytes:
        """Return the body of a request."""
        return bytes(request.SerializeToString())

    def read_acceptance(self, response: requests.Response) -> SendResult:
        """Return the result of a response with a status that means success."""
        return _accepted(response)

    def _send(self, body: bytes, timeout_s: float) -> SendResult:
        try:
            response = self._session.post(
                self.address,
                data=body,
                timeout=timeout_s,
                verify=self._verify,
                allow_redirects=False,
            )
        except (OSError, ValueError) as error:  # requests raises both, also unwrapped
            is_retryable = isinstance(error, _TEMPORARY) and not isinstance(error, _PERMANENT)
            return SendResult(False, message=_innermost(error), is_retryable=is_retryable)
        if 200 <= response.status_code < 300:
            return self.read_acceptance(response)
        return _refused(response)


def _refused(response: requests.Response) -> SendResult:
    status = response.status_code
    message = f"{status} {response.reason}".strip()
    if response.is_redirect:
        return SendResult(False, message=f"{message}: it is at {response.headers['location']}")
    reason = _reason(response)
    return SendResult(
        False,
        message=f"{message}: {reason}" if reason else message,
        is_retryable=status in _RETRYABLE,
        retry_after_s=_retry_after_s(response.headers.get("retry-after", "")),
        is_bad_request=status in _BAD_REQUEST,
    )


def _accepted(response: requests.Response) -> SendResult:
    message = ExportTraceServiceResponse()
    try:
        if "json" in response.headers.get("content-type", ""):
            json_format.Parse(response.content, message, ignore_unknown_fields=True)
        else:
            message.ParseFromString(response.content)
    except (DecodeError, json_format.ParseError):
        return SendResult(False, message="the response is not OTLP; check the endpoint")
    return from_response(message)


def _reason(response: requests.Response) -> str:
    """Return the reason in a response, a Status message or text, on one line."""
    if "protobuf" in response.headers.get("content-type", ""):
        try:
            text = Status.FromString(response.content).message
        except DecodeError:
            text = ""
    else:
        text = response.text
    return " ".join(text.split())[:_MAX_MESSAGE_CHARS]


def _retry_after_s(text: str) -> float | None:
    """Return the delay in seconds from a number or a date; None if `text` is neither."""
    try:
        return max(float(text), 0.0) if math.isfinite(float(text)) else None
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except ValueError:
        return None


def _innermost(error: BaseException) -> str:
    """Return the message of the system error that libraries have wrapped."""
    while True:
        inner = error.__cause__ or error.__context__ or getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            break
        error = inner
    return getattr(error, "strerror", None) or " ".join(str(error).split())[:_MAX_MESSAGE_CHARS]
