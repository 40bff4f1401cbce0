"""The example mesh, with and without Envoy, asked through the command line and real servers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.mesh.conftest import Mesh
from tests.support.jaeger import Jaeger
from tests.support.waiting import wait_until
from tests.support.zipkin import Zipkin, wait_for_spans

pytestmark = pytest.mark.slow

SERVICES = ["gateway", "payments", "store"]
ENVOY_SPANS = 4 * 6 - 1
"""of four orders: two for each service passed, and one for the mailer, which an unknown
order does not reach"""


def test_without_envoy(run_mesh: Callable[..., Mesh]) -> None:
    mesh = run_mesh("--no-envoy", "--rounds", "2")
    assert "answers by status: {200: 4, 502: 4}" in mesh.output
    assert "notify.RefusedError: mailer: mailbox of the customer is full" in mesh.output
    assert sorted(trace.stem for trace in mesh.traces.iterdir()) == SERVICES


def test_zipkin_has_the_spans_of_envoy(
    run_mesh: Callable[..., Mesh], envoy_program: str, zipkin_server: Zipkin
) -> None:
    spans = ("--tracer", "zipkin", "--spans", zipkin_server.address)
    mesh = run_mesh("--envoy", envoy_program, *spans, "--rounds", "1")
    assert "answers by status: {200: 2, 502: 2}" in mesh.output
    received = [span for trace in wait_for_spans(zipkin_server, ENVOY_SPANS) for span in trace]
    assert len(received) == ENVOY_SPANS
    assert sorted({span["localEndpoint"]["serviceName"] for span in received}) == SERVICES


def test_jaeger_has_the_spans_of_envoy(
    run_mesh: Callable[..., Mesh], envoy_program: str, jaeger_server: Jaeger
) -> None:
    spans = ("--tracer", "otel", "--spans", jaeger_server.otlp_grpc)
    run_mesh("--envoy", envoy_program, *spans, "--rounds", "1")
    wait_until(lambda: set(SERVICES) <= set(jaeger_server.services()))
