"""Requests one after the other to a collector that may be slow, full, restarting or gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from functrace.export.otlp.answers import Answer, Tally, Transport
from functrace.export.otlp.messages import Batch

_PATIENCE = 60.0  # seconds for which a collector that took something may take nothing
_LONGEST = 16.0


class StoppedError(Exception):
    """The collector takes no more. What it took is known, and the rest is still in the traces."""


@dataclass
class Delivery(Tally):
    """What became of the spans so far."""

    before: int = 0
    """done by the exports that this one goes on with"""
    requests: int = 0
    largest: int = 0
    """so many spans of one OpenTelemetry trace followed each other"""

    @property
    def done(self) -> int:
        """Spans that need not be sent any more."""
        return self.before + self.sent + self.refused


@dataclass(frozen=True)
class Clock:
    """The time, and waiting."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Sender:
    """Sends requests, each until it is taken or refused.

    Args:
        transport: a connection that tries again by itself for some seconds.
        delivery: what is kept up to date.
    """

    def __init__(
        self, transport: Transport, delivery: Delivery, clock: Clock | None = None
    ) -> None:
        self._transport = transport
        self._delivery = delivery
        self._clock = clock or Clock()

    def send_all(self, batches: Iterable[Batch]) -> None:
        """Send them all.

        Raises:
            StoppedError: the collector cannot be reached, or takes no request at all.
        """
        for batch in batches:
            answer = self._send(batch)
            self._delivery.requests += 1
            self._delivery.note(answer, batch.spans)

    def _send(self, batch: Batch) -> Answer:
        """Until there is an answer for good; a collector that took something is waited for."""
        since = self._clock.now()
        pause = 1.0
        while True:
            answer = self._transport.send(batch.request)
            if answer.accepted or (answer.only_this and self._delivery.sent):
                return answer
            pause = pause if answer.wait is None else answer.wait
            left = since + _PATIENCE - self._clock.now()
            # Where nothing was taken yet, the address is wrong more often than the time.
            known = self._delivery.sent or answer.wait is not None
            if not answer.again or not known or pause > left:
                raise StoppedError(f"{self._transport.where}: {answer.told}")
            self._clock.sleep(pause)
            pause = min(max(2 * pause, 1.0), _LONGEST)
