"""Export of traces to a collector."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from functrace.export.otlp.call_selection import ALL_CALLS, Options
from functrace.export.otlp.frames import Span
from functrace.export.otlp.ids import ProbabilitySampler
from functrace.export.otlp.request_attributes import Value
from functrace.export.otlp.request_encoder import Batch, build_batches
from functrace.export.otlp.request_places import place_requests
from functrace.export.otlp.resource import resource
from functrace.export.otlp.resuming import SkipFilter, count_done
from functrace.export.otlp.sending import Clock, Delivery, Sender
from functrace.export.otlp.spans import spans
from functrace.export.otlp.transport import Transport
from functrace.tracefile import Trace

Encode = Callable[[Trace, Iterable[Span], dict[str, Value], ProbabilitySampler], Iterator[Batch]]
"""Encoder of the spans of a process with its resource as requests."""


def export(
    traces: Sequence[Trace],
    transport: Transport,
    options: Options = ALL_CALLS,
    *,
    delivery: Delivery | None = None,
    resume: str | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
    clock: Clock | None = None,
    encode: Encode = build_batches,
) -> Delivery:
    """Send the calls of traces as spans, one trace after another.

    Args:
        traces: traces to export.
        transport: connection from connect(); it stays open.
        options: selection of calls.
        delivery: results, updated even if this raises; resume_token() converts its `done`
            to the `resume` of the next export.
        resume: token of an interrupted export of the same traces.
        on_progress: callback; receives the number of spans done, including earlier exports.
        clock: time and sleep functions.
        encode: encoder of the transport's messages.

    Raises:
        StoppedError: the collector accepts no more requests.
        UsageError: `resume` is malformed.
        FunctraceError: `resume` is for other traces or options.
    """
    delivery = delivery or Delivery()
    delivery.before = count_done(traces, options, resume)
    skip = SkipFilter(delivery.before)
    sender = Sender(transport, delivery, clock)
    sampler = ProbabilitySampler(options.rate)
    for trace, requests in zip(traces, place_requests(traces, options), strict=True):
        selected = _measure(skip.apply(spans(trace, options, requests)), delivery)
        built = encode(trace, selected, resource(trace), sampler)
        sender.send_all(_report_progress(built, delivery, on_progress))
    return delivery


def _measure(selected: Iterable[Span], delivery: Delivery) -> Iterator[Span]:
    """Pass spans through, and record the size of the largest OpenTelemetry trace."""
    trace_id, size = b"", 0
    for span in selected:
        if span.trace_id != trace_id:
            trace_id, size = span.trace_id, 0
        size += 1
        if size > delivery.largest:
            delivery.largest = size
        yield span


def _report_progress(
    batches: Iterable[Batch], delivery: Delivery, on_progress: Callable[[int], None]
) -> Iterator[Batch]:
    for batch in batches:
        on_progress(delivery.done)
        yield batch
    on_progress(delivery.done)
