"""Bounded queue of requests to a collector, which drops the oldest when it is full."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Thread

from functrace.export.otlp.answers import Answer, Tally, Transport
from functrace.export.otlp.messages import Batch

_REQUESTS = 32
_LONGEST = 16.0  # seconds between two attempts


@dataclass
class Fate(Tally):
    """Counts of sent, refused and dropped spans."""

    dropped: int = 0
    """spans dropped because the collector was too slow or unavailable"""
    trouble: str = ""
    """latest error"""


class Queue:
    """Queue whose thread sends each request until it is accepted, refused or dropped.

    Args:
        transport: connection that itself retries for some seconds.
        now: monotonic clock in seconds.
    """

    def __init__(self, transport: Transport, now: Callable[[], float] = time.monotonic) -> None:
        self.fate = Fate()
        self._transport = transport
        self._waiting: deque[Batch] = deque()
        self._under_way = 0  # spans in the request that is being sent
        self._patience = 0.0
        self._taken_at = 0.0  # when the collector last answered or the queue was last idle
        self._now = now
        self._changed = Condition()
        Thread(target=self._run, daemon=True).start()

    def put(self, batch: Batch) -> None:
        """Enqueue a request; drop the oldest if the queue is full."""
        with self._changed:
            if self._is_idle():
                self._taken_at = self._now()
            self._wait_for(lambda: len(self._waiting) < _REQUESTS)
            if len(self._waiting) >= _REQUESTS:
                self.fate.dropped += self._waiting.popleft().spans
            self._waiting.append(batch)
            self._changed.notify_all()

    def be_patient(self, seconds: float) -> None:
        """Wait up to `seconds` without progress for the collector from now on."""
        with self._changed:
            self._patience = seconds
            self._taken_at = self._now()

    def end(self) -> Fate:
        """Wait until all requests are sent; drop those that are not sent in time."""
        with self._changed:
            self._wait_for(self._is_idle)
            self.fate.dropped += sum(batch.spans for batch in self._waiting) + self._under_way
            if self._under_way and self._transport.obstacle:
                self._note_obstacle(self._transport.obstacle)
            self._waiting.clear()
            self._under_way = 0
            return self.fate

    def _is_idle(self) -> bool:
        return not self._waiting and not self._under_way

    def _wait_for(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            left = self._taken_at + self._patience - self._now()
            if left <= 0:
                return
            self._changed.wait(left)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                batch = self._waiting.popleft()
                self._under_way = batch.spans
            answer = self._send(batch)
            with self._changed:
                self._note(batch, answer)
                self._under_way = 0
                self._changed.notify_all()

    def _send(self, batch: Batch) -> Answer:
        pause = 1.0
        while True:
            try:
                answer = self._transport.send(batch.request)
            except Exception as error:  # noqa: BLE001  three libraries' faults are not the program's
                return Answer(False, told=f"{type(error).__name__}: {error}")
            if answer.accepted or not answer.again:
                return answer
            with self._changed:
                self._note_obstacle(answer.told)
            time.sleep(pause if answer.wait is None else answer.wait)
            pause = min(2 * pause, _LONGEST)

    def _note_obstacle(self, obstacle: str) -> None:
        self.fate.trouble = f"{self._transport.where}: {obstacle}"

    def _note(self, batch: Batch, answer: Answer) -> None:
        if not self._under_way:
            return  # end() has dropped the request meanwhile
        self._taken_at = self._now()
        self.fate.note(answer, batch.spans)
