"""Requests of programs that ``functrace go`` builds: net/http and gRPC, servers and clients."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from functrace.analysis.requests import joined
from functrace.gobuild import archives, request_hooks, toolexec
from functrace.tracefile import open_trace
from tests.support import request_events, toolchains
from tests.support.request_events import Seen
from tests.support.toolchains import Go

PROGRAMS = Path(__file__).parent / "programs"
FUNCTRACE_GO_BUILD = (sys.executable, "-m", "functrace", "go", "build", "-o", "traced")
TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@dataclass(frozen=True)
class Program:
    """A program that was built twice."""

    go: Go
    folder: Path

    def record(self, scenario: str, **variables: str) -> tuple[list[Seen], str]:
        """Return the requests and the output of a run."""
        trace = self.folder / "x.ftrace"
        trace.unlink(missing_ok=True)
        variables = {"FUNCTRACE": "record", "FUNCTRACE_OUT": str(trace), **variables}
        output = self.run("traced", scenario, **variables)
        return (request_events.read(trace) if trace.exists() else []), output

    def run(self, kind: str, scenario: str, **variables: str) -> str:
        run = subprocess.run(
            [self.folder / kind, scenario],
            env=self.go.environment() | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        return run.stdout


def build(go: Go, folder: Path, cache: Path) -> Program:
    """Build the program in a folder with and without functrace."""
    env = go.environment() | {"FUNCTRACE_CACHE": str(cache), "GOFLAGS": "-mod=mod"}
    for command in (["go", "build", "-o", "plain", "."], [*FUNCTRACE_GO_BUILD, "."]):
        run = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr
        assert "not as expected" not in run.stderr
    return Program(go, folder)


def _versions() -> list[object]:
    others = [pytest.param(go, id=go.name, marks=pytest.mark.versions) for go in toolchains.ends()]
    return [pytest.param(None, id="usual"), *others]


@pytest.fixture(scope="module", params=_versions())
def program(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, functrace_cache: Path
) -> Program:
    go = request.param or request.getfixturevalue("go")
    folder = tmp_path_factory.mktemp("requests")
    shutil.copytree(PROGRAMS / "requests", folder, dirs_exist_ok=True)
    return build(go, folder, functrace_cache)


def _of(requests: list[Seen], name: str, direction: str = "out") -> list[Seen]:
    return [r for r in requests if r.name.endswith(name) and r.direction == direction]


def test_an_outbound_call_belongs_to_the_inbound_call_that_makes_it(program: Program) -> None:
    # go.mod has the version of Go that older toolchains need, by which patterns would be off.
    requests, _ = program.record("plain", GODEBUG="httpmuxgo121=0")
    assert [(r.direction, r.number, r.inbound) for r in requests] == [
        ("out", 1, 0),
        ("in", 2, 0),
        ("out", 3, 2),
        ("in", 4, 0),
    ]
    assert [r.outcome for r in requests] == [
        ("GET 127.0.0.1/users/{id}", 202, ""),
        ("GET /users/{id}", 202, ""),
        ("GET 127.0.0.1/store", 200, ""),
        ("GET /store", 200, ""),
    ]
    assert requests[1].calls[:2] == ["main.plain.func1", "main.work"]
    assert requests[1].route == ("GET /users/" if program.go.release >= (1, 23) else "")
    assert "secret" not in "".join(r.name for r in requests)


def test_http2(program: Program) -> None:
    requests, output = program.record("http2")
    assert output.split("\n")[:3] == ["HTTP/2.0 200", "HTTP/2.0 204", "HTTP/2.0 502"]
    found = {r.name: (r.status, r.failure) for r in requests if r.direction == "in"}
    assert found["GET /"] == (200, "")
    assert found["GET /no"] == (204, "")
    assert found["GET /fail"] == (502, "502 Bad Gateway")
    assert found["GET /abort"] == (None, "net/http: abort Handler")
    sent = {r.name: (r.status, r.failure) for r in requests if r.direction == "out"}
    assert sent["GET 127.0.0.1/fail"] == (502, "502 Bad Gateway")
    numbers = {r.number for r in requests if r.direction == "in"}
    assert all(r.inbound in numbers for r in _of(requests, "/HTTP/2.0"))


def test_reverse_proxy(program: Program) -> None:
    requests, _ = program.record("proxy")
    assert [(r.name, r.inbound) for r in requests] == [
        ("GET 127.0.0.1/through", 0),
        ("GET /through", 0),
        ("GET 127.0.0.1/through", 2),
        ("GET /through", 0),
    ]


def test_hijacked_connection_has_no_status(program: Program) -> None:
    requests, output = program.record("hijack")
    assert output == "hello true true\n"
    assert [r.outcome for r in requests] == [("GET /socket", None, "")]


def test_handler_that_continues_after_its_answer(program: Program) -> None:
    requests, _ = program.record("continues")
    handler = _of(requests, "/begin", "in")[0]
    assert [r.inbound for r in _of(requests, "/more")] == [handler.number]
    assert [r.inbound for r in _of(requests, "/late")] == [handler.number]


def test_goroutines(program: Program) -> None:
    requests, _ = program.record("goroutines")
    handler = _of(requests, "/a", "in")[0]
    assert [r.inbound for r in _of(requests, "/group")] == [handler.number] * 3
    assert [r.inbound for r in _of(requests, "/pooled")] == [0]
    assert [r.inbound for r in _of(requests, "/same-goroutine")] == [handler.number]
    assert [r.inbound for r in _of(requests, "/alone")] == [0]


def test_failures(program: Program) -> None:
    requests, _ = program.record("failures")
    served = {r.name: (r.status, r.failure) for r in requests if r.direction == "in"}
    assert served == {
        "GET /fail": (500, "500 Internal Server Error"),
        "GET /missing": (404, ""),
        "GET /abort": (None, "net/http: abort Handler"),
        "GET /panic": (None, "broken"),
        "GET /recovered": (503, "503 Service Unavailable"),
        "GET /late-panic": (201, "late"),
    }
    outbound = (r for r in requests if r.direction == "out")
    sent = {r.name.partition("/")[2]: (r.status, r.failure) for r in outbound}
    assert sent["missing"] == (404, "404 Not Found")
    assert sent["abort"][0] is None
    assert "EOF" in sent["abort"][1]
    assert "connection refused" in sent["refused"][1]
    assert "context canceled" in sent["canceled"][1]


def test_large_bodies_and_trailers(program: Program) -> None:
    requests, output = program.record("streams")
    assert output == f"{1 << 20} {1 << 20} /echo\n"
    assert [r.status for r in requests] == [200, 200]


@pytest.mark.parametrize("mode", ["observe", "off"])
def test_nothing_changes_on_the_wire(program: Program, mode: str) -> None:
    requests, output = program.record("wire", FUNCTRACE_PROPAGATE=mode)
    assert output == program.run("plain", "wire")
    assert bool(requests) == (mode == "observe")


def test_text_and_off_record_nothing(program: Program) -> None:
    plain = program.run("plain", "wire")
    assert program.run("traced", "wire", FUNCTRACE="off") == plain
    assert program.run("traced", "wire", FUNCTRACE_OUT="stderr") == plain


def test_forward_sends_the_headers_of_the_inbound_call(program: Program) -> None:
    requests, output = program.record("wire", FUNCTRACE_PROPAGATE="forward")
    added = _added(output, program.run("plain", "wire"))
    key = added[1].partition("=")[2].partition(":")[0]
    assert added == [
        f"Traceparent: 00-{TRACE_ID}-{SPAN_ID}-01",
        f"Tracestate: ft={key}:2,a=1",
    ]
    assert re.fullmatch("[0-9a-f]{16}", key)
    received, sent, own = requests
    assert received.ids == sent.ids == f"{TRACE_ID}-{SPAN_ID}"
    assert own.ids == ""
    assert (sent.inbound, sent.minted, sent.sampled) == (1, False, True)


@pytest.mark.parametrize(("mode", "are_joined"), [("observe", False), ("forward", True)])
def test_forward_joins_what_belongs_to_no_inbound_call(
    program: Program, mode: str, are_joined: bool
) -> None:
    """All requests arrive at the program that sends them, some without a context."""
    program.record("goroutines", FUNCTRACE_PROPAGATE=mode)
    found = joined([open_trace(program.folder / "x.ftrace")])
    joins = found.joins.outbound[found.rows.inbound]
    assert (joins >= 0).tolist() == [are_joined] * 7


def test_span_sends_ids_of_its_own(program: Program) -> None:
    requests, output = program.record("wire", FUNCTRACE_PROPAGATE="span")
    added = _added(output, program.run("plain", "wire"))
    sent = requests[1]
    span_id = sent.ids.partition("-")[2]
    assert added[0] == f"Traceparent: 00-{TRACE_ID}-{span_id}-01"
    assert span_id != SPAN_ID
    assert (sent.minted, sent.sampled) == (True, True)


def _added(text: str, before: str) -> list[str]:
    """Return the lines that were added, which must be the only difference."""
    rest = iter(before.splitlines())
    expected = next(rest)
    added = []
    for line in text.splitlines():
        if line == expected:
            expected = next(rest, "")
        else:
            added.append(line)
    assert not list(rest)
    return added


@pytest.mark.parametrize("mode", ["observe", "forward", "span"])
def test_reused_connections_and_headers(program: Program, mode: str) -> None:
    requests, output = program.record("kept", FUNCTRACE_PROPAGATE=mode)
    assert output == "map[X-Own:[1]]\n"
    inbound = [r for r in requests if r.direction == "in"]
    assert len(inbound) == len(requests) // 2 == 100
    assert all((r.ft != (0, 0)) == (mode != "observe") for r in inbound)
    numbers = {r.number for r in requests if r.direction == "out"}
    assert {r.ft[1] for r in inbound} == (numbers if mode != "observe" else {0})


@pytest.mark.parametrize("mode", ["observe", "forward", "span"])
def test_a_request_is_canceled_by_the_transport(program: Program, mode: str) -> None:
    """Although a copy of it is sent where headers are added."""
    requests, output = program.record("cancels", FUNCTRACE_PROPAGATE=mode)
    assert output == program.run("plain", "cancels")
    assert output == "net/http: request canceled\n"
    assert [r.failure for r in _of(requests, "/slow")] == ["net/http: request canceled"]


@pytest.mark.parametrize("mode", ["observe", "forward", "span"])
def test_requests_are_canceled_while_their_bodies_are_read(program: Program, mode: str) -> None:
    _, output = program.record("interrupts", FUNCTRACE_PROPAGATE=mode)
    expected = "false net/http: request canceled\ntrue net/http: request canceled\n"
    assert (program.run("plain", "interrupts"), output) == (expected, expected)


@pytest.mark.parametrize("mode", ["observe", "forward", "span"])
def test_requests_whose_bodies_are_not_closed_are_forgotten(program: Program, mode: str) -> None:
    """Once their contexts are canceled, which closes their connections."""
    _, output = program.record("abandons", FUNCTRACE_PROPAGATE=mode)
    assert (program.run("plain", "abandons"), output) == ("collected\n", "collected\n")


def test_each_redirect_is_a_request(program: Program) -> None:
    requests, _ = program.record("redirects")
    assert [(r.name, r.status) for r in requests if r.direction == "out"] == [
        ("GET 127.0.0.1/first", 302),
        ("GET 127.0.0.1/second", 307),
        ("GET 127.0.0.1/third", 200),
    ]


def test_a_handler_that_continues_after_its_timeout(program: Program) -> None:
    requests, _ = program.record("timeouts")
    (slow,) = _of(requests, "/slow", "in")
    assert slow.outcome == ("GET /slow", 503, "503 Service Unavailable")
    assert [r.inbound for r in _of(requests, "/late")] == [slow.number]


def test_the_last_status_counts(program: Program) -> None:
    requests, _ = program.record("informs")
    assert [(r.name, r.status) for r in requests] == [
        ("GET 127.0.0.1/hints", 201),
        ("GET /hints", 201),
    ]


def test_a_request_that_the_transport_sends_again_is_one(program: Program) -> None:
    requests, _ = program.record("drops")
    assert [(r.name, r.status) for r in requests] == [("GET 127.0.0.1/again", 200)] * 2


def test_a_profile_that_is_not_known(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The packages are as expected, and the message says what is not."""
    monkeypatch.setattr(archives, "find_profile", lambda *_: None)
    assert not toolexec._compile_with_hooks(None, "net/http", [])  # type: ignore[arg-type]
    assert capfd.readouterr().err == (
        "functrace: net/http is compiled with one of several profiles, which of them is not known:"
        " its requests are not recorded; build one program at a time, or with -pgo=off\n"
    )


