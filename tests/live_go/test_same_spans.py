"""The Go sender's spans equal those of functrace export --to otlp, which reads in C."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from functrace.analysis.function_filter import matching_functions
from functrace.export.otlp import ALL_CALLS, Options, connect, export
from functrace.tracefile import Trace, open_trace
from tests.live.spans import followed
from tests.live_go.sender import send
from tests.otlp.program import Program
from tests.otlp.receiver import Received, over_grpc, over_http
from tests.otlp.request_program import RequestProgram
from tests.tracefile import writer as w
from tests.tracefile.fuzz import generated

RECEIVERS = {"http/protobuf": over_http, "grpc": over_grpc}
_FOLDER = Path(__file__).resolve().parents[1] / "vectors"
VECTORS = sorted(_FOLDER.glob("*.ftrace"))


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


def span_texts(received: Received) -> list[Any]:
    """Return every span as text, for readable failures."""
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
    options: Options = ALL_CALLS,
    variables: dict[str, str] | None = None,
    protocol: str = "http/protobuf",
) -> list[Any]:
    wanted = of_export(path, options)
    got, _ = of_sender(program, path, variables or {}, protocol)
    assert span_texts(got) == span_texts(wanted)
    assert resources(got) == resources(wanted)
    return got.spans


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_vectors(sender: Path, path: Path) -> None:
    check(sender, path)


@pytest.mark.parametrize("chosen", ["all", "sample", "root"])
def test_requests(sender: Path, tmp_path: Path, chosen: str) -> None:
    choices: dict[str, tuple[Options, dict[str, str]]] = {
        "all": (ALL_CALLS, {}),
        "sample": (Options(rate=0.5), {"FUNCTRACE_OTLP_SAMPLE": "0.5"}),
        "root": (
            Options(roots=lambda trace: matching_functions(trace, ["main.serve"])),
            {"FUNCTRACE_OTLP_ROOT": "main.serve"},
        ),
    }
    for seed in range(6):
        path = RequestProgram(seed, 400).write(tmp_path)
        spans = check(sender, path, *choices[chosen])
        assert {span.kind for span in spans} >= {Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT}


def test_requests_of_failed_calls(sender: Path, tmp_path: Path) -> None:
    """The inbound call is sent with what a worker sends for it, as by the Python sender."""
    for seed in range(6):
        path = RequestProgram(seed, 400).write(tmp_path)
        got, _ = of_sender(sender, path, {"FUNCTRACE_OTLP_ERRORS": "1"})
        wanted = [str(Span.FromString(span)) for span in followed(path, Options(errors=True))]
        assert span_texts(got) == sorted(wanted)
        assert wanted


def written(folder: Path, seed: int, steps: int) -> Path:
    path = folder / "x.ftrace"
    path.write_bytes(Program(seed, steps).written())
    return path


@pytest.mark.parametrize("protocol", RECEIVERS)
def test_every_call_is_a_span(sender: Path, tmp_path: Path, protocol: str) -> None:
    assert check(sender, written(tmp_path, 1, 8000), protocol=protocol)


@pytest.mark.parametrize("first", range(0, 20, 10))
def test_random_programs(sender: Path, tmp_path: Path, first: int) -> None:
    for seed in range(first, first + 10):
        assert check(sender, written(tmp_path, seed, 150))


# A track is described only after its first words, which no recorder does: the senders choose
# different calls as its parent.
_DIFFERENT_PARENTS = {7}


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_random_words(sender: Path, tmp_path: Path, first: int) -> None:
    """Valid words in an order that no recorder writes: the spans are those of the Python sender."""
    for seed in range(first, first + 10):
        if seed in _DIFFERENT_PARENTS:
            continue
        path = tmp_path / f"{seed}.ftrace"
        path.write_bytes(generated(Random(seed), cycles=False))
        got, _ = of_sender(sender, path, {})
        wanted = [str(Span.FromString(span)) for span in followed(path, ALL_CALLS)]
        assert span_texts(got) == sorted(wanted), seed


@pytest.mark.parametrize("first", range(0, 40, 20))
def test_random_inherited_calls(sender: Path, tmp_path: Path, first: int) -> None:
    for seed in range(first, first + 20):
        path = tmp_path / f"{seed}.ftrace"
        path.write_bytes(_with_inherited_calls(Random(seed)))
        check(sender, path)


def _with_inherited_calls(random: Random) -> bytes:
    chunks, now = [], 0
    for sequence in range(2, 5):
        listed = [
            w.opened(1000 + random.randrange(now + 1), random.randrange(1, 5), random.randrange(2))
            for _ in range(random.randrange(4))
        ]
        words = []
        for _ in range(30):
            now += random.randint(0, 9)
            function = random.randrange(1, 5)
            makers = (
                lambda now=now, function=function: w.inherited(1000 + now, function),
                lambda now=now, function=function: w.enter(function, now),
                lambda now=now, function=function: w.leave(function, now),
            )
            words.append(random.choices(makers, [1, 3, 3])[0]())
        switch = w.switch(1, sequence, opened=len(listed) + random.randrange(2))
        if listed:
            listed.insert(0, w.track(1, 1000, again=True))
        chunks.append(w.events(sequence, switch, *listed, *words, track=1))
    return w.header(version=2, flags=4) + w.FUNCTIONS + b"".join(chunks)


def roots(trace: Trace) -> set[int]:
    return matching_functions(trace, ["serve", "*.price"])


CHOSEN = {
    "root": (Options(roots=roots), {"FUNCTRACE_OTLP_ROOT": "serve, *.price"}),
    "sample": (Options(rate=0.25), {"FUNCTRACE_OTLP_SAMPLE": "25%"}),
    "errors": (Options(errors=True), {"FUNCTRACE_OTLP_ERRORS": "1"}),
    "slow": (Options(min_duration_ns=3000), {"FUNCTRACE_OTLP_MIN_DURATION": "3us"}),
    "all": (
        Options(roots=roots, rate=0.5, errors=True, min_duration_ns=3000),
        {
            "FUNCTRACE_OTLP_ROOT": "serve,*.price",
            "FUNCTRACE_OTLP_SAMPLE": "0.5",
            "FUNCTRACE_OTLP_ERRORS": "1",
            "FUNCTRACE_OTLP_MIN_DURATION": "3us",
        },
    ),
}


@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("chosen", CHOSEN)
def test_spans_chosen(sender: Path, tmp_path: Path, chosen: str, seed: int) -> None:
    options, variables = CHOSEN[chosen]
    assert check(sender, written(tmp_path, seed, 3000), options, variables)


_PROCESSES: dict[str, tuple[int, object]] = {
    "go": (
        1,
        {
            "argv": ["/srv/bin/shop", "-v", "\udcff", "a\\udc00"],
            "host": "\ud800web",
            "ppid": 12,
            "executable": "/srv/bin/shop",
            "runtime": "go1.27.3 linux/amd64",
            "build": {"main": "example.com/shop", "version": "v1.2.3"},
        },
    ),
    "python": (
        2,
        {
            "argv": ["python", "/srv/shop.py"],
            "host": "web\U0001f600",
            "ppid": 1e3,
            "runtime": "CPython 3.13.0 linux",
            "build": {"main": "/srv/shop.py"},
        },
    ),
    "module": (2, {"argv": ["python"], "build": {"main": "shop.__main__"}, "host": 5}),
    "compiled": (
        2,
        {"argv": ["python", "/tmp/x.pyc", "-m", "shop"], "build": {"main": "/tmp/x.pyc"}},
    ),
    "nothing": (3, []),
}


@pytest.mark.parametrize("case", _PROCESSES)
def test_the_resource(
    sender: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    language, process = _PROCESSES[case]
    path = tmp_path / "x.ftrace"
    path.write_bytes(
        w.header(version=2, language=language)
        + w.facts(1, w.process(json.dumps(process)), w.function(1, "shop.pay", "", 0))
        + w.events(2, w.track((1 << 64) - 1, 1000, kind=9), w.enter(1, 5))
    )
    check(sender, path)
    variables = {
        "OTEL_SERVICE_NAME": "pay",
        "OTEL_RESOURCE_ATTRIBUTES": "a= b%20c ,service.name=x,d,host.name=h=%zz",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    check(sender, path, variables=variables)


_TEXTS = (b"shop.Declined: card: 13", b"KeyError", b"no type", b": x", b"", b"x\xe2\x80")


@pytest.mark.parametrize("text", [*_TEXTS, b"a.<locals>.B: \n"])
@pytest.mark.parametrize("language", [1, 2])
def test_exceptions(sender: Path, tmp_path: Path, text: bytes, language: int) -> None:
    path = tmp_path / "x.ftrace"
    path.write_bytes(
        w.header(version=2, language=language)
        + w.FUNCTIONS
        + w.events(2, w.track(1, 1000), w.enter(1, 5), w.record(4, text, 1), w.leave(1, 9))
    )
    check(sender, path)


_NAMES = (
    "main.main",
    "example.com/shop/store.(*Store).Get",
    "example.com/shop/store.Get[...]",
    "main.serve.func1",
    "shop.Cart.add.<locals>.inner",
    "Get",
)


@pytest.mark.parametrize(
    "glob",
    [
        "store.Get",
        "Get",
        "Store.Get",
        "store.(*Store).*",
        "example.com/*",
        "example.com/shop/store.Get[...]",
        "main.s*",
        "inner",
        "shop.Cart.add.<locals>.inner",
        "shop.inner",
        "nothing, ,main.main",
    ],
)
def test_names_of_roots(sender: Path, tmp_path: Path, glob: str) -> None:
    numbers = range(1, len(_NAMES) + 1)
    calls = (word(number, 5) for number in numbers for word in (w.enter, w.leave))
    path = tmp_path / "x.ftrace"
    path.write_bytes(
        w.header(version=2)
        + w.facts(1, *map(w.function, numbers, _NAMES))
        + w.events(2, w.track(1, 1000), *calls)
    )

    def meant(trace: Trace) -> set[int]:
        return matching_functions(trace, [glob])

    assert check(sender, path, Options(roots=meant), {"FUNCTRACE_OTLP_ROOT": glob})
