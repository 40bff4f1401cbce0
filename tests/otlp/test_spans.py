"""Every span that a collector gets, beside what the program did."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from functrace.export.otlp import Options, connect, export
from functrace.export.otlp.spans import spans
from functrace.tracefile import Trace, open_trace
from tests.otlp.program import FILES, NAMES, STARTED, Call, Expected, Program, expected
from tests.otlp.receiver import Received, over_grpc, over_http
from tests.tracefile import writer as w

RECEIVERS = {"http/protobuf": over_http, "grpc": over_grpc}


Traced = Callable[[Program], Trace]


def exported(trace: Trace, options: Options, protocol: str = "http/protobuf") -> Received:
    with RECEIVERS[protocol]() as receiver:
        transport = connect(receiver.endpoint, protocol)
        done = export([trace], transport, options)
        transport.close()
    assert (done.sent, done.refused) == (len(receiver.received.spans), 0)
    return receiver.received


def check(received: Received, wanted: dict[int, Expected], end: int) -> None:
    """Every span is one that was expected, and none is missing."""
    by_start = {span.start_time_unix_nano - STARTED: span for span in received.spans}
    assert len(by_start) == len(received.spans)
    assert by_start.keys() == wanted.keys()
    for start, each in wanted.items():
        _check_call(by_start[start], each.call, end)
        _check_place(by_start, each)
    assert len({span.span_id for span in received.spans}) == len(received.spans)
    roots = {each.root for each in wanted.values()}
    assert len({span.trace_id for span in received.spans}) == len(roots)


def _check_call(span: Any, call: Call, end: int) -> None:
    index = NAMES.index(call.function)
    found = attributes(span)
    found.pop("functrace.chain", None)
    kind = "functrace.goroutine" if call.track % 3 else "thread"
    assert found == {
        "code.function.name": call.function,
        "code.line.number": 10 * (index + 1),
        f"{kind}.id": call.track,
        **({"code.file.path": FILES[index]} if FILES[index] else {}),
        **({} if call.track % 3 else {"thread.name": f"worker {call.track}"}),
        **({"functrace.unfinished": True} if call.unfinished else {}),
        **({"functrace.goexit": True} if call.goexit else {}),
    }
    assert span.name == call.function.rpartition("/")[2]
    assert span.kind == span.SPAN_KIND_INTERNAL
    assert span.end_time_unix_nano == STARTED + (end if call.unfinished else call.end)
    assert span.flags == 0x103
    _check_failure(span, call)


def _check_failure(span: Any, call: Call) -> None:
    text = call.error or call.panic
    assert (span.status.code, span.status.message) == ((2, text) if text else (0, ""))
    assert [(event.name, event.time_unix_nano, attributes(event)) for event in span.events] == (
        [
            (
                "exception",
                span.end_time_unix_nano,
                {"exception.type": "error" if call.error else "panic", "exception.message": text},
            )
        ]
        if text
        else []
    )


def _check_place(by_start: dict[int, Any], each: Expected) -> None:
    span = by_start[each.call.start]
    links = [(link.trace_id, link.span_id) for link in span.links]
    if each.root.start in by_start:
        assert span.trace_id == by_start[each.root.start].trace_id
    if each.parent is None:
        assert span.parent_span_id == b""
        linked = by_start[each.link.start] if each.link else None
        assert links == ([(linked.trace_id, linked.span_id)] if linked else [])
        chain = [call.function for call in each.call.up()][:0:-1]
        assert attributes(span).get("functrace.chain", []) == chain[-128:]
    else:
        assert span.parent_span_id == by_start[each.parent.start].span_id
        assert links == []


def attributes(message: Any) -> dict[str, Any]:
    return {each.key: _value(each.value) for each in message.attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind)


@pytest.mark.parametrize("protocol", RECEIVERS)
def test_every_call_is_a_span(traced: Traced, protocol: str) -> None:
    program = Program(seed=1, steps=4000)
    received = exported(traced(program), Options(), protocol)
    assert [len(request.resource_spans) for request in received.requests] == [1, 1]
    check(received, expected(program), program.end)


ROOTS = frozenset({"main.serve", "main.price"})


def roots(trace: Trace) -> set[int]:
    return {index for index, function in enumerate(trace.functions) if function.name in ROOTS}


@pytest.mark.parametrize("seed", range(6))
def test_spans_chosen(traced: Traced, seed: int) -> None:
    program = Program(seed, steps=600)
    trace = traced(program)
    longest = sorted(call.end - call.start for call in program.calls)[-5]

    def slow(call: Call) -> bool:
        return (program.end if call.unfinished else call.end) - call.start >= longest

    for options, wanted in (
        (Options(), expected(program)),
        (Options(roots=roots), expected(program, roots=ROOTS)),
        (Options(errors=True), expected(program, wanted=lambda call: call.failed)),
        (Options(min_duration_ns=longest), expected(program, wanted=slow)),
        (
            Options(errors=True, min_duration_ns=longest, roots=roots),
            expected(program, roots=ROOTS, wanted=lambda call: call.failed or slow(call)),
        ),
    ):
        check(exported(trace, options), wanted, program.end)


def test_spans_are_the_same_in_small_blocks(
    traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long track comes in several blocks, and so may several tracks at once."""
    program = Program(seed=7, steps=1500)
    trace = traced(program)
    for words in (40, 500):
        monkeypatch.setattr("functrace.analysis.stream._BLOCK_WORDS", words)
        check(exported(trace, Options()), expected(program), program.end)
        failed = expected(program, wanted=lambda call: call.failed)
        check(exported(trace, Options(errors=True)), failed, program.end)


