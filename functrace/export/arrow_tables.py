"""Arrow tables of traces: calls, chains, tracks, functions, requests and processes.

Parquet files and notebooks have these columns. Times are nanoseconds, those called ``start_ns``
after the start of the row's trace. ``process`` is the index of the row's trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from functrace._native.row_types import ERROR, GOEXIT, PANIC, UNFINISHED
from functrace.analysis import Chains, fold_requests
from functrace.analysis.columns import Figures, Int32s, Int64s
from functrace.analysis.folds import Folds
from functrace.analysis.merge import merge_functions
from functrace.analysis.totals import part_of, totals
from functrace.export import figures
from functrace.export.events import SpanReader, Spans
from functrace.tracefile import Trace, programs
from functrace.tracefile import format as fmt
from functrace.tracefile.facts import encodable
from functrace.tracefile.programs import service_name
from functrace.tracefile.requests import BY_ANCESTRY, BY_CONTEXT, Requests

# Rows of a batch of calls; these need some hundred megabytes while they are written as Parquet.
ROWS = 1 << 18
_DIRECTIONS = {fmt.INBOUND: "inbound", fmt.OUTBOUND: "outbound"}
_PROTOCOLS = {fmt.HTTP: "http", fmt.GRPC: "grpc"}
_JOINS = {BY_CONTEXT: "context", BY_ANCESTRY: "ancestry"}
_TEXT = pa.dictionary(pa.int32(), pa.string())


def _required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


_COUNTS = ("calls", "failed", "errors", "panics", "unfinished")
_SUMS = ("total_ns", "self_ns", "suspended_ns")
_FIGURES = [_required(name, pa.int64()) for name in (*_COUNTS, *_SUMS)]
CALLS = pa.schema(
    [
        _required("process", pa.int32()),
        _required("call", pa.int64()),
        pa.field("parent", pa.int64()),
        _required("track", pa.uint64()),
        _required("depth", pa.int32()),
        _required("function_id", pa.int32()),
        _required("function", _TEXT),
        _required("start_ns", pa.int64()),
        _required("duration_ns", pa.int64()),
        _required("self_ns", pa.int64()),
        _required("suspended_ns", pa.int64()),
        pa.field("error", _TEXT),
        pa.field("panic", _TEXT),
        _required("goexit", pa.bool_()),
        _required("unfinished", pa.bool_()),
    ]
)
CHAINS = pa.schema(
    [
        _required("process", pa.int32()),
        _required("chain", pa.int64()),
        pa.field("parent", pa.int64()),
        _required("function_id", pa.int32()),
        _required("function", _TEXT),
        pa.field("caller", _TEXT),
        _required("started", pa.bool_()),
        _required("recursive", pa.bool_()),
        *_FIGURES,
        pa.field("min_ns", pa.int64()),
        pa.field("max_ns", pa.int64()),
        pa.field("first_failure", _TEXT),
    ]
)
TRACKS = pa.schema(
    [
        _required("process", pa.int32()),
        _required("track", pa.uint64()),
        _required("kind", pa.string()),
        _required("name", pa.string()),
        pa.field("parent", pa.uint64()),
        pa.field("parent_call", pa.int64()),
        pa.field("starter_id", pa.int32()),
        pa.field("starter", pa.string()),
        pa.field("line", pa.int32()),
        _required("start_ns", pa.int64()),
    ]
)
FUNCTIONS = pa.schema(
    [
        _required("function_id", pa.int32()),
        _required("function", pa.string()),
        _required("file", pa.string()),
        _required("line", pa.int32()),
        *_FIGURES,
        pa.field("min_ns", pa.int64()),
        _required("mean_ns", pa.int64()),
        *(pa.field(name, pa.int64()) for name in ("p50_ns", "p90_ns", "p99_ns")),
        pa.field("max_ns", pa.int64()),
    ]
)
REQUESTS = pa.schema(
    [
        _required("process", pa.int32()),
        _required("request", pa.uint64()),
        _required("direction", pa.string()),
        _required("protocol", pa.string()),
        pa.field("function_id", pa.int32()),
        pa.field("function", _TEXT),
        pa.field("route", _TEXT),
        _required("track", pa.uint64()),
        pa.field("call", pa.int64()),
        pa.field("chain", pa.int64()),
        _required("start_ns", pa.int64()),
        pa.field("duration_ns", pa.int64()),
        _required("failed", pa.bool_()),
        pa.field("status", pa.int32()),
        pa.field("inbound", pa.uint64()),
        pa.field("join", pa.string()),
        pa.field("trace_id", pa.string()),
        pa.field("span_id", pa.string()),
        _required("sampled", pa.bool_()),
        _required("own_ids", pa.bool_()),
        pa.field("caller_process", pa.string()),
        pa.field("caller_request", pa.uint64()),
    ]
)
PROCESSES = pa.schema(
    [
        _required("process", pa.int32()),
        _required("trace", pa.string()),
        _required("pid", pa.int64()),
        _required("program", pa.string()),
        _required("service", pa.string()),
        _required("arguments", pa.list_(pa.string())),
        _required("language", pa.string()),
        _required("started", pa.timestamp("ns", "UTC")),
        _required("ended_cleanly", pa.bool_()),
        _required("full", pa.bool_()),
        _required("overwritten", pa.bool_()),
        _required("overwritten_chunks", pa.int64()),
        pa.field("overwritten_events", pa.uint64()),
        _required("write_failed", pa.bool_()),
        pa.field("lost_events", pa.uint64()),
        _required("damage", pa.list_(pa.string())),
    ]
)


class Tables:
    """Reader of the tables of several traces, in batches of at most about ROWS rows."""

    def __init__(self, folds: Folds) -> None:
        self._folds = folds
        self._traces = folds.traces
        self._functions, self._index_of = merge_functions(self._traces)
        self._names = pa.array([function.name for function in self._functions], pa.string())
        self._parent_calls: dict[int, Int64s] = {}

    def calls(self) -> Iterator[pa.RecordBatch]:
        """Yield the calls, trace by trace and grouped by track, ordered by their ends."""
        for process in range(len(self._traces)):
            for spans in self._spans(process):
                yield self._calls(process, spans)

    def chains(self) -> Iterator[pa.RecordBatch]:
        """Yield the chains of each trace; a chain follows its parent."""
        for process in range(len(self._traces)):
            chains = self._folds.chains(process)
            for first in range(0, len(chains), ROWS):
                yield self._chains(process, chains, slice(first, first + ROWS))

    def tracks(self) -> Iterator[pa.RecordBatch]:
        """Yield the tracks of each trace, in the order of their starts."""
        for process, trace in enumerate(self._traces):
            if process not in self._parent_calls:
                for _ in self._spans(process):
                    pass
            for first in range(0, len(trace.tracks), ROWS):
                yield self._tracks(process, first)

    def functions(self) -> Iterator[pa.RecordBatch]:
        """Yield the functions with their figures over all traces."""
        found = totals(self._traces, [part_of(each) for each in self._folds.all_chains()])
        rows = [{"function_id": i, **figures.totals(found, i)} for i in range(len(found))]
        yield pa.RecordBatch.from_pylist(rows, FUNCTIONS)

    def requests(self) -> Iterator[pa.RecordBatch]:
        """Yield the inbound and outbound calls of each trace, grouped by track."""
        for process, trace in enumerate(self._traces):
            _, found = fold_requests(trace)
            for first in range(0, len(found), ROWS):
                yield self._requests(process, found, slice(first, first + ROWS))

    def processes(self) -> Iterator[pa.RecordBatch]:
        """Yield a row for each trace."""
        rows = [self._process(process, trace) for process, trace in enumerate(self._traces)]
        yield pa.RecordBatch.from_pylist(rows, PROCESSES)

    def _spans(self, process: int) -> Iterator[Spans]:
        reader = SpanReader(self._traces[process])
        yield from reader.spans(ROWS)
        self._parent_calls[process] = reader.caller

    def _calls(self, process: int, spans: Spans) -> pa.RecordBatch:
        trace = self._traces[process]
        function = self._index_of[process][spans.function]
        columns = {
            "process": np.full(len(spans), process, np.int32),
            "call": spans.call,
            "parent": pa.array(spans.parent, mask=spans.parent < 0),
            "track": trace.tracks.id[spans.track],
            "depth": spans.depth,
            "function_id": function,
            "function": self._named(function),
            "start_ns": spans.start,
            "duration_ns": spans.duration,
            "self_ns": spans.self,
            "suspended_ns": spans.suspended,
            "error": _texts(trace, spans, ERROR),
            "panic": _texts(trace, spans, PANIC),
            "goexit": (spans.flags & GOEXIT) > 0,
            "unfinished": (spans.flags & UNFINISHED) > 0,
        }
        return pa.RecordBatch.from_pydict(columns, CALLS)

    def _chains(self, process: int, chains: Chains, part: slice) -> pa.RecordBatch:
        function = self._index_of[process][chains.function[part]]
        parent = chains.parent[part]
        caller = self._index_of[process][chains.function[parent]]
        ended = chains.finished[part]
        failures = [
            chains.failure(node) if chains.failed_track[node] >= 0 else None
            for node in range(*part.indices(len(chains)))
        ]
        columns = {
            "process": np.full(len(function), process, np.int32),
            "chain": np.arange(*part.indices(len(chains))),
            "parent": pa.array(parent.astype(np.int64), mask=parent < 0),
            "function_id": function,
            "function": self._named(function),
            "caller": self._named(caller, parent < 0),
            "started": chains.started[part],
            "recursive": chains.recursive[part],
            **_figures(chains, part),
            "min_ns": pa.array(chains.min[part], mask=~ended),
            "max_ns": pa.array(chains.max[part], mask=~ended),
            "first_failure": pa.array(failures, pa.string()).dictionary_encode(),
        }
        return pa.RecordBatch.from_pydict(columns, CHAINS)

    def _tracks(self, process: int, first: int) -> pa.RecordBatch:
        index, parent_calls = self._index_of[process], self._parent_calls[process]
        rows = [
            {
                "process": process,
                "track": track.id,
                "kind": track.kind,
                "name": track.name,
                "parent": track.parent_id or None,
                "parent_call": _known(parent_calls, track.index),
                "starter_id": _known(index, track.starter),
                "starter": self._name(_known(index, track.starter)),
                "line": track.line or None,
                "start_ns": track.start,
            }
            for track in self._traces[process].tracks[first : first + ROWS]
        ]
        return pa.RecordBatch.from_pylist(rows, TRACKS)

    def _requests(self, process: int, found: Requests, part: slice) -> pa.RecordBatch:
        trace = self._traces[process]
        flags = found.flags[part]
        function = self._index_of[process][found.function[part]]
        route = self._index_of[process][found.route_function[part]]
        entry_is_lost = found.function[part] < 0
        is_open, has_ids = found.end[part] < 0, (flags & fmt.HAS_IDS) > 0
        has_caller = (flags & fmt.HAS_CALLER) > 0
        inbound = found.inbound[part]
        columns = {
            "process": np.full(len(flags), process, np.int32),
            "request": found.number[part],
            "direction": [_DIRECTIONS[each] for each in found.direction[part].tolist()],
            "protocol": [_PROTOCOLS.get(each, "unknown") for each in found.protocol[part].tolist()],
            "function_id": pa.array(function, mask=entry_is_lost),
            "function": self._named(function, entry_is_lost),
            "route": self._named(route, found.route_function[part] < 0),
            "track": trace.tracks.id[found.track[part]],
            "call": pa.array(found.call[part], mask=entry_is_lost),
            "chain": pa.array(found.chain[part].astype(np.int64), mask=entry_is_lost),
            "start_ns": found.start[part] - trace.started,
            "duration_ns": pa.array(found.end[part] - found.start[part], mask=is_open),
            "failed": found.failed[part],
            "status": pa.array(found.status[part], mask=found.status[part] < 0),
            "inbound": pa.array(found.number[inbound], mask=inbound < 0),
            "join": [_JOINS.get(each) for each in found.join[part].tolist()],
            "trace_id": _hexadecimal(found.trace_id[part].view("u1").reshape(-1, 16), has_ids),
            "span_id": _hexadecimal(_big_endian(found.span_id[part]), has_ids),
            "sampled": (flags & fmt.SAMPLED) > 0,
            "own_ids": (flags & fmt.OWN_IDS) > 0,
            "caller_process": _hexadecimal(_big_endian(found.ft_process[part]), has_caller),
            "caller_request": pa.array(found.ft_number[part], mask=~has_caller),
        }
        return pa.RecordBatch.from_pydict(columns, REQUESTS)

    def _process(self, process: int, trace: Trace) -> dict[str, Any]:
        return {
            "process": process,
            "trace": encodable(str(trace.path)),
            "pid": trace.pid,
            "program": programs.program_name(trace),
            "service": encodable(service_name(trace)),
            "arguments": programs.arguments(trace),
            "language": trace.language,
            "started": trace.started,
            "ended_cleanly": trace.ended_cleanly,
            "full": trace.full,
            "overwritten": trace.overwritten,
            "overwritten_chunks": trace.overwritten_chunks,
            "overwritten_events": trace.overwritten_events,
            "write_failed": trace.write_failed,
            "lost_events": trace.lost,
            "damage": list(self._folds.chains(process).damage),
        }

    def _named(self, function: Int32s, mask: npt.NDArray[np.bool_] | None = None) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(function, mask=mask), self._names)

    def _name(self, function: int | None) -> str | None:
        return None if function is None else self._functions[function].name


def _big_endian(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(numbers.astype(">u8")).view("u1").reshape(-1, 8)


def _hexadecimal(rows: npt.NDArray[np.uint8], mask: npt.NDArray[np.bool_]) -> list[str | None]:
    """Return the digits of each row of bytes; None where the mask is not set."""
    return [
        row.tobytes().hex() if is_set else None
        for row, is_set in zip(rows, mask.tolist(), strict=True)
    ]


def _known(column: Int32s | Int64s, index: int) -> int | None:
    """Return an item that stands for something; neither index nor item is negative then."""
    return int(column[index]) if index >= 0 and column[index] >= 0 else None


def _figures(found: Figures, part: slice) -> dict[str, Int64s]:
    failed = np.minimum(found.errors + found.panics, found.calls)
    columns = {
        "calls": found.calls,
        "failed": failed,
        "errors": found.errors,
        "panics": found.panics,
        "unfinished": found.unfinished,
        "total_ns": found.total,
        "self_ns": found.self,
        "suspended_ns": found.suspended,
    }
    return {name: column[part] for name, column in columns.items()}


def _texts(trace: Trace, spans: Spans, flag: int) -> pa.Array:
    """Return the texts of calls with a flag, as a dictionary array."""
    known: dict[str, int] = {}
    rows = np.flatnonzero(spans.flags & flag)
    places = zip(spans.text_at[rows].tolist(), spans.text_bytes[rows].tolist(), strict=True)
    chosen = np.zeros(len(spans), np.int32)
    chosen[rows] = [known.setdefault(trace.text(at, size), len(known)) for at, size in places]
    indices = pa.array(chosen, mask=(spans.flags & flag) == 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(known), pa.string()))
