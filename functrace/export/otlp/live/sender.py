"""Sender process: follows the trace of a program to its end and exports its calls."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterable
from pathlib import Path

from functrace.cache import leftovers
from functrace.errors import FunctraceError
from functrace.export.otlp.frames import Span
from functrace.export.otlp.ids import ProbabilitySampler
from functrace.export.otlp.live.queue import Queue, QueueCounts
from functrace.export.otlp.live.span_follower import SpanFollower
from functrace.export.otlp.live.variables import SenderSettings, read_settings
from functrace.export.otlp.redaction import redact
from functrace.export.otlp.request_encoder import Batch, BatchBuilder
from functrace.export.otlp.resource import resource
from functrace.export.otlp.transport import connect
from functrace.processes import is_alive
from functrace.runtime.escaping import escape
from functrace.units import count, several

_PAUSE_S = 0.1  # between two rounds
_MANY_WORDS = 100_000  # the next round follows without a pause if more were new
_MAX_DELAY_S = 1.0  # after which an incomplete request is sent


def main(path: str) -> None:
    """Export what a program records until it has ended, then delete the trace file.

    Writes to standard error only if something could not be sent.
    """
    file = Path(path)
    try:
        leftovers.lock(file)  # until this process ends
        leftovers.remove_stale(file.parent)
        _send(file, read_settings(os.environ))
    except (FunctraceError, OSError) as error:
        write_message(str(error))
    finally:
        file.unlink(missing_ok=True)


def write_message(message: str) -> None:
    """Write a line to standard error, which is that of the program."""
    try:
        line = f"functrace: otlp: {escape(redact(message))}\n"
        os.write(2, line.encode())
    except OSError:
        return  # there is no other place for the message


def _send(file: Path, settings: SenderSettings) -> None:
    pipeline = _Pipeline()
    follower = SpanFollower(file, settings.options, settings.roots, pipeline.add)
    pipeline.open(follower, settings)
    program = _Program(follower.process.pid)
    pause_s = 0.0
    while not (program.has_ended(pause_s) or follower.ended_cleanly):
        pause_s = 0.0 if follower.advance() > _MANY_WORDS else _PAUSE_S
        pipeline.flush_if_due()
    pipeline.set_timeout(settings.timeout_s)
    follower.finish()
    losses = _losses(pipeline.end(), follower)
    if losses:
        write_message(losses)


class _Pipeline:
    """Pipeline from spans to queued requests."""

    def open(self, follower: SpanFollower, settings: SenderSettings) -> None:
        """Connect to the collector. Raises UsageError if a variable is invalid."""
        self._queue = Queue(connect())
        self._process = follower.process
        self._rate = settings.options.rate
        self._batches: BatchBuilder | None = None
        self._flushed_at = time.monotonic()

    def add(self, spans: Iterable[Span]) -> None:
        """Add spans to requests."""
        for span in spans:
            self._put(self._builder().add(span))

    def flush_if_due(self) -> None:
        """Flush the current request if the delay has passed."""
        if time.monotonic() - self._flushed_at >= _MAX_DELAY_S:
            self._flush()

    def set_timeout(self, seconds: float) -> None:
        """Wait up to `seconds` without progress for the collector from now on."""
        self._queue.set_timeout(seconds)

    def end(self) -> QueueCounts:
        """Send the remaining spans, and return the counts."""
        self._flush()
        return self._queue.end()

    def _builder(self) -> BatchBuilder:
        """Return the request builder; create it with the first span.

        The process metadata has been read by then.
        """
        if self._batches is None:
            sampler = ProbabilitySampler(self._rate)
            self._batches = BatchBuilder(self._process, resource(self._process), sampler)
        return self._batches

    def _flush(self) -> None:
        self._put(self._batches.flush() if self._batches is not None else None)
        self._flushed_at = time.monotonic()

    def _put(self, batch: Batch | None) -> None:
        if batch is not None:
            self._queue.put(batch)


class _Program:
    """Process that is being traced."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._poll: select.poll | None = None
        self._has_ended = False
        if hasattr(os, "pidfd_open"):
            try:
                descriptor = os.pidfd_open(pid)
            except ProcessLookupError:
                self._has_ended = True
            except OSError:
                return  # an older Linux
            else:
                self._poll = select.poll()
                self._poll.register(descriptor, select.POLLIN)

    def has_ended(self, seconds: float) -> bool:
        """Wait up to `seconds` for the end of the process, and return whether it has ended."""
        if self._has_ended:
            return True
        if self._poll is not None:
            return bool(self._poll.poll(1000 * seconds))
        time.sleep(seconds)
        return not is_alive(self._pid)


def _losses(counts: QueueCounts, follower: SpanFollower) -> str:
    """Return a description of lost and refused spans; empty if there are none."""
    losses = []
    if counts.refused:
        losses.append(f"{count(counts.refused)} refused ({counts.reason or 'no reason given'})")
    if counts.dropped:
        losses.append(
            f"{count(counts.dropped)} dropped ({counts.last_error or 'the collector is too slow'})"
        )
    if follower.overwritten:
        events = several(follower.overwritten, "event")
        losses.append(f"at most {events} overwritten before they were read")
    if follower.dropped:
        losses.append(f"{several(follower.dropped, 'call')} without an end for that")
    return ", ".join([f"{several(counts.sent, 'span')} sent", *losses]) if losses else ""
