"""Spans in Zipkin's JSON, version 2 of its API."""

from __future__ import annotations

import json
from typing import Any

from functrace.export.otlp.call_attributes import (
    call_attributes,
    function_attributes,
    track_attributes,
)
from functrace.export.otlp.frames import Span
from functrace.export.otlp.request_attributes import (
    Value,
    error_type,
    peer_host,
    request_attributes,
)
from functrace.export.otlp.request_calls import RequestCall
from functrace.export.otlp.request_encoder import Source
from functrace.globs import short_name
from functrace.tracefile.facts import encodable

_LAST_US = (1 << 63) - 1
# Zipkin's own names for tags that OpenTelemetry names differently.
_TAGS = {
    "http.request.method": "http.method",
    "http.response.status_code": "http.status_code",
    "url.path": "http.path",
    "url.template": "http.path",
}
_CHAIN = "functrace.chain"


class SpanEncoder:
    """Encoder of a process's spans.

    Args:
        source: the process.
        service: name of its service.
    """

    def __init__(self, source: Source, service: str) -> None:
        self._source = source
        self._service = {"serviceName": encodable(service)}

    def encode(self, span: Span) -> bytes:
        """Return a span as a JSON object."""
        return json.dumps(self._span(span), ensure_ascii=False).encode("utf-8", "replace")

    def _span(self, span: Span) -> dict[str, Any]:
        call, request = span.call, span.request
        function = self._source.functions[call.function]
        start_ns = self._source.started + call.start
        start_us = start_ns // 1000
        # Zipkin regards a duration of zero as unknown.
        duration_us = max((start_ns + call.duration) // 1000 - start_us, 1)
        message: dict[str, Any] = {
            "traceId": span.trace_id.hex(),
            "id": span.span_id.hex(),
            "name": request.span_name if request else short_name(function.name),
            "timestamp": min(start_us, _LAST_US),
            "duration": min(duration_us, _LAST_US),
            "localEndpoint": self._service,
        }
        if span.parent_id:
            message["parentId"] = span.parent_id.hex()
        if request is not None:
            message["kind"] = "SERVER" if request.is_inbound else "CLIENT"
            if peer_host(request):
                message["remoteEndpoint"] = {"serviceName": encodable(peer_host(request))}
        message["name"] = encodable(message["name"])
        message["tags"] = {key: _text(value) for key, value in self._tags(span).items()}
        return message

    def _tags(self, span: Span) -> dict[str, Value]:
        call = span.call
        tags = function_attributes(self._source.functions[call.function])
        tags |= track_attributes(self._source.tracks[call.track])
        tags |= call_attributes(call)
        if span.request is not None:
            tags |= _request_tags(span.request)
        if span.root_caller.chain:
            names = [self._source.functions[each].name for each in span.root_caller.chain]
            tags[_CHAIN] = " → ".join(names)
        if call.error or call.panic:
            text = span.text + "…" * call.text_cut
            tags["error"] = text or (error_type(span.request) if span.request else "true")
        return tags


def _request_tags(request: RequestCall) -> dict[str, Value]:
    return {_TAGS.get(key, key): value for key, value in request_attributes(request).items()}


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return encodable(str(value))
