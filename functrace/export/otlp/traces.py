"""Traces to a collector."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from functrace.export.otlp.answers import Transport
from functrace.export.otlp.frames import Span
from functrace.export.otlp.ids import Rate
from functrace.export.otlp.messages import Batch, batches
from functrace.export.otlp.options import EVERYTHING, Options
from functrace.export.otlp.resource import resource
from functrace.export.otlp.resuming import Skip, done_before
from functrace.export.otlp.sending import Clock, Delivery, Sender
from functrace.export.otlp.spans import spans
from functrace.trace import Trace


def export(
    traces: Sequence[Trace],
    transport: Transport,
    options: Options = EVERYTHING,
    *,
    delivery: Delivery | None = None,
    resume: str | None = None,
    tell: Callable[[int], None] = lambda _: None,
    clock: Clock | None = None,
) -> Delivery:
    """Send calls as spans, one trace after the other.

    Args:
        traces: whose calls.
        transport: as connect() has it; it stays open.
        options: which calls.
        delivery: kept up to date, also when this raises; resuming.word() makes of it what the
            next export gets as resume.
        resume: where a stopped export of the same traces ended.
        tell: gets the number of spans done now and then, those of stopped exports included.
        clock: time and waiting.

    Raises:
        StoppedError: the collector takes no more.
        FunctraceError: resume is not of these traces and options.
    """
    delivery = delivery or Delivery()
    delivery.before = done_before(traces, options, resume)
    skip = Skip(delivery.before)
    sender = Sender(transport, delivery, clock)
    rate = Rate(options.rate)
    for trace in traces:
        found = _measured(skip.rest(spans(trace, options)), delivery)
        sender.send_all(_told(batches(trace, found, resource(trace), rate), delivery, tell))
    return delivery


def _measured(found: Iterable[Span], delivery: Delivery) -> Iterator[Span]:
    """Note how large OpenTelemetry traces get."""
    trace_id, size = b"", 0
    for span in found:
        if span.trace_id != trace_id:
            trace_id, size = span.trace_id, 0
        size += 1
        if size > delivery.largest:
            delivery.largest = size
        yield span


def _told(
    found: Iterable[Batch], delivery: Delivery, tell: Callable[[int], None]
) -> Iterator[Batch]:
    for batch in found:
        tell(delivery.done)
        yield batch
    tell(delivery.done)
