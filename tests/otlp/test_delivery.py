"""Delivery to collectors that are slow, full, broken or unreachable."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from functrace.errors import FunctraceError, UsageError
from functrace.export.otlp import (
    ALL_CALLS,
    Delivery,
    Options,
    StoppedError,
    connect,
    export,
    resume_token,
)
from functrace.tracefile import Trace
from tests.otlp.conftest import Waits
from tests.otlp.program import Program
from tests.otlp.receiver import Receiver, Reply, over_grpc, over_http

PROGRAM = Program(seed=2, steps=900)
SPANS = len(PROGRAM.calls)
assert 500 < SPANS < 600  # six requests of 100 at most
HTTP, GRPC = "http/protobuf", "grpc"
OK = Reply()

Traced = Callable[[Program], Trace]


@pytest.fixture
def trace(traced: Traced, small_requests: int) -> Trace:  # noqa: ARG001  # sets it
    return traced(PROGRAM)


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenTelemetry's exporters do not try again: they would wait for 0.8 seconds before that."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "750")


def receiver_for(protocol: str, *replies: Reply) -> AbstractContextManager[Receiver]:
    return over_grpc(*replies) if protocol == GRPC else over_http(*replies)


def send(
    trace: Trace, endpoint: str, waits: Waits, protocol: str = HTTP, **options: Any
) -> Delivery:
    transport = connect(endpoint, protocol)
    try:
        return export([trace], transport, clock=waits.clock, **options)
    finally:
        transport.close()


def stopped(
    trace: Trace, endpoint: str, waits: Waits, protocol: str = HTTP, **options: Any
) -> tuple[Delivery, str]:
    """Return what was delivered before the export stopped, and the reason."""
    delivery = Delivery()
    with pytest.raises(StoppedError) as error:
        send(trace, endpoint, waits, protocol, delivery=delivery, **options)
    return delivery, str(error.value)


def ids(*receivers: Receiver) -> list[bytes]:
    return [span.span_id for receiver in receivers for span in receiver.received.spans]


def all_ids(trace: Trace, waits: Waits) -> list[bytes]:
    with over_http() as receiver:
        send(trace, receiver.endpoint, waits)
    assert len(set(ids(receiver))) == SPANS
    return ids(receiver)


@pytest.mark.parametrize(
    ("protocol", "refusal"),
    [(HTTP, 429), (HTTP, 502), (HTTP, 503), (HTTP, 504), (GRPC, "UNAVAILABLE")],
)
def test_retry_after_within_the_timeout(
    trace: Trace, waits: Waits, protocol: str, refusal: int | str
) -> None:
    full = Reply(refusal, retry_after=0 if protocol == HTTP else 0.01)
    with receiver_for(protocol, full, OK, full, full) as receiver:
        done = send(trace, receiver.endpoint, waits, protocol)
    assert (done.sent, done.refused, waits) == (SPANS, 0, [])
    assert ids(receiver) == all_ids(trace, waits)
    first, again, second, third, fourth = receiver.received.requests[:5]
    assert first == again != second
    assert second == third == fourth or third == fourth


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize(
    ("protocol", "refusal"),
    [(HTTP, 429), (HTTP, 503), (GRPC, "RESOURCE_EXHAUSTED"), (GRPC, "UNAVAILABLE")],
)
def test_retry_after_longer_than_the_timeout(
    trace: Trace, waits: Waits, protocol: str, refusal: int | str
) -> None:
    with receiver_for(protocol, Reply(refusal, retry_after=25)) as receiver:
        done = send(trace, receiver.endpoint, waits, protocol)
    assert (done.sent, waits) == (SPANS, [25])
    assert ids(receiver) == all_ids(trace, waits)


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("delay", ["inf", "nan", "soon"])
def test_an_invalid_retry_after(trace: Trace, waits: Waits, delay: str) -> None:
    with over_http(OK, Reply(503, retry_after=delay)) as receiver:
        done = send(trace, receiver.endpoint, waits)
    assert (done.sent, waits) == (SPANS, [1])


@pytest.mark.usefixtures("brief")
def test_retry_info_in_the_details_of_a_status(trace: Trace, waits: Waits) -> None:
    full = Reply("RESOURCE_EXHAUSTED", retry_after=25, has_details=True)
    with over_grpc(full) as receiver:
        done = send(trace, receiver.endpoint, waits, GRPC)
    assert (done.sent, waits) == (SPANS, [25])


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize(("protocol", "refusal"), [(HTTP, 503), (GRPC, "UNAVAILABLE")])
def test_a_collector_that_restarts(
    trace: Trace, waits: Waits, protocol: str, refusal: int | str
) -> None:
    away = Reply(refusal)
    with receiver_for(protocol, OK, OK, away, away, away) as receiver:
        done = send(trace, receiver.endpoint, waits, protocol)
    assert (done.sent, waits) == (SPANS, [1, 2, 4])
    assert ids(receiver) == all_ids(trace, waits)


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize(
    ("protocol", "away"),
    [
        (HTTP, Reply(503)),
        (HTTP, Reply(cut=True)),
        (HTTP, Reply(hangs=True)),
        (GRPC, Reply("UNAVAILABLE")),
    ],
)
def test_an_interrupted_export_is_resumed(
    trace: Trace, waits: Waits, protocol: str, away: Reply
) -> None:
    with receiver_for(protocol, OK, OK, *[away] * 40) as receiver:
        delivery, _ = stopped(trace, receiver.endpoint, waits, protocol)
    assert (delivery.sent, delivery.done) == (200, 200)
    assert 30 < sum(waits) <= 60
    with receiver_for(protocol) as other:
        resume = resume_token([trace], ALL_CALLS, delivery.done)
        done = send(trace, other.endpoint, waits, protocol, resume=resume)
    assert (done.sent, done.done) == (SPANS - 200, SPANS)
    assert ids(receiver, other) == all_ids(trace, waits)


def test_nothing_listens(trace: Trace, waits: Waits, brief: None) -> None:  # noqa: ARG001
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        delivery, reason = stopped(trace, f"http://{address}", waits)
        assert reason == f"http://{address}/v1/traces: Connection refused"
        assert (delivery.done, waits) == (0, [])
        _, reason = stopped(trace, f"http://{address}", waits, GRPC)
        assert reason.startswith(f"{address}: UNAVAILABLE: ")
        assert "refused" in reason


def test_an_unknown_host(trace: Trace, waits: Waits, brief: None) -> None:  # noqa: ARG001
    _, reason = stopped(trace, "http://collector.invalid:4318", waits)
    assert reason.startswith("http://collector.invalid:4318/v1/traces: ")
    assert waits == []


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(400, "no spans here"), "400 Bad Request: no spans here"),
        (
            Reply(401, body=b"who\nare you", content_type="text/plain"),
            "401 Unauthorized: who are you",
        ),
        (Reply(404), "404 Not Found"),
        (Reply(500, body=b"\xff"), "500 Internal Server Error"),
        (
            Reply(307, headers={"Location": "https://elsewhere/"}),
            "307 Temporary Redirect: it is at https://elsewhere/",
        ),
        (
            Reply(200, body=b"<html>", content_type="text/html"),
            "the response is not OTLP; check the endpoint",
        ),
    ],
)
def test_a_permanent_failure_is_reported_at_once(
    trace: Trace, waits: Waits, reply: Reply, expected: str
) -> None:
    with over_http(reply) as receiver:
        delivery, reason = stopped(trace, receiver.endpoint, waits)
    assert reason == f"{receiver.endpoint}/v1/traces: {expected}"
    assert (delivery.done, len(receiver.received.requests), waits) == (0, 1, [])


@pytest.mark.parametrize(
    ("protocol", "reply", "expected"),
    [
        (HTTP, Reply(400, "a bad span"), "400 Bad Request: a bad span"),
        (HTTP, Reply(413), "413 Request Entity Too Large"),
        (GRPC, Reply("INVALID_ARGUMENT", "a bad span"), "INVALID_ARGUMENT: a bad span"),
    ],
)
def test_one_request_is_refused(
    trace: Trace, waits: Waits, protocol: str, reply: Reply, expected: str
) -> None:
    with receiver_for(protocol, OK, reply) as receiver:
        done = send(trace, receiver.endpoint, waits, protocol)
    assert (done.sent, done.refused, done.done) == (SPANS - 100, 100, SPANS)
    assert done.reason.startswith(expected[:3])
    assert len(receiver.received.spans) == SPANS - 100


@pytest.mark.parametrize("protocol", [HTTP, GRPC])
def test_a_part_is_refused(trace: Trace, waits: Waits, protocol: str) -> None:
    replies = Reply(rejected=7, message="names too long"), OK, Reply(rejected=3, message="also")
    with receiver_for(protocol, *replies) as receiver:
        done = send(trace, receiver.endpoint, waits, protocol)
    assert (done.sent, done.refused, done.reason) == (SPANS - 10, 10, "names too long")
    assert len(receiver.received.spans) == SPANS


def test_an_answer_in_json(trace: Trace, waits: Waits) -> None:
    body = b'{"partialSuccess": {"rejectedSpans": "4"}, "more": 1}'
    with over_http(Reply(body=body, content_type="application/json")) as receiver:
        assert send(trace, receiver.endpoint, waits).refused == 4


def test_resume_is_for_the_same_spans(trace: Trace, traced: Traced, waits: Waits) -> None:
    resume = resume_token([trace], ALL_CALLS, 100)
    other = traced(Program(seed=3, steps=900))
    for found, options in ((other, ALL_CALLS), (trace, Options(errors=True))):
        with pytest.raises(FunctraceError, match="differ from those of the interrupted export"):
            send(found, "http://localhost:1", waits, resume=resume, options=options)
    for wrong in ("100", "x-y", ""):
        with pytest.raises(
            UsageError, match="not a word from the message of an interrupted export"
        ):
            send(trace, "http://localhost:1", waits, resume=wrong)


def test_progress(trace: Trace, waits: Waits) -> None:
    progress: list[int] = []
    with over_http() as receiver:
        send(trace, receiver.endpoint, waits, on_progress=progress.append)
    assert progress == [0, 100, 200, 300, 400, 500, SPANS]