def test_a_share_of_the_traces_is_kept_whole(traced: Traced) -> None:
    program = Program(seed=5, steps=6000)
    trace = traced(program)
    everything = {span.span_id: span for span in exported(trace, Options()).spans}
    assert {span.trace_state for span in everything.values()} == {""}
    # OpenTelemetry's samplers compare the last 56 bits of the id with the trace state's threshold.
    for rate, state, threshold in ((0.25, "ot=th:c", 12 << 52), (0.5, "ot=th:8", 8 << 52)):
        kept = {span.span_id: span for span in exported(trace, Options(rate=rate)).spans}
        assert kept.keys() == {
            each.span_id
            for each in everything.values()
            if int.from_bytes(each.trace_id, "big") % (1 << 56) >= threshold
        }
        assert {span.trace_state for span in kept.values()} == {state}
        traces = {span.trace_id for span in kept.values()}
        roots = {span.trace_id for span in everything.values()}
        assert rate * 0.7 < len(traces) / len(roots) < rate * 1.3
        links = [link.trace_id for span in kept.values() for link in span.links]
        assert links
        assert set(links) <= traces


def test_a_share_of_what_is_below_roots(traced: Traced) -> None:
    """A track goes on in an OpenTelemetry trace that is not kept: neither is the track's part."""
    program = Program(seed=13, steps=3000)
    trace = traced(program)
    everything = {span.span_id: span for span in exported(trace, Options(roots=roots)).spans}
    kept = exported(trace, Options(roots=roots, rate=0.5)).spans
    traces = {span.trace_id for span in kept}
    assert {span.span_id for span in kept} == {
        each.span_id for each in everything.values() if each.trace_id in traces
    }
    assert 0 < len(kept) < len(everything)


def test_the_same_calls_have_the_same_ids(traced: Traced) -> None:
    program = Program(seed=4, steps=800)
    trace = traced(program)
    everything = {
        span.start_time_unix_nano: (span.trace_id, span.span_id)
        for span in exported(trace, Options()).spans
    }
    again = exported(trace, Options(errors=True), "grpc").spans
    assert again
    for span in again:
        assert everything[span.start_time_unix_nano] == (span.trace_id, span.span_id)


def test_ids_are_the_same_when_the_clock_is_known_better(tmp_path: Path) -> None:
    """Spans that were sent while the program ran are those of its recording."""
    # Of three calls a nanosecond two begin in the same one.
    words = [word for at in range(7000, 7009) for word in (w.enter(1, at), w.leave(1, at))]
    content = w.FUNCTIONS + w.events(2, w.track(1, 1005), *words)
    path = tmp_path / "x.ftrace"
    received = []
    for calibrations in ((), ((1, 60_001_000, 20_000_001, 1),)):
        path.write_bytes(w.header(rate=2_999_000_000, calibrations=calibrations) + content)
        received.append(exported(open_trace(path), Options()).spans)
    first, again = received
    ids = [(span.trace_id, span.span_id) for span in first]
    assert ids == [(span.trace_id, span.span_id) for span in again]
    times = [[span.start_time_unix_nano for span in spans] for spans in received]
    assert times[0] != times[1]
    assert len(set(ids)) == 9


