"""Every span that a collector gets, beside what the program did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from functrace.export.otlp import Options, connect, export
from functrace.trace import Trace, open_trace
from tests.otlp.program import FILES, NAMES, STARTED, Call, Expected, Program, expected
from tests.otlp.receiver import Received, over_grpc, over_http

RECEIVERS = {"http/protobuf": over_http, "grpc": over_grpc}


def traced(folder: Path, program: Program) -> Trace:
    path = folder / "x.ftrace"
    path.write_bytes(program.written())
    return open_trace(path)


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
    told = attributes(span)
    told.pop("functrace.chain", None)
    kind = "functrace.goroutine" if call.track % 3 else "thread"
    assert told == {
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
def test_every_call_is_a_span(tmp_path: Path, protocol: str) -> None:
    program = Program(seed=1, steps=4000)
    received = exported(traced(tmp_path, program), Options(), protocol)
    assert len(received.requests) > 1
    check(received, expected(program), program.end)


ROOTS = frozenset({"main.serve", "main.price"})


def roots(trace: Trace) -> set[int]:
    return {index for index, function in enumerate(trace.functions) if function.name in ROOTS}


@pytest.mark.parametrize("seed", range(6))
def test_spans_chosen(tmp_path: Path, seed: int) -> None:
    program = Program(seed, steps=600)
    trace = traced(tmp_path, program)
    longest = sorted(call.end - call.start for call in program.calls)[-5]

    def slow(call: Call) -> bool:
        return (program.end if call.unfinished else call.end) - call.start >= longest

    for options, wanted in (
        (Options(), expected(program)),
        (Options(roots=roots), expected(program, roots=ROOTS)),
        (Options(errors=True), expected(program, wanted=lambda call: call.failed)),
        (Options(slow=longest), expected(program, wanted=slow)),
        (
            Options(errors=True, slow=longest, roots=roots),
            expected(program, roots=ROOTS, wanted=lambda call: call.failed or slow(call)),
        ),
    ):
        check(exported(trace, options), wanted, program.end)


def test_spans_are_the_same_in_small_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long track comes in several blocks, and so may several tracks at once."""
    program = Program(seed=7, steps=1500)
    trace = traced(tmp_path, program)
    for words in (40, 500):
        monkeypatch.setattr("functrace.analysis.stream._WORDS", words)
        check(exported(trace, Options()), expected(program), program.end)
        failed = expected(program, wanted=lambda call: call.failed)
        check(exported(trace, Options(errors=True)), failed, program.end)
