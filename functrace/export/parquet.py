"""Parquet files in a directory: calls in several parts, functions, tracks and processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from functrace._native.tables import ERROR, GOEXIT, PANIC, UNFINISHED
from functrace.analysis.columns import Int64s
from functrace.analysis.merge import merge_functions
from functrace.export import processes
from functrace.export.events import SpanReader, Spans
from functrace.tracefile import Trace

# A row group needs some hundred megabytes while it is written; a part occupies one query worker.
_GROUP = 1 << 18
_PART = 64 * _GROUP
_TEXT = pa.dictionary(pa.int32(), pa.string())
_CALLS = pa.schema(
    [
        pa.field("process", pa.int32(), nullable=False),
        pa.field("call", pa.int64(), nullable=False),
        pa.field("parent", pa.int64()),
        pa.field("track", pa.uint64(), nullable=False),
        pa.field("depth", pa.int32(), nullable=False),
        pa.field("function_id", pa.int32(), nullable=False),
        pa.field("function", _TEXT, nullable=False),
        pa.field("start_ns", pa.int64(), nullable=False),
        pa.field("duration_ns", pa.int64(), nullable=False),
        pa.field("self_ns", pa.int64(), nullable=False),
        pa.field("suspended_ns", pa.int64(), nullable=False),
        pa.field("error", _TEXT),
        pa.field("panic", _TEXT),
        pa.field("goexit", pa.bool_(), nullable=False),
        pa.field("unfinished", pa.bool_(), nullable=False),
    ]
)


def write(traces: Sequence[Trace], folder: Path) -> None:
    """Write all traces to a new or empty directory. Times are nanoseconds after a trace's start."""
    functions, index_of = merge_functions(traces)
    readers = [SpanReader(trace) for trace in traces]
    names = pa.array([function.name for function in functions], pa.string())
    with _Parts(folder / "calls") as parts:
        for process, (reader, index) in enumerate(zip(readers, index_of, strict=True)):
            for spans in reader.spans(_GROUP):
                parts.write(_calls(process, traces[process], spans, index, names))
    rows = {
        "functions": [
            {"function_id": i, "name": f.name, "file": f.file, "line": f.line}
            for i, f in enumerate(functions)
        ],
        "processes": [_process(process, trace) for process, trace in enumerate(traces)],
    }
    for name, table in rows.items():
        pq.write_table(pa.Table.from_pylist(table, _SCHEMAS[name]), folder / f"{name}.parquet")
    with pq.ParquetWriter(folder / "tracks.parquet", _SCHEMAS["tracks"]) as writer:
        for process, (reader, index) in enumerate(zip(readers, index_of, strict=True)):
            for batch in _tracks(process, traces[process], reader.caller, index):
                writer.write_batch(batch)


class _Parts:
    """Files with a fixed number of calls each, so that queries read them in parallel."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._count = 0
        self._rows = 0
        self._writer = self._next()

    def __enter__(self) -> _Parts:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def _next(self) -> pq.ParquetWriter:
        path = self._folder / f"{self._count:04}.parquet"
        self._count += 1
        self._rows = 0
        texts = ["function", "error", "panic"]
        return pq.ParquetWriter(path, _CALLS, compression="zstd", use_dictionary=texts)

    def write(self, batch: pa.RecordBatch) -> None:
        """Add a group of rows."""
        if self._rows >= _PART:
            self._writer.close()
            self._writer = self._next()
        self._writer.write_batch(batch)
        self._rows += batch.num_rows


def _calls(
    process: int, trace: Trace, spans: Spans, index: npt.NDArray[np.int32], names: pa.Array
) -> pa.RecordBatch:
    function = index[spans.function]
    columns = [
        pa.array(np.full(len(spans), process, np.int32)),
        pa.array(spans.call),
        pa.array(spans.parent, mask=spans.parent < 0),
        pa.array(trace.tracks.id[spans.track]),
        pa.array(spans.depth),
        pa.array(function),
        pa.DictionaryArray.from_arrays(pa.array(function), names),
        pa.array(spans.start),
        pa.array(spans.duration),
        pa.array(spans.self),
        pa.array(spans.suspended),
        _texts(trace, spans, ERROR),
        _texts(trace, spans, PANIC),
        pa.array((spans.flags & GOEXIT) > 0),
        pa.array((spans.flags & UNFINISHED) > 0),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_CALLS)


def _texts(trace: Trace, spans: Spans, flag: int) -> pa.Array:
    """Return the texts of calls with a flag, as a dictionary array."""
    known: dict[str, int] = {}
    rows = np.flatnonzero(spans.flags & flag)
    places = zip(spans.text_at[rows].tolist(), spans.text_bytes[rows].tolist(), strict=True)
    chosen = np.zeros(len(spans), np.int32)
    chosen[rows] = [known.setdefault(trace.text(at, size), len(known)) for at, size in places]
    indices = pa.array(chosen, mask=(spans.flags & flag) == 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(known), pa.string()))


_SCHEMAS = {
    "functions": pa.schema(
        [
            pa.field("function_id", pa.int32(), nullable=False),
            pa.field("name", pa.string(), nullable=False),
            pa.field("file", pa.string(), nullable=False),
            pa.field("line", pa.int32(), nullable=False),
        ]
    ),
    "processes": pa.schema(
        [
            pa.field("process", pa.int32(), nullable=False),
            pa.field("pid", pa.int64(), nullable=False),
            pa.field("program", pa.string(), nullable=False),
            pa.field("arguments", pa.list_(pa.string()), nullable=False),
            pa.field("language", pa.string(), nullable=False),
            pa.field("started", pa.timestamp("ns", "UTC"), nullable=False),
            pa.field("ended_cleanly", pa.bool_(), nullable=False),
            pa.field("full", pa.bool_(), nullable=False),
            pa.field("overwritten", pa.bool_(), nullable=False),
            pa.field("lost", pa.uint64()),
        ]
    ),
    "tracks": pa.schema(
        [
            pa.field("process", pa.int32(), nullable=False),
            pa.field("track", pa.uint64(), nullable=False),
            pa.field("kind", pa.string(), nullable=False),
            pa.field("name", pa.string(), nullable=False),
            pa.field("parent", pa.uint64()),
            pa.field("starter_id", pa.int32()),
            pa.field("line", pa.int32()),
            pa.field("start_ns", pa.int64(), nullable=False),
            pa.field("caller", pa.int64()),
        ]
    ),
}


def _process(process: int, trace: Trace) -> dict[str, Any]:
    return {
        "process": process,
        "pid": trace.pid,
        "program": processes.name(trace),
        "arguments": processes.arguments(trace),
        "language": trace.language,
        "started": trace.started,
        "ended_cleanly": trace.ended_cleanly,
        "full": trace.full,
        "overwritten": trace.overwritten,
        "lost": trace.lost,
    }


def _tracks(
    process: int, trace: Trace, caller: Int64s, index: npt.NDArray[np.int32]
) -> Iterator[pa.RecordBatch]:
    for first in range(0, len(trace.tracks), _GROUP):
        rows = [
            {
                "process": process,
                "track": track.id,
                "kind": track.kind,
                "name": track.name,
                "parent": track.parent_id or None,
                "starter_id": int(index[track.starter]) if track.starter >= 0 else None,
                "line": track.line or None,
                "start_ns": track.start,
                "caller": int(caller[track.index]) if caller[track.index] >= 0 else None,
            }
            for track in trace.tracks[first : first + _GROUP]
        ]
        yield pa.RecordBatch.from_pylist(rows, _SCHEMAS["tracks"])
