"""Spans in Zipkin's JSON: to a file, to a server that answers as told, and to a real Zipkin."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from functrace.export import otlp
from functrace.export.zipkin import build_batches, connect
from functrace.tracefile import open_trace
from tests.otlp.test_requests import EDGE, MINTED, TRACE, gateway, payments
from tests.support import zipkin
from tests.support.missing import MissingError
from tests.support.zipkin import wait_for_spans


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def traces(tmp_path: Path) -> list[str]:
    """The traces of two services, one of which sends the other its own ids."""
    ids = (TRACE, MINTED)
    paths = gateway(tmp_path, ids=ids, minted=True), payments(tmp_path, ids=ids)
    return [str(path) for path in paths]


def export(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "functrace", "export", "--to", "zipkin", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def written(*arguments: str) -> dict[str, Any]:
    """Return the spans of an export by their names."""
    done = export(*arguments)
    assert done.returncode == 0, done.stderr
    return {span["name"]: span for span in json.loads(done.stdout)}


def test_spans(traces: list[str]) -> None:
    spans = written(*traces)
    assert spans["POST payments/pay"] == {
        "traceId": TRACE,
        "id": MINTED,
        "parentId": spans["main.checkout"]["id"],
        "kind": "CLIENT",
        "name": "POST payments/pay",
        "timestamp": 1_700_000_000_000_000,
        "duration": 1,
        "localEndpoint": {"serviceName": "gateway"},
        "remoteEndpoint": {"serviceName": "payments"},
        "tags": {
            "functrace.goroutine.id": "1",
            "http.method": "POST",
            "http.path": "/pay",
            "server.address": "payments",
            "http.status_code": "502",
            "functrace.request": "POST payments/pay",
            "error": "502 Bad Gateway",
        },
    }
    inbound = spans["POST /{action}"]
    assert (inbound["traceId"], inbound["parentId"], inbound["kind"]) == (TRACE, EDGE, "SERVER")
    assert inbound["tags"]["functrace.chain"] == "main.serve"
    assert (spans["POST /pay"]["parentId"], spans["POST /pay"]["kind"]) == (MINTED, "SERVER")
    assert spans["POST /pay"]["localEndpoint"] == {"serviceName": "payments"}
    assert "kind" not in spans["main.checkout"]
    assert spans["main.checkout"]["tags"]["code.function.name"] == "main.checkout"


def test_selections(traces: list[str]) -> None:
    assert written(*traces, "--root", "pay.handle").keys() == {"pay.handle"}
    failed = written(traces[1], "--errors")
    assert failed.keys() == {"POST /pay"}
    assert export(traces[0], "--min-duration", "1h").stdout == "[]\n"


def test_wrong_usage(traces: list[str]) -> None:
    for arguments, message in (
        (["--resume", "x-1"], "--resume requires --endpoint"),
        (["--protocol", "grpc"], "--protocol does not apply to --to zipkin"),
        (["--endpoint", "localhost:9411"], "must be a URL such as http://localhost:9411"),
        (["--endpoint", "http://localhost:1", "-o", "x"], "-o does not apply"),
    ):
        done = export(*traces, *arguments)
        assert done.returncode == 2, done.stderr
        assert message in done.stderr


@contextmanager
def server(status: int) -> Iterator[tuple[str, list[Any]]]:
    """Run a server that answers each POST with a status, and collects paths and bodies."""
    received: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/json"
            received.append((self.path, json.loads(gzip.decompress(body))))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"no space left" if status >= 400 else b"")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", received
        running.shutdown()
        thread.join()


def test_posts(traces: list[str]) -> None:
    with server(202) as (endpoint, received):
        done = export(*traces, "--endpoint", endpoint)
    assert done.returncode == 0, done.stderr
    assert f"6 spans sent to {endpoint}/api/v2/spans, 0 refused" in done.stderr
    assert [path for path, _ in received] == ["/api/v2/spans"] * 2
    names = [span["name"] for _, spans in received for span in spans]
    assert sorted(names) == sorted(written(*traces))


def test_small_requests(traces: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functrace.export.zipkin.posting._SPANS", 1)
    with server(202) as (endpoint, received):
        transport = connect(f"{endpoint}/spans")
        otlp.export([open_trace(path) for path in traces], transport, encode=build_batches)
    assert [(path, len(spans)) for path, spans in received] == [("/spans", 1)] * 6


def test_a_server_that_refuses(traces: list[str]) -> None:
    with server(400) as (endpoint, _):
        done = export(*traces, "--endpoint", endpoint)
    assert done.returncode == 1
    assert "400 Bad Request: no space left" in done.stderr


@pytest.mark.slow
def test_a_real_zipkin(traces: list[str], tmp_path: Path) -> None:
    """It has one trace for the request, with the spans of both services."""
    try:
        with zipkin.running(tmp_path) as running:
            done = export(*traces, "--endpoint", f"http://{running.address}")
            assert done.returncode == 0, done.stderr
            wait_for_spans(running, 6)
            found = {span["name"]: span for span in running.trace(TRACE)}
    except MissingError as error:
        pytest.skip(str(error))
    assert found.keys() == {
        "post /{action}",
        "main.checkout",
        "post payments/pay",
        "post /pay",
        "pay.handle",
    }
    assert found["post /pay"]["parentId"] == found["post payments/pay"]["id"] == MINTED