def test_full_names_on_request(program: Program) -> None:
    requests, _ = program.record("plain", FUNCTRACE_REQUEST_URLS="full")
    assert requests[1].name == "GET /users/17?q=secret"


def test_an_unexpected_net_http_is_built_without_hooks() -> None:
    files = {"server.go": b"package http\n\nfunc (sh serverHandler) ServeHTTP() {}\n"}
    assert request_hooks.hook("net/http", files) is None
    files["transport.go"] = (
        b"package http\n\nfunc (t *Transport) roundTrip() {}\n"
        b"\nfunc (t *Transport) CancelRequest() {}\n"
    )
    hooked = request_hooks.hook("net/http", files)
    assert hooked is not None
    assert b"ServeHTTP() {}" in hooked.edited["server.go"]
    files["other.go"] = files["transport.go"]
    assert request_hooks.hook("net/http", files) is None


@pytest.mark.slow
def test_a_net_http_that_does_not_compile_with_hooks(go: Go, tmp_path: Path) -> None:
    replaced = {}
    for name in ("transport.go", "roundtrip.go"):
        original = go.source / "net/http" / name
        text = original.read_text().replace("t.roundTrip(req)", "t.roundTrip(0, req)")
        text = text.replace("Transport) roundTrip(req", "Transport) roundTrip(_ int, req")
        (tmp_path / name).write_text(text)
        replaced[str(original)] = str(tmp_path / name)
    (tmp_path / "overlay.json").write_text(json.dumps({"Replace": replaced}))
    folder = tmp_path / "m"
    shutil.copytree(PROGRAMS / "requests", folder)
    env = go.environment() | {"FUNCTRACE_CACHE": str(tmp_path / "cache")}
    for _ in range(2):  # the go command repeats the message of a build in its cache
        run = subprocess.run(
            [*FUNCTRACE_GO_BUILD, "-overlay=../overlay.json", "."],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        message = "functrace: net/http is not as expected: its requests are not recorded\n"
        assert run.stderr.count(message) == 1
    requests, _ = Program(go, folder).record("plain")
    assert requests == []
