"""Compaction of a store: few large files instead of many small ones, and none that are too old."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from functrace.rollup import parquet
from functrace.rollup.layout import Partition, StoredFile, new_file
from functrace.rollup.store import Store

_MAX_WRITE = timedelta(hours=1)  # between the two files of a rollup
# Queries are for functions: readers skip the groups of rows of other functions.
_ORDER = {
    "chains": ("function", "chain", "recording", "window"),
    "processes": ("recording", "window"),
}


@dataclass(frozen=True)
class Compacted:
    """What a compaction did with a partition."""

    partition: Partition
    files_before: int
    files_after: int
    rows: int
    size_bytes: int


def compact(
    store: Store, partition: Partition, *, now: datetime, max_age: timedelta | None = None
) -> Compacted | None:
    """Compact a partition if it has more than one file, or remove it if it is too old.

    Return None if there was nothing to do.

    Args:
        store: the store.
        partition: the partition.
        now: the time.
        max_age: the age at which an hour is removed; None: never.

    Raises:
        FunctraceError: a file is damaged; nothing was removed.
    """
    if max_age is not None and partition.start + timedelta(hours=1) <= now - max_age:
        return _remove(store, partition)
    return _compact(store, partition, now)


def _remove(store: Store, partition: Partition) -> Compacted | None:
    files = store.list_files(partition)
    if not files:
        return None
    for file in files:
        store.remove(file)
    return Compacted(partition, len(files), 0, 0, 0)


def _compact(store: Store, partition: Partition, now: datetime) -> Compacted | None:
    files = store.list_files(partition)
    _remove_orphans(store, partition, files, now)
    if len(files) < 2:
        return None
    read = list(store.read(partition))
    contents, rows = {}, 0
    for table, columns in _ORDER.items():
        order = [(column, "ascending") for column in columns]
        merged = pa.concat_tables([tables[table] for _, tables in read]).sort_by(order)
        contents[table] = parquet.to_bytes(merged)
        rows += len(merged) if table == "chains" else 0
    written = int(now.timestamp() * 1e9)
    digest = hashlib.sha256(contents["chains"]).hexdigest()[:16]
    stored = new_file(partition, digest, written, is_compacted=True)
    store.put(stored, contents)
    for file, _ in read:
        if file != stored:
            store.remove(file)
    size = sum(map(len, contents.values()))
    return Compacted(partition, len(files), 1, rows, size)


def _remove_orphans(
    store: Store, partition: Partition, files: list[StoredFile], now: datetime
) -> None:
    """Remove old files of processes whose chains were never written, or were removed."""
    names = {file.name for file in files}
    before = int((now - _MAX_WRITE).timestamp() * 1e9)
    for file in store.list_files(partition, "processes"):
        if file.name not in names and file.written < before:
            store.remove(file)
