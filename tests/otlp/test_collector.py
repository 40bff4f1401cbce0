"""Through a real OpenTelemetry Collector, which takes the spans and hands them on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from functrace.export.otlp import Options, connect, export
from functrace.tracefile import Trace
from tests.otlp.collector import running
from tests.otlp.program import Program, expected
from tests.otlp.receiver import Reply, over_http
from tests.otlp.test_spans import check

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_every_span_passes(
    traced: Callable[[Program], Trace],
    collector_program: Path,
    protocol: str,
    compression: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if compression != "none":
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
    made = Program(seed=8, steps=8000)
    with over_http() as receiver, running(collector_program, receiver.endpoint) as collector:
        endpoint = collector.grpc if protocol == "grpc" else collector.http
        transport = connect(endpoint, protocol)
        done = export([traced(made)], transport, Options())
        transport.close()
    assert (done.sent, done.refused) == (len(made.calls), 0)
    check(receiver.received, expected(made), made.end)


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_spans_refused_by_the_backend_are_reported(
    traced: Callable[[Program], Trace], collector_program: Path, protocol: str
) -> None:
    """A backend that takes the first request only, behind the collector."""
    made = Program(seed=8, steps=8000)
    replies = [Reply(), *[Reply(400, "too many spans")] * 9]
    with (
        over_http(*replies) as receiver,
        running(collector_program, receiver.endpoint) as collector,
    ):
        endpoint = collector.grpc if protocol == "grpc" else collector.http
        transport = connect(endpoint, protocol)
        done = export([traced(made)], transport, Options())
        transport.close()
    assert (done.sent, done.refused) == (2048, len(made.calls) - 2048)
    assert "too many spans" in done.reason
