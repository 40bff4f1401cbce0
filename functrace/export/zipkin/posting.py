"""Requests to a Zipkin server: arrays of spans in POST requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import requests

from functrace.errors import UsageError
from functrace.export.otlp.exporter_settings import HTTP, ExporterSettings
from functrace.export.otlp.frames import Span
from functrace.export.otlp.http_connection import HttpConnection
from functrace.export.otlp.ids import ProbabilitySampler
from functrace.export.otlp.redaction import redact
from functrace.export.otlp.request_attributes import Value
from functrace.export.otlp.request_encoder import Batch, Source
from functrace.export.otlp.send_result import SendResult
from functrace.export.otlp.transport import Transport
from functrace.export.zipkin.span_json import SpanEncoder

_PATH = "/api/v2/spans"
_TIMEOUT_S = 10.0
_SPANS = 2048
_BYTES = 1 << 20


def connect(endpoint: str) -> Transport:
    """Return a transport to a server.

    Args:
        endpoint: URL; without a path, that of Zipkin's API is added.

    Raises:
        UsageError: the endpoint is no URL.
    """
    if not endpoint.startswith(("http://", "https://")):
        raise UsageError(f"{redact(endpoint)}: must be a URL such as http://localhost:9411")
    if urlsplit(endpoint).path in ("", "/"):
        endpoint = endpoint.rstrip("/") + _PATH
    settings = ExporterSettings(
        protocol=HTTP,
        endpoint=endpoint,
        headers={},
        compression="gzip",
        timeout_s=_TIMEOUT_S,
        certificate=None,
        client_certificate=None,
        client_key=None,
        insecure=False,
    )
    return Transport(_Connection(settings), settings.timeout_s)


def build_batches(
    source: Source, spans: Iterable[Span], resource: dict[str, Value], _: ProbabilitySampler
) -> Iterator[Batch]:
    """Yield requests with the given spans; all but the last are full."""
    encoder = SpanEncoder(source, str(resource["service.name"]))
    objects: list[bytes] = []
    size = 0
    for span in spans:
        objects.append(encoder.encode(span))
        size += len(objects[-1])
        if len(objects) == _SPANS or size >= _BYTES:
            yield Batch(objects, len(objects))
            objects, size = [], 0
    if objects:
        yield Batch(objects, len(objects))


class _Connection(HttpConnection):
    content_type = "application/json"

    def encode(self, request: Any) -> bytes:
        return b"[" + b",".join(request) + b"]"

    def read_acceptance(self, response: requests.Response) -> SendResult:
        del response  # its body is empty
        return SendResult(True)
