"""Encoder of spans as OTLP messages, in requests of bounded size.

The SDK's own span objects take ten times as long to create and encode as these messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, SpanFlags, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from functrace import __version__
from functrace.analysis.stream import Call
from functrace.export.otlp.call_attributes import (
    TrackInfo,
    call_attributes,
    function_attributes,
    track_attributes,
)
from functrace.export.otlp.exceptions import parse_failure
from functrace.export.otlp.frames import Span
from functrace.export.otlp.ids import ProbabilitySampler
from functrace.export.otlp.parent_calls import NO_PARENT
from functrace.export.otlp.request_attributes import Value, error_type, request_attributes
from functrace.export.otlp.request_calls import RequestCall
from functrace.globs import short_name
from functrace.tracefile import Function
from functrace.tracefile.programs import Recorded

# First version of the semantic conventions with stable code.function.name and related attributes.
_SCHEMA = "https://opentelemetry.io/schemas/1.33.0"
_SAMPLED, _RANDOM = 1, 2  # W3C trace flags
_FLAGS = _SAMPLED | _RANDOM | SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
_LAST = (1 << 64) - 1

# By default a collector accepts 4 MiB over gRPC.
_SPANS = 2048
_BYTES = 1 << 20
_CHAINS = 1000  # call chains whose messages are cached


class Batch(NamedTuple):
    """Request and the number of spans in it."""

    request: Any
    """message of the protocol"""
    spans: int


class Source(Recorded, Protocol):
    """Recorded process whose calls are exported."""

    @property
    def functions(self) -> Sequence[Function]:
        """Functions by index."""

    @property
    def tracks(self) -> Tracks:
        """Tracks by index."""


class Tracks(Protocol):
    """Tracks by index."""

    def __getitem__(self, index: int, /) -> TrackInfo:
        """Return the track with an index."""


class BatchBuilder:
    """Builder of requests from spans."""

    def __init__(
        self, source: Source, resource: dict[str, Value], sampler: ProbabilitySampler
    ) -> None:
        self._messages = _Messages(source, sampler)
        self._resource = resource
        self._request = _Request(resource)

    def add(self, span: Span) -> Batch | None:
        """Add a span; return the request if it is full."""
        request = self._request
        request.size += self._messages.add(request.scope, span)
        request.spans += 1
        if request.spans >= _SPANS or request.size >= _BYTES:
            return self.flush()
        return None

    def flush(self) -> Batch | None:
        """Return the current request, or None if it contains no spans."""
        if not self._request.spans:
            return None
        batch = self._request.batch()
        self._request = _Request(self._resource)
        return batch


def build_batches(
    source: Source, spans: Iterable[Span], resource: dict[str, Value], sampler: ProbabilitySampler
) -> Iterator[Batch]:
    """Yield requests with the given spans; all but the last are full."""
    builder = BatchBuilder(source, resource, sampler)
    for span in spans:
        full = builder.add(span)
        if full is not None:
            yield full
    last = builder.flush()
    if last is not None:
        yield last


class _Request:
    """Request that is being filled."""

    def __init__(self, resource: dict[str, Value]) -> None:
        self._message = ExportTraceServiceRequest(
            resource_spans=[
                ResourceSpans(
                    resource=Resource(attributes=attributes(resource)),
                    schema_url=_SCHEMA,
                    scope_spans=[
                        ScopeSpans(
                            scope=InstrumentationScope(name="functrace", version=__version__),
                            schema_url=_SCHEMA,
                        )
                    ],
                )
            ]
        )
        self.scope = self._message.resource_spans[0].scope_spans[0]
        self.size = 0
        """approximate size in bytes"""
        self.spans = 0

    def batch(self) -> Batch:
        return Batch(self._message, self.spans)


class _Messages:
    """Encoder of spans, which caches the parts that calls of a function or track share."""

    def __init__(self, source: Source, sampler: ProbabilitySampler) -> None:
        self._source = source
        self._sampler = sampler
        self._functions: dict[int, tuple[SpanMessage, int]] = {}
        self._chains: dict[tuple[int, ...], tuple[KeyValue, int]] = {}
        self._track = -1
        self._track_part = SpanMessage()
        self._track_size = 0

    def add(self, scope: ScopeSpans, span: Span) -> int:
        """Add a span, and return its approximate size in bytes."""
        call = span.call
        if call.track != self._track:
            self._change_track(call.track)
        start = self._source.started + call.start
        part, size = self._functions.get(call.function) or self._of_function(call.function)
        size += self._track_size
        message = scope.spans.add(
            trace_id=span.trace_id,
            span_id=span.span_id,
            parent_span_id=span.parent_id,
            start_time_unix_nano=min(start, _LAST),
            end_time_unix_nano=min(start + call.duration, _LAST),
        )
        message.MergeFrom(part)
        message.MergeFrom(self._track_part)
        if call.unfinished or call.goexit or call.suspended:
            message.attributes.extend(attributes(call_attributes(call)))
        if call.error or call.panic:
            self._add_failure(message, span)
            size += 3 * call.text_bytes
        if span.root_caller.chain:
            size += self._add_caller(message, span)
        if span.request is not None:
            size += _add_request(message, span.request, call)
        return size

    def _of_function(self, index: int) -> tuple[SpanMessage, int]:
        function = self._source.functions[index]
        facts = function_attributes(function)
        part = SpanMessage(
            name=short_name(function.name),
            kind=SpanMessage.SPAN_KIND_INTERNAL,
            flags=_FLAGS,
            trace_state=self._sampler.state,
            attributes=attributes(facts),
        )
        return self._functions.setdefault(index, (part, part.ByteSize() + 100))

    def _of_chain(self, chain: tuple[int, ...]) -> tuple[KeyValue, int]:
        """Return the attribute for a call chain; cached, as many tracks share the same chain."""
        found = self._chains.get(chain)
        if found is None:
            if len(self._chains) >= _CHAINS:
                self._chains.clear()
            names = [self._source.functions[function].name for function in chain]
            (part,) = attributes({"functrace.chain": names})
            found = self._chains[chain] = part, int(part.ByteSize())
        return found

    def _change_track(self, index: int) -> None:
        self._track = index
        self._track_part = SpanMessage(
            attributes=attributes(track_attributes(self._source.tracks[index]))
        )
        self._track_size = int(self._track_part.ByteSize())

    def _add_failure(self, message: SpanMessage, span: Span) -> None:
        ellipsis = "…" if span.call.text_cut else ""
        kind, text = parse_failure(self._source.language, span.text, panic=span.call.panic)
        message.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=span.text + ellipsis))
        message.events.add(
            name="exception",
            time_unix_nano=message.end_time_unix_nano,
            attributes=attributes({"exception.type": kind, "exception.message": text + ellipsis}),
        )

    def _add_caller(self, message: SpanMessage, span: Span) -> int:
        """Add the caller of a root, and return the approximate size in bytes."""
        caller = span.root_caller
        part, size = self._of_chain(caller.chain)
        message.attributes.append(part)
        if caller.trace_id != NO_PARENT.trace_id and self._sampler.samples(caller.trace_id):
            message.links.add(trace_id=caller.trace_id, span_id=caller.span_id, flags=_FLAGS)
            size += 64
        return size


def _add_request(message: SpanMessage, request: RequestCall, call: Call) -> int:
    """Make a span that of a request, and return the approximate size in bytes of what is added."""
    kind = SpanMessage.SPAN_KIND_SERVER if request.is_inbound else SpanMessage.SPAN_KIND_CLIENT
    facts = request_attributes(request)
    if call.error or call.panic:
        facts["error.type"] = error_type(request)
    message.name = request.span_name
    message.kind = kind
    message.attributes.extend(attributes(facts))
    return sum(len(name) + len(str(value)) + 8 for name, value in facts.items())


def attributes(values: dict[str, Value]) -> list[KeyValue]:
    """Return the attributes as messages."""
    return [KeyValue(key=key, value=_value(value)) for key, value in values.items()]


def _value(value: Value) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value) if abs(value) < 1 << 63 else _value(str(value))
    if isinstance(value, str):
        # Process arguments may be invalid UTF-8, which JSON represents as lone surrogates.
        return AnyValue(string_value=value.encode("utf-8", "replace").decode())
    return AnyValue(array_value=ArrayValue(values=[_value(each) for each in value]))
