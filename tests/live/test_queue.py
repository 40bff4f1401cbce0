"""The queue of requests: its limit, and the counts of what it sent and dropped."""

from __future__ import annotations

from threading import Event
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from functrace.export.otlp.live.queue import Queue, QueueCounts
from functrace.export.otlp.request_encoder import Batch
from functrace.export.otlp.send_result import SendResult

REQUEST = ExportTraceServiceRequest()


class Collector:
    """A transport that returns the given results once it may, then accepts everything."""

    address = "collector"
    last_error = ""

    def __init__(self, *results: SendResult | Exception) -> None:
        self.may_answer = Event()
        self.is_asked = Event()
        self._results = list(results)

    def send(self, _: Any) -> SendResult:
        self.is_asked.set()
        self.may_answer.wait()
        result = self._results.pop(0) if self._results else SendResult(True)
        if isinstance(result, Exception):
            raise result
        return result

    def close(self) -> None:
        pass


def counts_of(queue: Queue, timeout_s: float = 60) -> QueueCounts:
    queue.set_timeout(timeout_s)
    return queue.end()


def queue_of(collector: Collector, *spans: int) -> Queue:
    queue = Queue(collector)
    queue.put(Batch(REQUEST, spans[0]))
    collector.is_asked.wait()  # the first is under way, the others wait
    for count in spans[1:]:
        queue.put(Batch(REQUEST, count))
    collector.may_answer.set()
    return queue


def test_the_oldest_are_dropped() -> None:
    counts = counts_of(queue_of(Collector(), 1000, *[1, 2, 3], *[10] * 32))
    assert (counts.sent, counts.dropped, counts.refused) == (1000 + 320, 1 + 2 + 3, 0)


def test_refused() -> None:
    partial = SendResult(True, refused_spans=2, message="too old")
    complete = SendResult(False, message="400 Bad Request")
    counts = counts_of(queue_of(Collector(partial, complete, ValueError("odd")), 10, 20, 40, 80))
    assert (counts.sent, counts.dropped, counts.refused) == (8 + 80, 0, 2 + 20 + 40)
    assert counts.reason == "too old"


def test_a_retryable_result_is_retried() -> None:
    away = SendResult(False, message="503 Busy", is_retryable=True, retry_after_s=0.0)
    counts = counts_of(queue_of(Collector(away, away), 10, 20))
    assert (counts.sent, counts.dropped, counts.refused) == (30, 0, 0)


def test_an_unavailable_collector_is_given_up() -> None:
    away = SendResult(False, message="503 Busy", is_retryable=True, retry_after_s=3600.0)
    collector = Collector(away)
    counts = counts_of(queue_of(collector, 10, 20), 0.2)
    assert (counts.sent, counts.dropped, counts.refused) == (0, 30, 0)
    assert counts.last_error == "collector: 503 Busy"


def test_the_first_attempt_has_not_returned_at_the_timeout() -> None:
    """The transport itself retries, so it has not returned yet."""
    collector = Collector()
    queue = Queue(collector)
    queue.put(Batch(REQUEST, 10))
    collector.is_asked.wait()
    collector.last_error = "Connection refused"
    counts = counts_of(queue, 0)
    assert (counts.sent, counts.dropped) == (0, 10)
    assert counts.last_error == "collector: Connection refused"


def test_nothing_is_dropped_once_the_program_has_ended() -> None:
    collector = Collector()
    collector.may_answer.set()
    queue = Queue(collector)
    queue.set_timeout(60)
    for _ in range(200):
        queue.put(Batch(REQUEST, 10))
    assert (queue.end().sent, queue.counts.dropped) == (2000, 0)


def test_the_timeout_is_for_the_collector_alone() -> None:
    """The time until there is a request does not count."""
    collector = Collector()
    now = [0.0]
    queue = Queue(collector, lambda: now[0])
    queue.set_timeout(10)
    now[0] = 100.0
    queue.put(Batch(REQUEST, 10))
    collector.may_answer.set()
    assert (queue.end().sent, queue.counts.dropped) == (10, 0)
