"""Export of traces as Zipkin spans, to a file or to a server; see docs/exports.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from functrace.export.otlp.call_selection import ALL_CALLS, Options
from functrace.export.otlp.request_places import place_requests
from functrace.export.otlp.resource import service_name
from functrace.export.otlp.spans import spans
from functrace.export.zipkin.posting import build_batches, connect
from functrace.export.zipkin.span_json import SpanEncoder
from functrace.tracefile import Trace

__all__ = ["build_batches", "connect", "write"]


def write(traces: Sequence[Trace], out: BinaryIO, selection: Options = ALL_CALLS) -> None:
    """Write the selected calls as a JSON array of spans."""
    before = b"[\n"
    for trace, requests in zip(traces, place_requests(traces, selection), strict=True):
        encoder = SpanEncoder(trace, service_name(trace))
        for span in spans(trace, selection, requests):
            out.write(before + encoder.encode(span))
            before = b",\n"
    out.write(b"[]\n" if before == b"[\n" else b"\n]\n")
