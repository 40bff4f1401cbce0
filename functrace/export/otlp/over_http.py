"""OTLP transport over HTTP, based on OpenTelemetry's exporter.

The exporter handles endpoint, headers, certificates, compression, timeouts and retries. But it
accepts only SDK spans and does not expose the answers of the collector. So it exports no spans,
through a session that substitutes the prepared request and records the answer.
"""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from functrace.export.otlp.answers import Answer, accepted

_PATH = "/v1/traces"
_LATER = (429, 502, 503, 504)
_ONLY_THIS = (400, 413)
_TOLD = 500  # maximum characters of an answer in a message
_COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, 6),
    "deflate": zlib.compress,
}


_PASSING = (requests.exceptions.ConnectionError, requests.exceptions.Timeout)
_LASTING = (requests.exceptions.SSLError, requests.exceptions.ProxyError)


class Http:
    """Transport over HTTP.

    Args:
        endpoint: overrides OTEL_EXPORTER_OTLP_ENDPOINT; None: as the variables specify.
        timeout: seconds for a request, retries included.
    """

    def __init__(self, endpoint: str | None, timeout: float) -> None:
        self._session = _Session()
        if endpoint is not None:
            endpoint = endpoint.rstrip("/").removesuffix(_PATH) + _PATH
        self._exporter: Any = OTLPSpanExporter(
            endpoint=endpoint, session=self._session, timeout=timeout
        )
        self._endpoint = endpoint or "the collector"

    @property
    def where(self) -> str:
        """Address of the collector; see Transport.where."""
        return self._session.url or self._endpoint

    @property
    def obstacle(self) -> str:
        """Error of the last attempt; see Transport.obstacle."""
        return self._session.obstacle

    def send(self, request: ExportTraceServiceRequest) -> Answer:
        """Send a request; see Transport.send."""
        self._session.prepare_for(request.SerializeToString())
        with suppress(OSError):  # some versions raise it; the session has recorded it
            self._exporter.export(())
        return self._session.answer()

    def close(self) -> None:
        """Close the connection; see Transport.close."""
        self._exporter.shutdown()


class _Session(requests.Session):
    """HTTP session that replaces the body of each request with the prepared one."""

    def __init__(self) -> None:
        super().__init__()
        self.url = ""
        self._body = b""
        self._encoded: dict[str, bytes] = {}
        self._response: requests.Response | None = None
        self._error: Exception | None = None
        self.obstacle = ""

    def prepare_for(self, body: bytes) -> None:
        """Set the body of the next request."""
        self._encoded = {"": body}
        self._response = self._error = None
        self.obstacle = ""

    def request(self, method: str, url: str, **told: Any) -> requests.Response:  # type: ignore[override]
        """Send a request with the prepared body."""
        self.url = url
        self._response = self._error = None
        told["data"] = self._compressed({**self.headers, **(told.get("headers") or {})})
        told["allow_redirects"] = False
        # Otherwise requests prefers REQUESTS_CA_BUNDLE to OTEL_EXPORTER_OTLP_CERTIFICATE.
        told.setdefault("verify", self.verify)
        try:
            self._response = super().request(method, url, **told)
        except Exception as error:
            self._error = error
            self.obstacle = _innermost(error)
            raise
        if not self._response.ok:
            self.obstacle = _answer(self._response).told
        return self._response

    def answer(self) -> Answer:
        """Return the answer to the last request."""
        if self._response is not None:
            return _answer(self._response)
        if self._error is None:
            return Answer(False, told="nothing was sent")
        again = isinstance(self._error, _PASSING) and not isinstance(self._error, _LASTING)
        return Answer(False, told=_innermost(self._error), again=again)

    def _compressed(self, headers: Mapping[str, str | bytes]) -> bytes:
        found = [v for k, v in headers.items() if k.lower() == "content-encoding"]
        encoding = str(found[0]) if found else ""
        if encoding not in self._encoded:
            self._encoded[encoding] = _COMPRESS[encoding](self._encoded[""])
        return self._encoded[encoding]


def _answer(response: requests.Response) -> Answer:
    status = response.status_code
    if 200 <= status < 300:
        return _accepted(response)
    told = f"{status} {response.reason}".strip()
    if response.is_redirect:
        return Answer(False, told=f"{told}: it is at {response.headers['location']}")
    said = _said(response)
    return Answer(
        False,
        told=f"{told}: {said}" if said else told,
        again=status in _LATER,
        wait=_retry_after(response.headers.get("retry-after", "")),
        only_this=status in _ONLY_THIS,
    )


def _accepted(response: requests.Response) -> Answer:
    found = ExportTraceServiceResponse()
    try:
        if "json" in response.headers.get("content-type", ""):
            json_format.Parse(response.content, found, ignore_unknown_fields=True)
        else:
            found.ParseFromString(response.content)
    except (DecodeError, json_format.ParseError):
        return Answer(False, told="what answers there does not speak OTLP")
    return accepted(found)


def _said(response: requests.Response) -> str:
    """Return the reason in a response, a Status message or text, on one line."""
    if "protobuf" in response.headers.get("content-type", ""):
        try:
            text = Status.FromString(response.content).message
        except DecodeError:
            text = ""
    else:
        text = response.text
    return " ".join(text.split())[:_TOLD]


def _retry_after(text: str) -> float | None:
    """Return the delay in seconds from a number or a date; None if `text` is neither."""
    try:
        return max(float(text), 0.0)
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
    return getattr(error, "strerror", None) or " ".join(str(error).split())[:_TOLD]
