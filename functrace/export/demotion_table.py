"""Arrow table of demotions: spans in which calls of a function were not recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from functrace.export import demotion_rows
from functrace.tracefile import Trace

DEMOTIONS = pa.schema(
    [
        pa.field("process", pa.int32(), nullable=False),
        pa.field("function", pa.string(), nullable=False),
        pa.field("begin_ns", pa.int64(), nullable=False),
        pa.field("end_ns", pa.int64()),
        pa.field("calls_per_second", pa.int64(), nullable=False),
        pa.field("has_failures", pa.bool_(), nullable=False),
    ]
)


def batches(traces: Sequence[Trace]) -> Iterator[pa.RecordBatch]:
    """Yield the demotions of each trace. Times are nanoseconds after the start of the trace."""
    for process, trace in enumerate(traces):
        rows = [{"process": process, **row} for row in demotion_rows.of_trace(trace)]
        yield pa.RecordBatch.from_pylist(rows, DEMOTIONS)
