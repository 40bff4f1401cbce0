"""Parquet files in a directory: calls in several parts, and a file for each other table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from functrace.analysis.folds import Folds
from functrace.export import arrow_tables, demotion_table
from functrace.export.arrow_tables import ROWS, Tables
from functrace.tracefile import Trace

_PART = 64 * ROWS  # a part occupies one query worker
_TEXTS = ["function", "caller", "route", "error", "panic", "first_failure"]


def write(traces: Sequence[Trace], folder: Path) -> None:
    """Write all traces to a new or empty directory. Times are nanoseconds after a trace's start."""
    read = Tables(Folds(traces))
    with _Parts(folder / "calls") as parts:
        for batch in read.calls():
            parts.write(batch)
    others: dict[str, tuple[Callable[[], Iterator[Any]], pa.Schema]] = {
        "chains": (read.chains, arrow_tables.CHAINS),
        "tracks": (read.tracks, arrow_tables.TRACKS),
        "functions": (read.functions, arrow_tables.FUNCTIONS),
        "requests": (read.requests, arrow_tables.REQUESTS),
        "processes": (read.processes, arrow_tables.PROCESSES),
        "demotions": (partial(demotion_table.batches, traces), demotion_table.DEMOTIONS),
    }
    for name, (batches, schema) in others.items():
        with _writer(folder / f"{name}.parquet", schema) as writer:
            for batch in batches():
                writer.write_batch(batch)


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=_TEXTS)


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
        return _writer(path, arrow_tables.CALLS)

    def write(self, batch: pa.RecordBatch) -> None:
        """Add a group of rows."""
        if self._rows >= _PART:
            self._writer.close()
            self._writer = self._next()
        self._writer.write_batch(batch)
        self._rows += batch.num_rows
