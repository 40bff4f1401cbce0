"""Parquet files of rollups: a table of chains and a table of processes."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from functrace.errors import FunctraceError
from functrace.rollup.chain_ids import ID_BYTES, NO_PARENT
from functrace.rollup.figures import NO_CALLS, ChainFigures
from functrace.rollup.parquet_checks import MAX_BYTES, SCHEMA_VERSION, VERSION_KEY, check
from functrace.rollup.rollup import Rollup

ROWS_OF_GROUP = 1 << 16
"""rows that a reader skips, or reads, together"""
_ID = pa.binary(ID_BYTES)
_TIME = pa.timestamp("ns", "UTC")


def _required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


def _list_of(kind: pa.DataType) -> pa.DataType:
    return pa.list_(pa.field("element", kind, nullable=False))


_LABELS = [_required(name, pa.string()) for name in ("release", "instance", "host", "build")]
_RECORDING = [_required("recording", pa.string()), _required("written", pa.int64())]
_WINDOW = [_required("window", _TIME), _required("window_s", pa.int32())]
_ERROR = pa.struct(
    [
        _required("text", pa.string()),
        _required("panicked", pa.bool_()),
        _required("calls", pa.int64()),
    ]
)
_COUNTS = ("calls", "failed", "panicked", "unfinished", "total_ns", "self_ns", "suspended_ns")
CHAINS = pa.schema(
    [
        *_LABELS,
        *_RECORDING,
        *_WINDOW,
        _required("chain", _ID),
        pa.field("parent", _ID),
        _required("function", pa.string()),
        _required("started", pa.bool_()),
        *(_required(name, pa.int64()) for name in _COUNTS),
        pa.field("min_ns", pa.int64()),
        pa.field("max_ns", pa.int64()),
        _required("bucket", _list_of(pa.int32())),
        _required("bucket_calls", _list_of(pa.int64())),
        _required("errors", _list_of(_ERROR)),
        _required("errors_undercount", pa.int64()),
        pa.field("example_time", _TIME),
        pa.field("example_trace", pa.string()),
        pa.field("example_track", pa.uint64()),
    ],
    {VERSION_KEY: str(SCHEMA_VERSION).encode()},
)
PROCESSES = pa.schema(
    [
        *_LABELS,
        *_RECORDING,
        *_WINDOW,
        _required("calls", pa.int64()),
        _required("failed", pa.int64()),
        _required("covered_s", pa.float64()),
        _required("demoted", _list_of(pa.string())),
        _required("missing", _list_of(pa.string())),
    ],
    {VERSION_KEY: str(SCHEMA_VERSION).encode()},
)
SCHEMAS = {"chains": CHAINS, "processes": PROCESSES}
_REPEATED = ["release", "instance", "host", "build", "recording", "chain", "parent", "function"]
_REPEATED += ["example_trace", "errors.list.element.text", "missing.list.element", "window"]
_REPEATED += ["demoted.list.element"]
_DELTAS = ["example_time", "written"]
_SPLIT = ["total_ns", "self_ns", "min_ns", "max_ns"]
_SPLIT += ["bucket.list.element", "bucket_calls.list.element"]
_ENCODINGS = {
    **dict.fromkeys(_DELTAS, "DELTA_BINARY_PACKED"),
    **dict.fromkeys(_SPLIT, "BYTE_STREAM_SPLIT"),
}


def chains_table(rollup: Rollup, written: int) -> pa.Table:
    """Return the rows of a rollup's chains, sorted by chain and window.

    A caller without calls of its own in a window has a row there, so that the chains of each
    window are whole.
    """
    keys = sorted(_needed(rollup), key=lambda key: (key[1], key[0]))
    figures = [rollup.figures.get(key, NO_CALLS) for key in keys]
    chains = [rollup.chains[chain] for _, chain in keys]
    columns: dict[str, Any] = {
        **_common(rollup, [window for window, _ in keys], written),
        "chain": [chain for _, chain in keys],
        "parent": [None if c.parent == NO_PARENT else c.parent for c in chains],
        "function": [chain.function for chain in chains],
        "started": [chain.started for chain in chains],
        **{name: [getattr(row, name) for row in figures] for name in _COUNTS},
        "min_ns": [row.min_ns for row in figures],
        "max_ns": [row.max_ns for row in figures],
        "bucket": [[bucket for bucket, _ in row.buckets] for row in figures],
        "bucket_calls": [[count for _, count in row.buckets] for row in figures],
        "errors": [_errors(row) for row in figures],
        "errors_undercount": [row.errors.undercount for row in figures],
        **_examples(figures),
    }
    return pa.Table.from_pydict(columns, CHAINS)


def processes_table(rollup: Rollup, written: int) -> pa.Table:
    """Return a row for each window of a rollup."""
    windows = sorted(rollup.coverage)
    sums = _sums(rollup)
    coverage = [rollup.coverage[window] for window in windows]
    columns: dict[str, Any] = {
        **_common(rollup, windows, written),
        "calls": [sums[window][0] for window in windows],
        "failed": [sums[window][1] for window in windows],
        "covered_s": [each.seconds for each in coverage],
        "demoted": [sorted(each.demoted) for each in coverage],
        "missing": [sorted(each.missing) for each in coverage],
    }
    return pa.Table.from_pydict(columns, PROCESSES)


def to_bytes(table: pa.Table) -> bytes:
    """Return a table as a Parquet file."""
    out = io.BytesIO()
    names = set(_column_paths(table.schema))
    pq.write_table(
        table,
        out,
        row_group_size=ROWS_OF_GROUP,
        compression="zstd",
        compression_level=12,
        use_dictionary=[name for name in _REPEATED if name in names],
        column_encoding={name: kind for name, kind in _ENCODINGS.items() if name in names},
        write_statistics=["chain", "window", "release", "function"],
        data_page_version="2.0",
        write_page_checksum=True,
    )
    return out.getvalue()


def from_bytes(content: bytes, table: str, name: str) -> pa.Table:
    """Return the rows of a Parquet file of "chains" or "processes".

    Raises:
        FunctraceError: the file is damaged, is too large or has other columns.
    """
    with _as_damage(name):
        return _read(content, SCHEMAS[table], name)


def check_footer(opened: BinaryIO, table: str, name: str) -> None:
    """Check the version, the columns and the claimed size of a Parquet file, not its rows.

    Raises:
        FunctraceError: as from_bytes.
    """
    with _as_damage(name):
        size = opened.seek(0, os.SEEK_END)
        with pq.ParquetFile(opened) as file:
            check(file, size, SCHEMAS[table], name)


@contextmanager
def _as_damage(name: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, LookupError, OverflowError) as error:
        reason = " ".join(str(error).split())[:200]
        raise FunctraceError(f"{name}: not a rollup: {reason}") from None


def _read(content: bytes, schema: pa.Schema, name: str) -> pa.Table:
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    options = {"read_dictionary": texts, "page_checksum_verification": True}
    with pq.ParquetFile(io.BytesIO(content), **options) as file:
        check(file, len(content), schema, name)
        found = file.read()
    if sum(map(_text_bytes, found.columns)) > MAX_BYTES:
        raise FunctraceError(f"{name}: not a rollup: its texts are too large")
    found = found.cast(schema)
    found.validate(full=True)
    return found


def _text_bytes(column: pa.ChunkedArray) -> int:
    """Return an upper bound on the bytes of a column of strings."""
    if not pa.types.is_dictionary(column.type):
        return 0
    return sum(
        len(chunk) * (pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0)
        for chunk in column.chunks
    )


def _needed(rollup: Rollup) -> Iterator[tuple[int, bytes]]:
    """Yield the chains of each window and the chains of their callers."""
    seen: set[tuple[int, bytes]] = set()
    for window, chain in rollup.figures:
        while chain != NO_PARENT and (window, chain) not in seen:
            seen.add((window, chain))
            yield window, chain
            chain = rollup.chains[chain].parent


def _common(rollup: Rollup, windows: Sequence[int], written: int) -> dict[str, list[Any]]:
    labels = rollup.labels
    values = {
        "release": labels.release,
        "instance": labels.instance,
        "host": labels.host,
        "build": labels.build,
        "recording": rollup.recording,
        "written": written,
        "window_s": rollup.width_ns // 1_000_000_000,
    }
    columns: dict[str, list[Any]] = {name: [value] * len(windows) for name, value in values.items()}
    return {**columns, "window": list(windows)}


def _errors(row: ChainFigures) -> list[dict[str, Any]]:
    ranked = sorted(row.errors.counts.items(), key=lambda item: (-item[1], item[0]))
    return [
        {"text": error.text, "panicked": error.panicked, "calls": calls} for error, calls in ranked
    ]


def _examples(figures: Iterable[ChainFigures]) -> dict[str, list[Any]]:
    examples = [row.example for row in figures]
    return {
        "example_time": [each.time_ns if each else None for each in examples],
        "example_trace": [each.trace if each else None for each in examples],
        "example_track": [each.track if each else None for each in examples],
    }


def _sums(rollup: Rollup) -> dict[int, tuple[int, int]]:
    """Return calls and failed calls of all chains by window."""
    sums = dict.fromkeys(rollup.coverage, (0, 0))
    for (window, _), row in rollup.figures.items():
        calls, failed = sums[window]
        sums[window] = calls + row.calls, failed + row.failed
    return sums


def _column_paths(schema: pa.Schema) -> Iterator[str]:
    """Yield the names of the leaf columns as Parquet has them."""
    for field in schema:
        yield from _leaf_paths(field.name, field.type)


def _leaf_paths(path: str, kind: pa.DataType) -> Iterator[str]:
    if pa.types.is_list(kind):
        yield from _leaf_paths(f"{path}.list.element", kind.value_type)
    elif pa.types.is_struct(kind):
        for field in kind:
            yield from _leaf_paths(f"{path}.{field.name}", field.type)
    else:
        yield path
