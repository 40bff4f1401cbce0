"""Requests one after the other to a collector that may be slow, full, restarting or gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from functrace.export.otlp.answers import Answer, Transport
from functrace.export.otlp.messages import Batch

_PATIENCE = 60.0  # seconds for which a collector that took something may take nothing
_LONGEST = 16.0


class StoppedError(Exception):
    """The collector takes no more. What it took is known, and the rest is still in the traces."""


@dataclass
class Delivery:
    """What became of the spans so far."""

    before: int = 0
    """done by the exports that this one goes on with"""
    sent: int = 0
    """taken by the collector"""
    refused: int = 0
    """by the collector, for good"""
    requests: int = 0
    reason: str = ""
    """why the first of the refused were"""
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
            self._note(batch, self._send(batch))

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

    def _note(self, batch: Batch, answer: Answer) -> None:
        delivery = self._delivery
        refused = min(answer.refused, batch.spans) if answer.accepted else batch.spans
        delivery.requests += 1
        delivery.refused += refused
        delivery.sent += batch.spans - refused
        if answer.told and not delivery.reason:
            delivery.reason = answer.told
