"""Requests of gRPC servers and clients that ``functrace go`` builds. The module proxy has gRPC."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.gobuild.test_requests import PROGRAMS, Program, build
from tests.support.toolchains import Go

pytestmark = pytest.mark.slow

CHECK, WATCH = "grpc grpc.health.v1.Health/Check", "grpc grpc.health.v1.Health/Watch"
# The last version for Go 1.21, and one that has NewClient and newer streams.
VERSIONS = {"v1.63.2": (1, 21), "v1.76.0": (1, 24)}


@pytest.fixture(scope="module", params=VERSIONS)
def program(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    functrace_cache: Path,
    go: Go,
) -> Program:
    if go.release < VERSIONS[request.param]:
        pytest.skip(f"gRPC {request.param} requires a newer Go")
    folder = tmp_path_factory.mktemp("grpc")
    shutil.copytree(PROGRAMS / "grpc", folder, dirs_exist_ok=True)
    for arguments in (["get", f"google.golang.org/grpc@{request.param}"], ["mod", "tidy"]):
        run = go.run(*arguments, cwd=folder, GOFLAGS="-mod=mod")
        if run.returncode:
            pytest.skip(f"the Go module proxy does not have gRPC: {run.stderr[-200:]}")
    return build(go, folder, functrace_cache)


@pytest.mark.parametrize("scenario", ["unary", "interceptors"])
def test_unary_calls(program: Program, scenario: str) -> None:
    requests, _ = program.record(scenario)
    inbound = [r for r in requests if r.direction == "in"]
    outbound = [r for r in requests if r.direction == "out"]
    assert {r.name for r in requests} == {CHECK}
    assert {r.protocol for r in requests} == {"grpc"}
    served = {(0, ""), (5, ""), (14, "UNAVAILABLE"), (2, "UNKNOWN")}
    assert {(r.status, r.failure) for r in inbound} == served
    received = {(0, ""), (5, "NOT_FOUND"), (14, "UNAVAILABLE"), (2, "UNKNOWN")}
    assert {(r.status, r.failure) for r in outbound} == received
    assert len(inbound) == len(outbound) == 6
    joined = [r.inbound for r in outbound if r.inbound]
    assert len(joined) == 1
    assert joined[0] in {r.number for r in inbound}
    assert all(("main.work" in r.calls) == (scenario == "interceptors") for r in outbound)


def test_streams(program: Program) -> None:
    requests, output = program.record("stream")
    assert output.split("\n")[:2] == ["3", "3"]
    inbound = [r for r in requests if r.direction == "in" and r.name == WATCH]
    outbound = [r for r in requests if r.direction == "out" and r.name == WATCH]
    assert [(r.status, r.failure) for r in inbound] == [(0, ""), (0, ""), (14, "UNAVAILABLE")]
    assert [(r.status, r.failure) for r in outbound] == [
        (0, ""),
        (0, ""),
        (14, "UNAVAILABLE"),
        (1, "CANCELLED"),
    ]
    below = next(r for r in requests if r.direction == "out" and r.name == CHECK)
    assert below.inbound == inbound[1].number
    assert all(r.has_ended for r in requests)


@pytest.mark.parametrize("mode", ["observe", "forward", "span"])
def test_headers(program: Program, mode: str) -> None:
    requests, output = program.record("headers", FUNCTRACE_PROPAGATE=mode)
    first, second = output.splitlines()
    assert first == "[00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01] []"
    if mode == "observe":
        assert second == "[] []"
    elif mode == "forward":
        assert re.fullmatch(r"\[\] \[ft=[0-9a-f]{16}:3\]", second)
    else:
        assert re.fullmatch(r"\[00-[0-9a-f]{32}-[0-9a-f]{16}-01\] \[ft=[0-9a-f]{16}:3\]", second)
    assert requests[0].ids == requests[1].ids == "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"
    assert requests[3].ft[1] == (0 if mode == "observe" else requests[2].number)


def test_off_and_text_print_the_same(program: Program) -> None:
    plain = program.run("plain", "stream")
    assert program.run("traced", "stream", FUNCTRACE="off") == plain
    assert program.run("traced", "stream", FUNCTRACE_OUT="stderr") == plain
