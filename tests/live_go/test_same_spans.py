"""The sender's spans are those of functrace export --to otlp, for the same file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from functrace.cli import traces
from functrace.export.otlp import EVERYTHING, Options, connect, export
from functrace.trace import Trace, open_trace
from tests.live_go.sender import send
from tests.otlp.program import Program
from tests.otlp.receiver import Received, over_grpc, over_http

RECEIVERS = {"http/protobuf": over_http, "grpc": over_grpc}
VECTORS = sorted((Path(__file__).resolve().parents[1] / "vectors").glob("*.ftrace"))


def of_export(path: Path, options: Options) -> Received:
    with over_http() as receiver:
        transport = connect(receiver.endpoint)
        export([open_trace(path)], transport, options)
        transport.close()
    return receiver.received


def of_sender(
    program: Path, path: Path, variables: dict[str, str], protocol: str = "http/protobuf"
) -> tuple[Received, str]:
    with RECEIVERS[protocol]() as receiver:
        variables = {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol, **variables}
        done = send(program, path, receiver.endpoint, variables)
    return receiver.received, done.stderr


def told(received: Received) -> list[Any]:
    """Every span as text, which a failing comparison can show."""
    return sorted(str(span) for span in received.spans)


def resources(received: Received) -> list[Any]:
    return [
        (
            sorted((each.key, str(each.value)) for each in part.resource.attributes),
            part.schema_url,
            [
                (scope.scope.name, scope.scope.version, scope.schema_url)
                for scope in part.scope_spans
            ],
        )
        for request in received.requests[:1]
        for part in request.resource_spans
    ]


def check(
    program: Path,
    path: Path,
    options: Options = EVERYTHING,
    variables: dict[str, str] | None = None,
    protocol: str = "http/protobuf",
) -> list[Any]:
    wanted = of_export(path, options)
    got, _ = of_sender(program, path, variables or {}, protocol)
    assert told(got) == told(wanted)
    assert resources(got) == resources(wanted)
    return got.spans


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_the_vectors_of_the_format(sender: Path, path: Path) -> None:
    check(sender, path)


def written(folder: Path, seed: int, steps: int) -> Path:
    path = folder / "x.ftrace"
    path.write_bytes(Program(seed, steps).written())
    return path


@pytest.mark.parametrize("protocol", RECEIVERS)
def test_every_call_is_a_span(sender: Path, tmp_path: Path, protocol: str) -> None:
    assert check(sender, written(tmp_path, 1, 8000), protocol=protocol)


def roots(trace: Trace) -> set[int]:
    return traces.named(trace, "serve") | traces.named(trace, "*.price")


CHOSEN = {
    "root": (Options(roots=roots), {"FUNCTRACE_OTLP_ROOT": "serve, *.price"}),
    "sample": (Options(rate=0.25), {"FUNCTRACE_OTLP_SAMPLE": "25%"}),
    "errors": (Options(errors=True), {"FUNCTRACE_OTLP_ERRORS": "1"}),
    "slow": (Options(slow=3000), {"FUNCTRACE_OTLP_SLOW": "3us"}),
    "all": (
        Options(roots=roots, rate=0.5, errors=True, slow=3000),
        {
            "FUNCTRACE_OTLP_ROOT": "serve,*.price",
            "FUNCTRACE_OTLP_SAMPLE": "0.5",
            "FUNCTRACE_OTLP_ERRORS": "1",
            "FUNCTRACE_OTLP_SLOW": "3us",
        },
    ),
}


@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("chosen", CHOSEN)
def test_spans_chosen(sender: Path, tmp_path: Path, chosen: str, seed: int) -> None:
    options, variables = CHOSEN[chosen]
    assert check(sender, written(tmp_path, seed, 3000), options, variables)
