"""Which inbound call of the same process an outbound call belongs to, and how that is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from functrace.analysis import fold_requests
from functrace.tracefile import Trace
from functrace.tracefile.requests import BY_ANCESTRY, BY_CONTEXT, NO_JOIN
from tests.tracefile.services import Service, ServiceTrack

Read = Callable[[bytes], Trace]
Joins = dict[int, tuple[int, int]]

PYTHON = 2


def joins(trace: Trace) -> Joins:
    """By the number of each outbound call: that of its inbound call, or 0, and how it is known."""
    _, requests = fold_requests(trace)
    return {
        int(requests.number[row]): (
            int(requests.number[requests.inbound[row]]) if requests.inbound[row] >= 0 else 0,
            int(requests.join[row]),
        )
        for row in range(len(requests))
        if requests.direction[row] == 2
    }


def _call(track: ServiceTrack, number: int, at: int, inbound: int = 0) -> None:
    track.begin_outbound("GET store/item", at, number, inbound=inbound)
    track.end("GET store/item", at + 1)


def _serve(track: ServiceTrack, number: int, begin: int, end: int) -> None:
    track.begin_inbound("GET /", begin, number)
    track.enter("handle", begin)
    track.leave("handle", end)
    track.end("GET /", end)


def test_by_context_on_any_track_while_the_inbound_call_is_open(read: Read) -> None:
    service = Service("shop", 1)
    _serve(service.track(), 1, 10, 50)
    worker = service.track()
    for number, at in ((2, 9), (3, 10), (4, 50), (5, 51)):
        _call(worker, number, at, inbound=1)
    _call(worker, 6, 60, inbound=99)
    assert joins(read(service.content())) == {
        2: (0, NO_JOIN),
        3: (1, BY_CONTEXT),
        4: (1, BY_CONTEXT),
        5: (0, NO_JOIN),
        6: (0, NO_JOIN),
    }


def test_an_inbound_call_that_never_ends_stays_open(read: Read) -> None:
    service = Service("shop", 1)
    service.track().begin_inbound("GET /", 10, 1)
    _call(service.track(), 2, 50, inbound=1)
    assert joins(read(service.content())) == {2: (1, BY_CONTEXT)}


def test_a_number_that_two_inbound_calls_have_is_none(read: Read) -> None:
    service = Service("shop", 1)
    track = service.track()
    _serve(track, 1, 10, 50)
    _serve(track, 1, 60, 90)
    _call(service.track(), 2, 20, inbound=1)
    assert joins(read(service.content())) == {2: (0, NO_JOIN)}


def test_an_outbound_call_does_not_belong_to_an_outbound_one(read: Read) -> None:
    service = Service("shop", 1)
    track = service.track()
    _call(track, 1, 10)
    _call(track, 2, 11, inbound=1)
    assert joins(read(service.content()))[2] == (0, NO_JOIN)


def _thread(service: Service, start: int, parent: ServiceTrack) -> ServiceTrack:
    return service.track(start, parent=parent.id, starter="handle")


def test_by_ancestry_in_a_thread_and_in_a_thread_of_that(read: Read) -> None:
    service = Service("shop", 1, language=PYTHON)
    main = service.track()
    _serve(main, 1, 10, 100)
    thread = _thread(service, 20, main)
    thread.enter("work", 20)
    _call(thread, 2, 30)
    thread.leave("work", 90)
    inner = service.track(40, parent=thread.id, starter="work")
    _call(inner, 3, 45)
    assert joins(read(service.content())) == {2: (1, BY_ANCESTRY), 3: (1, BY_ANCESTRY)}


def test_not_by_ancestry_once_the_inbound_call_has_ended(read: Read) -> None:
    service = Service("shop", 1, language=PYTHON)
    main = service.track()
    _serve(main, 1, 10, 50)
    thread = _thread(service, 20, main)
    _call(thread, 2, 51)
    assert joins(read(service.content())) == {2: (0, NO_JOIN)}


@pytest.mark.parametrize("depth", [0, 1])
def test_no_job_of_a_worker_belongs_to_what_the_worker_was_started_in(
    read: Read, depth: int
) -> None:
    """Nothing but the queue knows for whom a worker's first job was."""
    service = Service("shop", 1, language=PYTHON)
    main = service.track()
    _serve(main, 1, 10, 200)
    worker = _thread(service, 20, main)
    for _ in range(depth):
        worker.enter("loop", 20)
    for number, at in ((2, 30), (3, 40)):
        worker.enter("job", at)
        _call(worker, number, at + 1)
        worker.leave("job", at + 5)
    inner = service.track(32, parent=worker.id, starter="job")
    _call(inner, 4, 33)
    expected = (0, NO_JOIN)
    assert joins(read(service.content())) == {2: expected, 3: expected, 4: expected}


def test_a_goroutine_is_known_by_its_first_event_and_may_have_been_made_earlier(read: Read) -> None:
    """Two requests on one connection: in which of them it was made is not known."""
    service = Service("shop", 1)
    connection = service.track()
    _serve(connection, 1, 10, 50)
    _serve(connection, 2, 60, 90)
    _call(_thread(service, 20, connection), 3, 20)
    _call(_thread(service, 70, connection), 4, 70)
    assert joins(read(service.content())) == {3: (1, BY_ANCESTRY), 4: (0, NO_JOIN)}


def test_a_goroutine_whose_starter_was_called_outside_of_the_request(read: Read) -> None:
    service = Service("shop", 1)
    connection = service.track()
    connection.enter("handle", 5)
    connection.begin_inbound("GET /", 10, 1)
    connection.end("GET /", 50)
    connection.leave("handle", 60)
    _call(_thread(service, 20, connection), 3, 20)
    assert joins(read(service.content())) == {3: (0, NO_JOIN)}


@pytest.mark.parametrize(
    "facts", [{"options": {"FUNCTRACE_MIN_DURATION": "1ms"}}, {"budget_ppm": 9}]
)
def test_not_by_ancestry_if_calls_are_left_out(read: Read, facts: dict[str, object]) -> None:
    service = Service("shop", 1, language=PYTHON, **facts)
    main = service.track()
    _serve(main, 1, 10, 50)
    _call(_thread(service, 20, main), 2, 20)
    assert joins(read(service.content())) == {2: (0, NO_JOIN)}


def test_what_the_recorder_knows_comes_before_ancestry(read: Read) -> None:
    service = Service("shop", 1, language=PYTHON)
    main, other = service.track(), service.track()
    _serve(main, 1, 10, 50)
    _serve(other, 2, 10, 50)
    _call(_thread(service, 20, main), 3, 20, inbound=2)
    assert joins(read(service.content())) == {3: (2, BY_CONTEXT)}
