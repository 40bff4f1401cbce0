"""Two processes that send their calls while they run: one trace in a real Jaeger."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live_go import sender
from tests.mesh import span_trees
from tests.mesh.span_trees import Forest
from tests.support.jaeger import Jaeger
from tests.support.toolchains import Go
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow

_GATEWAY = """
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
)

func checkout(w http.ResponseWriter, r *http.Request) {
	request, _ := http.NewRequestWithContext(r.Context(), "POST", os.Args[1]+"/pay", nil)
	answers := make(chan *http.Response)
	jobs <- job{request, answers}
	answer := <-answers
	answer.Body.Close()
	w.WriteHeader(answer.StatusCode)
}

type job struct {
	request *http.Request
	answers chan *http.Response
}

var jobs = make(chan job)

// work sends requests for all: they belong to the requests whose contexts they have.
func work() {
	for each := range jobs {
		answer, err := http.DefaultClient.Do(each.request)
		if err != nil {
			panic(err)
		}
		each.answers <- answer
	}
}

func main() {
	go work()
	http.HandleFunc("/checkout", checkout)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("http://%s\\n", listener.Addr())
	http.Serve(listener, nil)
}
"""

_PAYMENTS = """
from werkzeug.serving import make_server

def charge():
    return b"paid"

def app(environ, start_response):
    body = charge()
    start_response("200 OK", [("content-length", str(len(body)))])
    return [body]

server = make_server("127.0.0.1", 0, app, threaded=True)
print(f"http://127.0.0.1:{server.port}", flush=True)
server.serve_forever()
"""

_PATHS = {
    "checkout": [
        "gateway: POST /checkout",
        "gateway: POST 127.0.0.1/pay",
        "payments: POST /pay",
        "payments: __main__.app",
        "payments: __main__.charge",
    ],
    "behind another span": [
        "payments: POST /pay",
        "payments: __main__.app",
        "payments: __main__.charge",
    ],
}


@pytest.fixture(scope="module")
def gateway(go: Go, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program built by functrace go, beside the sender."""
    folder = tmp_path_factory.mktemp("gateway")
    try:
        (folder / "functrace-otlp").symlink_to(sender.build(go))
    except sender.MissingError as error:
        pytest.skip(str(error))
    (folder / "go.mod").write_text("module example.com/gateway\n\ngo 1.21\n")
    (folder / "main.go").write_text(_GATEWAY)
    built = subprocess.run(
        [sys.executable, "-m", "functrace", "go", "build", "-o", "gateway", "."],
        cwd=folder,
        env=go.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder / "gateway"


@contextmanager
def serving(command: list[str], service: str, jaeger: Jaeger, **more: str) -> Iterator[str]:
    """Run a service that sends its calls, and yield its URL; it gets SIGTERM at the end."""
    env = {
        **os.environ,
        "FUNCTRACE": "otlp",
        "FUNCTRACE_PROPAGATE": "span",
        "FUNCTRACE_SERVICE": service,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{jaeger.otlp_http}",
        **more,
    }
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip()  # type: ignore[union-attr]
        finally:
            process.terminate()


def post(url: str, **headers: str) -> None:
    request = urllib.request.Request(url, b"", headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=PATIENCE):
        pass


def forest_of(jaeger: Jaeger) -> Forest:
    traces = {
        trace["traceID"]: trace
        for service in jaeger.services()
        if service in ("gateway", "payments")
        for trace in jaeger.traces(service)
    }
    return span_trees.of_jaeger(list(traces.values()))


def test_one_trace(gateway: Path, jaeger_server: Jaeger, tmp_path: Path) -> None:
    """Without received ids, the trace begins with the gateway, where a worker sends for all."""
    pytest.importorskip("werkzeug", reason="werkzeug is not installed, the server of payments")
    (tmp_path / "payments.py").write_text(_PAYMENTS)
    run = [sys.executable, "-m", "functrace", "run", "-q", "--otlp", str(tmp_path / "payments.py")]
    path = f"{gateway.parent}{os.pathsep}{os.environ['PATH']}"
    count = 3
    received = f"00-{'5' * 32}-{'6' * 16}-01"
    with (
        serving(run, "payments", jaeger_server) as payments,
        serving([str(gateway), payments], "gateway", jaeger_server, PATH=path) as url,
    ):
        for _ in range(count):
            post(f"{url}/checkout")
        post(f"{payments}/pay", traceparent=received)
    charge = _PATHS["checkout"][-1]
    wait_until(lambda: len(forest_of(jaeger_server).named(charge)) == count + 1)
    wait_until(lambda: len(forest_of(jaeger_server).named("gateway: POST /checkout")) == count)
    forest = forest_of(jaeger_server)
    paths = [forest.path(node) for node in forest.named(charge)]
    assert sorted(paths) == sorted([_PATHS["checkout"]] * count + [_PATHS["behind another span"]])
    assert len({node.trace_id for node in forest.named(charge)}) == count + 1
    assert {node.parent_id for node in forest.phantoms} == {"6" * 16}
