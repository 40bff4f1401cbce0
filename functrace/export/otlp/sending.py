"""Sequential sender of requests, with retries for a collector that has already answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from functrace.export.otlp.request_encoder import Batch
from functrace.export.otlp.send_result import SendResult, Tally
from functrace.export.otlp.transport import Transport

_TIMEOUT_S = 60.0  # of a request and its retries, to a collector that has accepted others
_MAX_PAUSE_S = 16.0


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
    """Sender that retries a request for about a minute, and stops if it still fails.

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
            result = self._send(batch)
            self._delivery.requests += 1
            self._delivery.count(result, batch.spans)

    def _send(self, batch: Batch) -> SendResult:
        """Return the final result; retry if the collector accepted spans or asks for a retry."""
        deadline = self._clock.now() + _TIMEOUT_S
        pause_s = 1.0
        while True:
            result = self._transport.send(batch.request)
            if result.accepted or (result.is_bad_request and self._delivery.sent):
                return result
            if result.retry_after_s is not None:
                pause_s = result.retry_after_s
            # A failed first request more often has a wrong address than a temporary cause.
            is_reachable = self._delivery.sent or result.retry_after_s is not None
            is_late = self._clock.now() + pause_s > deadline
            if not result.is_retryable or not is_reachable or is_late:
                raise StoppedError(f"{self._transport.address}: {result.message}")
            self._clock.sleep(pause_s)
            pause_s = min(max(2 * pause_s, 1.0), _MAX_PAUSE_S)
