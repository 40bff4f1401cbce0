"""Checks of Parquet files of rollups before their rows are read."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from functrace.errors import FunctraceError

SCHEMA_VERSION = 1
VERSION_KEY = b"functrace.rollup"
# Of a file; one beyond them was made to exhaust memory.
MAX_BYTES = 8 << 30
_MAX_ROWS = 100_000_000
_MIN_ROWS, _MAX_ROWS_PER_BYTE = 100_000, 4
_MIN_UNPACKED, _MAX_UNPACKED_PER_BYTE = 64 << 20, 1000


def check(file: pq.ParquetFile, size: int, schema: pa.Schema, name: str) -> None:
    """Check the version, the columns and the claimed size of a file of `size` bytes."""
    _check_version(file.schema_arrow.metadata or {}, name)
    if not _plain(file.schema_arrow).equals(schema):
        raise FunctraceError(f"{name}: not a rollup: it has other columns")
    groups = range(file.metadata.num_row_groups)
    unpacked = sum(file.metadata.row_group(group).total_byte_size for group in groups)
    max_rows = min(_MAX_ROWS, _MIN_ROWS + _MAX_ROWS_PER_BYTE * size)
    max_bytes = min(MAX_BYTES, _MIN_UNPACKED + _MAX_UNPACKED_PER_BYTE * size)
    if file.metadata.num_rows > max_rows or unpacked > max_bytes:
        raise FunctraceError(f"{name}: not a rollup: its contents are too large")


def _plain(schema: pa.Schema) -> pa.Schema:
    """Return a schema with strings in place of dictionaries of strings."""
    for index, field in enumerate(schema):
        if pa.types.is_dictionary(field.type):
            schema = schema.set(index, field.with_type(field.type.value_type))
    return schema


def _check_version(metadata: Mapping[bytes, bytes], name: str) -> None:
    version = metadata.get(VERSION_KEY, b"")
    if not version.isdigit() or len(version) > 9:
        raise FunctraceError(f"{name}: not a rollup")
    if int(version) > SCHEMA_VERSION:
        raise FunctraceError(
            f"{name}: schema version {int(version)} is newer than the supported version"
            f" {SCHEMA_VERSION}; upgrade functrace"
        )
