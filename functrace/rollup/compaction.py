"""Compaction of a store: merge small files, and remove hours that are too old."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from functrace.errors import FunctraceError
from functrace.rollup import parquet
from functrace.rollup.layout import TABLES, Partition, StoredFile, new_file
from functrace.rollup.store import Store
from functrace.rollup.store_files import MAX_FILE_BYTES

MAX_BATCH_BYTES = 32 << 20
"""Files of chains are merged up to this size: in memory, they take some thirty times of it."""
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
    """Merge the small files of a partition, or remove it if it is too old.

    Return None if there was nothing to do.

    Args:
        store: the store.
        partition: the partition.
        now: the time.
        max_age: the age at which an hour is removed; None: never.

    Raises:
        FunctraceError: a file is damaged; it and those that would be merged with it remain.
    """
    if max_age is not None and partition.start + timedelta(hours=1) <= now - max_age:
        return _remove(store, partition)
    return _compact(store, partition, now)


def _remove(store: Store, partition: Partition) -> Compacted | None:
    files = {file for table in TABLES for file in store.list_files(partition, table)}
    if not files:
        return None
    for file in files:
        store.remove(file)
    return Compacted(partition, len(files), 0, 0, 0)


def _compact(store: Store, partition: Partition, now: datetime) -> Compacted | None:
    files = store.list_files(partition)
    _remove_orphans(store, partition, files, now)
    merged = [_merge(store, partition, batch, now) for batch in _batches(store, partition)]
    done = [each for each in merged if each is not None]
    if not done:
        return None
    unmerged = len(files) - sum(each.files_before for each in done)
    return Compacted(
        partition,
        len(files),
        unmerged + len(done),
        sum(each.rows for each in done),
        sum(each.size_bytes for each in done),
    )


def _batches(store: Store, partition: Partition) -> Iterator[list[StoredFile]]:
    """Yield groups of two files or more that are small enough to be merged in memory."""
    sizes = store.files.sizes(f"chains/{partition.folder}")
    known = [file for file in store.list_files(partition) if file.name in sizes]
    batch: list[StoredFile] = []
    size = 0
    for file in sorted(known, key=lambda file: (sizes[file.name], file.name)):
        if size + sizes[file.name] > MAX_BATCH_BYTES:
            if len(batch) > 1:
                yield batch
            batch, size = [], 0
        batch.append(file)
        size += sizes[file.name]
    if len(batch) > 1:
        yield batch


def _merge(
    store: Store, partition: Partition, files: list[StoredFile], now: datetime
) -> Compacted | None:
    """Merge files into one; None if another compaction has removed them meanwhile."""
    read = list(store.read(partition, files))
    if len(read) < 2:
        return None
    contents, rows = {}, 0
    for table, columns in _ORDER.items():
        order = [(column, "ascending") for column in columns]
        merged = pa.concat_tables([tables[table] for _, tables in read]).sort_by(order)
        contents[table] = parquet.to_bytes(merged)
        rows += len(merged) if table == "chains" else 0
    written = int(now.timestamp() * 1e9)
    digest = hashlib.sha256(contents["chains"]).hexdigest()[:16]
    stored = new_file(partition, digest, written, is_compacted=True)
    _check_readable(store, stored, contents)
    store.put(stored, contents)
    for file, _ in read:
        if file != stored:
            store.remove(file)
    return Compacted(partition, len(read), 1, rows, sum(map(len, contents.values())))


def _check_readable(store: Store, stored: StoredFile, contents: dict[str, bytes]) -> None:
    """Raise FunctraceError if readers would refuse a file, before those in it are removed."""
    for table, content in contents.items():
        name = f"{store.place}/{stored.path(table)}"
        parquet.check_footer(io.BytesIO(content), table, name)
        if len(content) > MAX_FILE_BYTES:
            raise FunctraceError(f"{name}: the file would be too large; nothing was removed")


def _remove_orphans(
    store: Store, partition: Partition, files: list[StoredFile], now: datetime
) -> None:
    """Remove old files of processes whose chains were never written, or were removed."""
    names = {file.name for file in files}
    before = int((now - _MAX_WRITE).timestamp() * 1e9)
    for file in store.list_files(partition, "processes"):
        if file.name not in names and file.written < before:
            store.remove(file)
