"""Requests of a trace that is followed: the spans are those of an export of this trace alone."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from functrace.export.otlp import ALL_CALLS, Options
from tests.live.growing import Growing
from tests.live.spans import Following, exported, followed
from tests.otlp.request_program import RequestProgram
from tests.otlp.test_requests import EDGE, TRACE, in_request
from tests.otlp.test_spans import attributes
from tests.tracefile.services import Service

_SELECTED = Options(errors=True)


def texts(messages: list[bytes]) -> list[str]:
    """Return spans as text, for readable failures."""
    return sorted(str(Span.FromString(message)) for message in messages)


def by_name(path: Path, options: Options = ALL_CALLS) -> dict[str, Any]:
    """Return the spans of a trace that is followed by their names, which must differ."""
    spans = [Span.FromString(message) for message in followed(path, options)]
    assert len({span.name for span in spans}) == len(spans)
    return {span.name: span for span in spans}


@pytest.mark.parametrize("seed", range(20))
def test_random_programs(tmp_path: Path, seed: int) -> None:
    path = RequestProgram(seed, 300).write(tmp_path)
    for options, roots in (
        (ALL_CALLS, ()),
        (Options(rate=0.5), ()),
        (ALL_CALLS, ("main.serve", "POST mailer/send")),
    ):
        assert texts(followed(path, options, roots)) == texts(exported(path, options, roots))
    kinds = {Span.FromString(message).kind for message in followed(path, ALL_CALLS)}
    assert kinds == {Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT}


@pytest.mark.parametrize("seed", range(10))
def test_random_programs_that_grow(tmp_path: Path, seed: int) -> None:
    """A request record may be read later than the entry before it."""
    path = RequestProgram(seed, 150).write(tmp_path)
    growing = Growing(tmp_path / "growing.ftrace", path.read_bytes(), Random(seed))
    following = Following(tmp_path / "growing.ftrace", ALL_CALLS)
    while not growing.is_whole:
        growing.step(4)
        following.follower.advance()
    growing.finish()
    assert texts(following.finish()) == texts(exported(path, ALL_CALLS))


def test_a_request_is_sent_when_it_ends_though_nothing_is_called_in_it(tmp_path: Path) -> None:
    service = Service("gateway", key=0xA)
    track = service.track()
    track.begin_inbound("POST /pay", 10, 1, ids=(TRACE, EDGE))
    track.end("POST /pay", 5_000_000_000, status=200)
    path = service.write(tmp_path)
    growing = Growing(tmp_path / "growing.ftrace", path.read_bytes(), Random(1))
    following = Following(tmp_path / "growing.ftrace", ALL_CALLS)
    while not growing.is_whole:
        growing.step(1)
        for _ in range(3):
            following.follower.advance()
    growing.finish()
    (span,) = (Span.FromString(message) for message in following.finish())
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, EDGE)
    assert attributes(span)["http.response.status_code"] == 200


def test_a_goroutine_that_was_started_in_a_request(tmp_path: Path) -> None:
    """It begins a trace, as nobody knows yet whether it will outlive the request.

    What it sends on behalf of the request belongs to that.
    """
    spans = by_name(in_request(tmp_path, child_end=60))
    notify, sent, received = (
        spans[name] for name in ("main.notify", "POST mailer/send", "POST /checkout")
    )
    assert notify.trace_id.hex() != TRACE
    assert [link.trace_id.hex() for link in notify.links] == [TRACE]
    assert (sent.trace_id.hex(), sent.parent_span_id) == (TRACE, received.span_id)
    assert [link.span_id for link in sent.links] == [notify.span_id]


def worker(folder: Path, *, sent_at: int) -> Path:
    """Write a trace with a worker that fails to send a request for an inbound call."""
    service = Service("gateway", key=0xA)
    worker = service.track()
    worker.enter("main.work", 5)
    handler = service.track(7)
    handler.begin_inbound("POST /checkout", 10, 1, ids=(TRACE, EDGE))
    worker.begin_outbound("POST mailer/send", sent_at, 2, inbound=1)
    worker.end("POST mailer/send", sent_at + 10, status=503, error="503 Service Unavailable")
    handler.enter("main.wait", 50)
    handler.leave("main.wait", 60)
    handler.end("POST /checkout", 70, status=200)
    worker.leave("main.work", 500)
    return service.write(folder)


def test_what_a_worker_sends_for_a_request(tmp_path: Path) -> None:
    """The inbound call is sent with it if calls are selected: a parent is never missing."""
    path = worker(tmp_path, sent_at=20)
    for options, names in (
        (ALL_CALLS, {"POST mailer/send", "main.work", "POST /checkout", "main.wait"}),
        (_SELECTED, {"POST mailer/send", "main.work", "POST /checkout"}),
    ):
        spans = by_name(path, options)
        assert spans.keys() == names
        sent = spans["POST mailer/send"]
        assert (sent.trace_id.hex(), sent.parent_span_id) == (
            TRACE,
            spans["POST /checkout"].span_id,
        )


def test_what_a_worker_sends_after_the_request(tmp_path: Path) -> None:
    spans = by_name(worker(tmp_path, sent_at=100))
    assert spans["POST mailer/send"].parent_span_id == spans["main.work"].span_id
