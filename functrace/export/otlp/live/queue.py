"""Bounded queue of requests to a collector, which drops the oldest when it is full."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Thread

from functrace.export.otlp.request_encoder import Batch
from functrace.export.otlp.send_result import SendResult, Tally
from functrace.export.otlp.transport import Transport

_MAX_REQUESTS = 32
_MAX_PAUSE_S = 16.0  # between two attempts


@dataclass
class QueueCounts(Tally):
    """Counts of sent, refused and dropped spans."""

    dropped: int = 0
    """spans dropped because the collector was too slow or unavailable"""
    last_error: str = ""
    """latest error, with the address"""


class Queue:
    """Queue whose thread sends each request until it is accepted, refused or dropped.

    Args:
        transport: connection that itself retries for some seconds.
        now: monotonic clock in seconds.
    """

    def __init__(self, transport: Transport, now: Callable[[], float] = time.monotonic) -> None:
        self.counts = QueueCounts()
        self._transport = transport
        self._queued: deque[Batch] = deque()
        self._in_flight = 0  # spans in the request that is being sent
        self._timeout_s = 0.0
        self._progress_at = 0.0  # when the collector last answered or the queue was last idle
        self._now = now
        self._changed = Condition()
        Thread(target=self._run, daemon=True).start()

    def put(self, batch: Batch) -> None:
        """Enqueue a request; drop the oldest if the queue is full."""
        with self._changed:
            if self._is_idle():
                self._progress_at = self._now()
            self._wait_for(lambda: len(self._queued) < _MAX_REQUESTS)
            if len(self._queued) >= _MAX_REQUESTS:
                self.counts.dropped += self._queued.popleft().spans
            self._queued.append(batch)
            self._changed.notify_all()

    def set_timeout(self, seconds: float) -> None:
        """Wait up to `seconds` without progress for the collector from now on."""
        with self._changed:
            self._timeout_s = seconds
            self._progress_at = self._now()

    def end(self) -> QueueCounts:
        """Wait until all requests are sent; drop those that are not sent in time."""
        with self._changed:
            self._wait_for(self._is_idle)
            self.counts.dropped += sum(batch.spans for batch in self._queued) + self._in_flight
            if self._in_flight and self._transport.last_error:
                self._note_error(self._transport.last_error)
            self._queued.clear()
            self._in_flight = 0
            return self.counts

    def _is_idle(self) -> bool:
        return not self._queued and not self._in_flight

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        while not condition():
            left = self._progress_at + self._timeout_s - self._now()
            if left <= 0:
                return
            self._changed.wait(left)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queued)
                batch = self._queued.popleft()
                self._in_flight = batch.spans
            result = self._send(batch)
            with self._changed:
                self._count(batch, result)
                self._in_flight = 0
                self._changed.notify_all()

    def _send(self, batch: Batch) -> SendResult:
        pause_s = 1.0
        while True:
            try:
                result = self._transport.send(batch.request)
            except Exception as error:  # noqa: BLE001  a fault of a library ends no program
                return SendResult(False, message=f"{type(error).__name__}: {error}")
            if result.accepted or not result.is_retryable:
                return result
            with self._changed:
                self._note_error(result.message)
            time.sleep(pause_s if result.retry_after_s is None else result.retry_after_s)
            pause_s = min(2 * pause_s, _MAX_PAUSE_S)

    def _note_error(self, error: str) -> None:
        self.counts.last_error = f"{self._transport.address}: {error}"

    def _count(self, batch: Batch, result: SendResult) -> None:
        if not self._in_flight:
            return  # end() has dropped the request meanwhile
        self._progress_at = self._now()
        self.counts.count(result, batch.spans)
