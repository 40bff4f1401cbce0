"""Export of traces to a collector."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from functrace.export.otlp.frames import Span
from functrace.export.otlp.ids import Rate
from functrace.export.otlp.messages import Batch, batches
from functrace.export.otlp.options import EVERYTHING, Options
from functrace.export.otlp.resource import resource
from functrace.export.otlp.resuming import Skip, done_before
from functrace.export.otlp.sending import Clock, Delivery, Sender
from functrace.export.otlp.spans import spans
from functrace.export.otlp.transport import Transport
from functrace.tracefile import Trace


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
    """Send the calls of traces as spans, one trace after another.

    Args:
        traces: traces to export.
        transport: connection from connect(); it stays open.
        options: selection of calls.
        delivery: results, updated even if this raises; resuming.word() converts its `done` to the
            `resume` of the next export.
        resume: token of an interrupted export of the same traces.
        tell: callback for progress; receives the number of spans done, including earlier exports.
        clock: time and sleep functions.

    Raises:
        StoppedError: the collector accepts no more requests.
        UsageError: `resume` is malformed.
        FunctraceError: `resume` is for other traces or options.
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
    """Pass spans through, and record the size of the largest OpenTelemetry trace."""
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
