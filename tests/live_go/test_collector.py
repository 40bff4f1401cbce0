"""The Go sender with a real OpenTelemetry Collector in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from functrace.export.otlp import ALL_CALLS
from tests.live_go.sender import send
from tests.live_go.test_same_spans import VECTORS, of_export, span_texts
from tests.otlp.collector import running
from tests.otlp.receiver import over_http

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_every_span_arrives(sender: Path, collector_program: Path, protocol: str) -> None:
    (path,) = (vector for vector in VECTORS if vector.stem == "goroutines")
    with over_http() as receiver, running(collector_program, receiver.endpoint) as between:
        endpoint = between.grpc if protocol == "grpc" else between.http
        done = send(sender, path, endpoint, {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol})
    assert (done.returncode, done.stderr) == (0, "")
    for span in receiver.received.spans:
        if not span.status.code:
            span.ClearField("status")  # the collector adds an unset status
    assert span_texts(receiver.received) == span_texts(of_export(path, ALL_CALLS))
