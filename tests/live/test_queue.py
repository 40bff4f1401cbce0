"""Requests that wait: how many, and what becomes of them."""

from __future__ import annotations

from threading import Event
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from functrace.export.otlp.answers import Answer
from functrace.export.otlp.live.queue import Fate, Queue
from functrace.export.otlp.messages import Batch

REQUEST = ExportTraceServiceRequest()


class Collector:
    """Answers as it is told once it may; then takes everything."""

    where = "collector"
    obstacle = ""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.may_answer = Event()
        self.is_asked = Event()
        self._answers = list(answers)

    def send(self, _: Any) -> Answer:
        self.is_asked.set()
        self.may_answer.wait()
        answer = self._answers.pop(0) if self._answers else Answer(True)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        pass


def fate_of(queue: Queue, patience: float = 60) -> Fate:
    queue.be_patient(patience)
    return queue.end()


def queue_of(collector: Collector, *spans: int) -> Queue:
    queue = Queue(collector)
    queue.put(Batch(REQUEST, spans[0]))
    collector.is_asked.wait()  # the first is under way, the others wait
    for count in spans[1:]:
        queue.put(Batch(REQUEST, count))
    collector.may_answer.set()
    return queue


def test_the_oldest_give_way() -> None:
    fate = fate_of(queue_of(Collector(), 1000, *[1, 2, 3], *[10] * 32))
    assert (fate.sent, fate.dropped, fate.refused) == (1000 + 320, 1 + 2 + 3, 0)


def test_refused() -> None:
    some, all_of_it = Answer(True, refused=2, told="too old"), Answer(False, told="400 Bad Request")
    fate = fate_of(queue_of(Collector(some, all_of_it, ValueError("odd")), 10, 20, 40, 80))
    assert (fate.sent, fate.dropped, fate.refused) == (8 + 80, 0, 2 + 20 + 40)
    assert fate.reason == "too old"


def test_what_is_briefly_away_is_asked_again() -> None:
    away = Answer(False, told="503 Busy", again=True, wait=0.0)
    fate = fate_of(queue_of(Collector(away, away), 10, 20))
    assert (fate.sent, fate.dropped, fate.refused) == (30, 0, 0)


def test_what_is_away_for_long_is_given_up() -> None:
    away = Answer(False, told="503 Busy", again=True, wait=3600.0)
    collector = Collector(away)
    fate = fate_of(queue_of(collector, 10, 20), 0.2)
    assert (fate.sent, fate.dropped, fate.refused) == (0, 30, 0)
    assert fate.trouble == "collector: 503 Busy"


def test_the_first_attempt_still_fails_when_time_is_up() -> None:
    """The transport tries again by itself, so it has not returned yet."""
    collector = Collector()
    queue = Queue(collector)
    queue.put(Batch(REQUEST, 10))
    collector.is_asked.wait()
    collector.obstacle = "Connection refused"
    fate = fate_of(queue, 0)
    assert (fate.sent, fate.dropped) == (0, 10)
    assert fate.trouble == "collector: Connection refused"


def test_nothing_gives_way_once_the_program_has_ended() -> None:
    collector = Collector()
    collector.may_answer.set()
    queue = Queue(collector)
    queue.be_patient(60)
    for _ in range(200):
        queue.put(Batch(REQUEST, 10))
    assert (queue.end().sent, queue.fate.dropped) == (2000, 0)


def test_what_counts_is_how_long_the_collector_takes() -> None:
    """Not how long it takes to find what to send."""
    collector = Collector()
    now = [0.0]
    queue = Queue(collector, lambda: now[0])
    queue.be_patient(10)
    now[0] = 100.0
    queue.put(Batch(REQUEST, 10))
    collector.may_answer.set()
    assert (queue.end().sent, queue.fate.dropped) == (10, 0)
