"""Places of the spans of requests, across the processes that are exported together.

A first pass over the traces finds the spans of requests that will be sent, and their ids. The
second pass, the export, uses them as parents. So no parent of functrace is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from functrace.analysis.requests import Joined, has_requests, joined
from functrace.export.otlp.call_selection import Options
from functrace.export.otlp.request_calls import Place, RequestCalls, RequestRecord
from functrace.export.otlp.spans import spans
from functrace.tracefile import Trace


class _Sent(NamedTuple):
    """Span of a request that will be sent."""

    trace_id: bytes
    """provisional if it depends on another process"""
    span_id: bytes


def place_requests(traces: Sequence[Trace], options: Options) -> list[RequestCalls | None]:
    """Return the requests of each trace with the places of their spans; None if it has none."""
    if not has_requests(traces):
        return [None] * len(traces)
    found = joined(traces)
    # All spans of an OpenTelemetry trace are sampled or none, so parents and children agree.
    sent = _send_nothing(found, replace(options, rate=1.0))
    placement = _Placement(found, sent)
    return [
        RequestCalls(trace, table, placement.places(index))
        for index, (trace, table) in enumerate(zip(found.traces, found.tables, strict=True))
    ]


def _send_nothing(found: Joined, options: Options) -> dict[int, _Sent]:
    """Return the spans of requests that will be sent, by index in the requests of all traces."""
    sent = {}
    for index, (trace, table) in enumerate(zip(found.traces, found.tables, strict=True)):
        first = int(found.first[index])
        calls = RequestCalls(trace, table)
        for span in spans(trace, options, calls, only_requests=True):
            if span.request is not None:
                sent[first + span.request.row] = _Sent(span.trace_id, span.span_id)
    return sent


class _Placement:
    """Places of requests, which may depend on places in other processes.

    Args:
        found: requests of all traces.
        sent: spans of requests.
    """

    def __init__(self, found: Joined, sent: dict[int, _Sent]) -> None:
        self._found = found
        self._sent = sent
        self._calls = [
            RequestCalls(trace, table)
            for trace, table in zip(found.traces, found.tables, strict=True)
        ]
        self._roots: dict[bytes, int] = {}
        """inbound call that begins an OpenTelemetry trace, by its provisional trace id"""
        for row, span in sent.items():
            if found.rows.inbound[row] and not self._record(row).has_ids:
                self._roots[span.trace_id] = row

    def places(self, index: int) -> dict[int, Place | None]:
        """Return the places of a trace's requests, by row in its table."""
        found = self._found
        first, end = found.first[index : index + 2].tolist()
        places = {}
        for row in range(first, end):
            is_inbound = bool(found.rows.inbound[row])
            places[row - first] = self._inbound(row) if is_inbound else self._outbound(row)
        return places

    def _inbound(self, row: int) -> Place | None:
        """Return the place of an inbound call: below the outbound call that it was received from.

        If something between the two, such as a sidecar, has sent another id, below its span.
        """
        received = self._ids(row)
        outbound = int(self._found.joins.outbound[row])
        if outbound < 0 or not (received is None or self._ids(outbound) == received):
            return received
        sent = self._sent.get(outbound)
        if sent is not None:
            return Place(self._trace_of_outbound(outbound), sent.span_id)
        if received is not None and self._has_own_ids(outbound):
            return Place(received.trace_id, b"")
        return received

    def _outbound(self, row: int) -> Place | None:
        """Return the place of an outbound call if its caller is not in the inbound call's trace."""
        inbound = int(self._found.inbound[row])
        outer = self._sent.get(inbound)
        if inbound < 0 or row not in self._sent or outer is None:
            return None
        return Place(self._resolve(outer.trace_id), outer.span_id)

    def _trace_of_outbound(self, row: int) -> bytes:
        """Return the trace id of the span of an outbound call that will be sent."""
        return self._resolve(self._local_trace(row))

    def _local_trace(self, row: int) -> bytes:
        """Return the trace id of an outbound call in its process, maybe a provisional one."""
        inbound = self._sent.get(int(self._found.inbound[row]))
        if inbound is not None and not self._has_own_ids(row):
            return inbound.trace_id
        return self._sent[row].trace_id

    def _resolve(self, trace_id: bytes) -> bytes:
        """Return the final trace id for a provisional one."""
        passed = set()
        while trace_id in self._roots and trace_id not in passed:
            passed.add(trace_id)
            outbound = int(self._found.joins.outbound[self._roots[trace_id]])
            if outbound not in self._sent:
                break
            trace_id = self._local_trace(outbound)
        return trace_id

    def _ids(self, row: int) -> Place | None:
        """Return the ids that an inbound call received or an outbound call sent, as a place."""
        record = self._record(row)
        return record.foreign if record.is_inbound else record.ids

    def _has_own_ids(self, row: int) -> bool:
        return self._record(row).own is not None

    def _record(self, row: int) -> RequestRecord:
        trace, own = self._found.place(row)
        return self._calls[trace].record(own)
