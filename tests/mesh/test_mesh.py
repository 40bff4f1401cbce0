"""The example mesh, with and without Envoy, asked through the command line and real servers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.mesh import span_trees
from tests.mesh.conftest import Mesh
from tests.mesh.span_trees import Forest
from tests.support.jaeger import Jaeger
from tests.support.waiting import wait_until
from tests.support.zipkin import Zipkin

pytestmark = pytest.mark.slow

SERVICES = ["gateway", "payments", "store"]
ENVOY_SPANS = 4 * 6 - 1
"""of four orders: two for each service passed, and one for the mailer, which an unknown order does
not reach"""

SENT = ["gateway: envoy server", "gateway: POST /checkout", "gateway: main.serveCheckout"]
SENT += ["gateway: main.checkout", "gateway: POST payments/pay"]
RECEIVED = ["payments: envoy server", "payments: POST /pay", "payments: pay.app"]
RECEIVED += ["payments: pay.handle", "payments: notify.send"]
PATHS = {
    # Each sidecar has the ids of the span that sent the request.
    "span": [*SENT, "gateway: envoy client", *RECEIVED],
    # The sidecar of the gateway has the ids that the gateway received.
    "forward": ["gateway: envoy server", "gateway: envoy client", *RECEIVED],
}


def functrace(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "functrace", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def export(traces: Path, *arguments: str) -> int:
    """Export traces and return the number of spans sent."""
    done = functrace("export", str(traces), *arguments)
    found = re.search(r"([\d,]+) spans sent to .*, 0 refused", done.stderr)
    assert found, done.stderr
    return int(found[1].replace(",", ""))


@pytest.mark.parametrize("propagate", ["forward", "span"])
def test_chains_across_services(run_mesh: Callable[..., Mesh], propagate: str) -> None:
    """Without Envoy: the chain of the refused notification, and who calls whom."""
    mesh = run_mesh("--no-envoy", "--rounds", "2", "--propagate", propagate)
    assert "answers by status: {200: 4, 502: 4}" in mesh.output
    check_chains(mesh)


def test_chains_across_sidecars(run_mesh: Callable[..., Mesh], envoy_program: str) -> None:
    mesh = run_mesh("--envoy", envoy_program, "--rounds", "2")
    assert "answers by status: {200: 4, 502: 4}" in mesh.output
    check_chains(mesh)


def check_chains(mesh: Mesh) -> None:
    chain = """
        gateway: main.serveCheckout → main.checkout → POST payments/pay
        → payments: pay.app → pay.handle → notify.send"""
    found = functrace("callers", "--errors", "notify.send", str(mesh.traces)).stdout
    assert " ".join(chain.split()) in " ".join(found.split())
    assert "notify.RefusedError: mailer: mailbox of the customer is full" in found
    graph = json.loads(functrace("services", str(mesh.traces), "--json").stdout)
    assert (
        sorted(each["name"] for each in graph["services"] if not each.get("external")) == SERVICES
    )
    assert [each["name"] for each in graph["services"] if each.get("external")] == ["mailer"]
    edges = {(each["from"], each["to"]): each for each in graph["edges"]}
    assert {pair: figures(edge) for pair, edge in edges.items() if pair[0]} == {
        ("gateway", "payments"): (8, 4),
        ("payments", "store"): (8, 2),
        ("payments", "mailer"): (6, 2),
    }


def figures(edge: dict[str, Any]) -> tuple[int, int]:
    return edge["calls"], edge["failed"]


@pytest.mark.parametrize("propagate", PATHS)
def test_spans_nest_in_zipkin(
    run_mesh: Callable[..., Mesh], envoy_program: str, zipkin_server: Zipkin, propagate: str
) -> None:
    """With Envoy's Zipkin tracer, whose spans share their ids with those of the sender."""
    spans = ("--tracer", "zipkin", "--spans", zipkin_server.address)
    mesh = run_mesh("--envoy", envoy_program, *spans, "--rounds", "1", "--propagate", propagate)
    sent = export(mesh.traces, "--to", "zipkin", "--endpoint", f"http://{zipkin_server.address}")
    wait_until(lambda: sum(map(len, zipkin_server.traces())) >= sent + ENVOY_SPANS)
    forest = span_trees.of_zipkin(zipkin_server.traces())
    # Zipkin stores names in lower case.
    check_nesting(forest, [label.lower() for label in PATHS[propagate]])


@pytest.mark.parametrize("propagate", PATHS)
def test_spans_nest_in_jaeger(
    run_mesh: Callable[..., Mesh], envoy_program: str, jaeger_server: Jaeger, propagate: str
) -> None:
    """With Envoy's OpenTelemetry tracer."""
    spans = ("--tracer", "otel", "--spans", jaeger_server.otlp_grpc)
    mesh = run_mesh("--envoy", envoy_program, *spans, "--rounds", "1", "--propagate", propagate)
    sent = export(mesh.traces, "--to", "otlp", "--endpoint", f"http://{jaeger_server.otlp_http}")
    wait_until(lambda: len(forest_of(jaeger_server).nodes) >= sent + ENVOY_SPANS)
    check_nesting(forest_of(jaeger_server), PATHS[propagate])


def forest_of(jaeger_server: Jaeger) -> Forest:
    traces = {
        trace["traceID"]: trace
        for service in jaeger_server.services()
        if service in SERVICES
        for trace in jaeger_server.traces(service)
    }
    return span_trees.of_jaeger(list(traces.values()))


def check_nesting(forest: Forest, path: list[str]) -> None:
    assert [node.label for node in forest.phantoms] == []
    assert sum(node.is_envoy for node in forest.nodes) == ENVOY_SPANS
    sent = forest.named(path[-1])
    assert [forest.path(node) for node in sent] == [path] * 3
    # A request is one trace, through all services.
    for node in sent:
        same = [each for each in forest.nodes if each.trace_id == node.trace_id]
        assert sorted({each.service for each in same if not each.is_envoy}) == SERVICES
        assert sorted({each.service for each in same if each.is_envoy}) == SERVICES