def test_calls_at_the_same_time(tmp_path: Path) -> None:
    """A coarse clock, and a function that calls itself: ids differ all the same."""
    words = [word for _ in range(3) for word in (w.enter(1, 5), w.enter(1, 5), w.leave(1, 5))]
    path = tmp_path / "x.ftrace"
    path.write_bytes(w.header() + w.FUNCTIONS + w.events(2, w.track(1, 1005), *words))
    received = exported(open_trace(path), Options()).spans
    assert len({span.span_id for span in received}) == len(received) == 6
    assert len({span.trace_id for span in received}) == 1


def test_python_and_tasks_that_wait(tmp_path: Path) -> None:
    path = tmp_path / "x.ftrace"
    path.write_bytes(
        w.header(language=2)
        + w.facts(1, w.function(1, "shop.pay", "/srv/shop.py", 3), w.function(2, "shop.card"))
        + w.events(
            2,
            w.track(1, 1000, kind=2, name="MainThread"),
            w.enter(1, 5),
            w.panic("shop.errors.Declined: card: 13"),
            w.leave(1, 9),
            w.track(2, 1010, kind=3, parent=1, starter=1, name="Task-2"),
            w.enter(2, 10),
            w.suspended(20),
            w.resumed(50),
            w.panic("KeyError", value=1),
            w.leave(2, 60),
        )
    )
    pay, card = exported(open_trace(path), Options()).spans
    (event,) = pay.events
    assert attributes(event) == {
        "exception.type": "shop.errors.Declined",
        "exception.message": "card: 13",
    }
    assert attributes(card) == {
        "code.function.name": "shop.card",
        "code.file.path": "main.go",
        "code.line.number": 1,
        "functrace.task.id": 2,
        "functrace.task.name": "Task-2",
        "functrace.suspended_ns": 30,
        "functrace.chain": ["shop.pay"],
    }
    (event,) = card.events
    assert attributes(event) == {"exception.type": "KeyError", "exception.message": "…"}
    assert card.status.message == "KeyError…"


_FOLDER = Path(__file__).resolve().parents[1] / "vectors"
# Spans of requests have other names and parents: see test_requests.py.
VECTORS = sorted(path for path in _FOLDER.glob("*.ftrace") if path.stem != "requests")


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_the_vectors_of_the_format(path: Path) -> None:
    """Damaged, killed, overwritten or not: their JSON says which calls are in which."""
    meaning = json.loads(path.with_suffix(".json").read_text())
    wanted = [
        call for track in meaning["tracks"] for call in _flat(track["calls"], track["id"], None)
    ]
    trace = open_trace(path)
    if not wanted:
        assert list(spans(trace, Options())) == []
        return
    received = exported(trace, Options()).spans
    functions = {span.span_id: attributes(span)["code.function.name"] for span in received}
    got = [_summary(span, functions, meaning["started"]) for span in received]
    assert sorted(got, key=repr) == sorted(wanted, key=repr)


def _flat(calls: list[Any], track: int, around: str | None) -> Iterator[tuple[Any, ...]]:
    for call in calls:
        text = call.get("text", "") + ("…" if call.get("text_cut") else "")
        times = call["start"], call["duration"], call.get("suspended", 0)
        yield (track, call["function"], *times, text, around)
        yield from _flat(call["calls"], track, call["function"])


def _summary(span: Any, functions: dict[bytes, str], started: int) -> tuple[Any, ...]:
    values = attributes(span)
    (track,) = (value for key, value in values.items() if key.endswith(".id"))
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    return (
        track,
        values["code.function.name"],
        start - started,
        end - start,
        values.get("functrace.suspended_ns", 0),
        span.status.message,
        functions.get(span.parent_span_id),
    )


def test_what_is_no_text_or_number_for_a_message(tmp_path: Path) -> None:
    path = tmp_path / "x.ftrace"
    facts = w.process('{"argv": ["./shop", "\\udcff"], "host": "\\ud800", "ppid": 1e3}')
    numbers = w.facts(1, facts, w.function(1, "main.main"), w.process("{}"))
    path.write_bytes(
        w.header() + numbers + w.events(2, w.track((1 << 64) - 1, 1000), w.enter(1, 5))
    )
    received = exported(open_trace(path), Options())
    (span,) = received.spans
    assert attributes(span)["functrace.goroutine.id"] == str((1 << 64) - 1)
    resource = attributes(received.requests[0].resource_spans[0].resource)
    assert resource["process.command_args"] == ["./shop", r"\udcff"]
    assert resource["host.name"] == r"\ud800"
    assert "process.parent_pid" not in resource
