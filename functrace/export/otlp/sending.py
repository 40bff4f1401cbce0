"""Sequential sender of requests, with retries while the collector is overloaded or unavailable."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from functrace.export.otlp.answers import Answer, Tally, Transport
from functrace.export.otlp.messages import Batch

_PATIENCE = 60.0  # seconds of retries for a request to a collector that has accepted others
_LONGEST = 16.0


class StoppedError(Exception):
    """Failure to send more; accepted spans are counted, and the rest can be sent later."""


@dataclass
class Delivery(Tally):
    """Progress and results of an export."""

    before: int = 0
    """spans handled by earlier exports that this one resumes"""
    requests: int = 0
    largest: int = 0
    """largest number of consecutive spans of one OpenTelemetry trace"""

    @property
    def done(self) -> int:
        """Number of spans that need not be sent again."""
        return self.before + self.sent + self.refused


@dataclass(frozen=True)
class Clock:
    """Monotonic time and sleep functions."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Sender:
    """Sender that retries each request until it is accepted or refused.

    Args:
        transport: connection that itself retries for some seconds.
        delivery: results, which are updated.
    """

    def __init__(
        self, transport: Transport, delivery: Delivery, clock: Clock | None = None
    ) -> None:
        self._transport = transport
        self._delivery = delivery
        self._clock = clock or Clock()

    def send_all(self, batches: Iterable[Batch]) -> None:
        """Send all requests.

        Raises:
            StoppedError: the collector cannot be reached, or accepts no request at all.
        """
        for batch in batches:
            answer = self._send(batch)
            self._delivery.requests += 1
            self._delivery.note(answer, batch.spans)

    def _send(self, batch: Batch) -> Answer:
        """Return the final answer; retry if the collector accepted spans or asks for a retry."""
        since = self._clock.now()
        pause = 1.0
        while True:
            answer = self._transport.send(batch.request)
            if answer.accepted or (answer.only_this and self._delivery.sent):
                return answer
            pause = pause if answer.wait is None else answer.wait
            left = since + _PATIENCE - self._clock.now()
            # A failed first request more often has a wrong address than a temporary cause.
            known = self._delivery.sent or answer.wait is not None
            if not answer.again or not known or pause > left:
                raise StoppedError(f"{self._transport.where}: {answer.told}")
            self._clock.sleep(pause)
            pause = min(max(2 * pause, 1.0), _LONGEST)
