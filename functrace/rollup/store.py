"""Store of rollups: Parquet files by service and hour."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from functrace.errors import FunctraceError
from functrace.rollup import parquet
from functrace.rollup.current_rows import current_rows
from functrace.rollup.layout import (
    TABLES,
    Partition,
    StoredFile,
    new_file,
    parse_file,
    parse_partition,
    partition_of,
)
from functrace.rollup.rollup import Rollup
from functrace.rollup.store_files import StoreFiles, open_files

SCHEMA_VERSION = 1
_MARKER = "functrace-store.json"
_MARKER_KEY = "functrace_store"
_ATTEMPTS = 20

_Contents = list[tuple[StoredFile, dict[str, bytes]]]


class Store:
    """Store in a folder or at a URL.

    Args:
        place: folder or URL.

    Raises:
        FunctraceError: the store is of a newer version, or cannot be read.
    """

    def __init__(self, place: str) -> None:
        self.place = place.rstrip("/") or place
        self.files: StoreFiles = open_files(place)
        self._has_marker = self._check_version()

    def check_exists(self) -> None:
        """Raise FunctraceError if there is no store."""
        if not self._has_marker:
            raise FunctraceError(f"{self.place}: not a store of functrace rollup")

    def write(self, rollup: Rollup, written: int) -> StoredFile:
        """Store a rollup in place of earlier ones of its recording in this hour.

        Args:
            rollup: the rollup.
            written: the time, nanoseconds since 1970.
        """
        stored, contents = contents_of(rollup, written)
        self.replace(stored, contents)
        return stored

    def replace(self, stored: StoredFile, contents: dict[str, bytes]) -> None:
        """Store a rollup, from contents_of(), in place of earlier ones of its recording."""
        self.put(stored, contents)
        for earlier in self.list_files(stored.partition):
            is_same = earlier.recording == stored.recording and not earlier.is_compacted
            if is_same and earlier.written < stored.written:
                self.remove(earlier)

    def put(self, stored: StoredFile, contents: dict[str, bytes]) -> None:
        """Write a file of each table."""
        if not self._has_marker:
            content = json.dumps({_MARKER_KEY: SCHEMA_VERSION}) + "\n"
            self.files.write(_MARKER, content.encode())
            self._has_marker = True
        for table in TABLES:
            self.files.write(stored.path(table), contents[table])

    def remove(self, stored: StoredFile) -> None:
        """Remove a file of each table, chains first: without these, it does not exist."""
        for table in reversed(TABLES):
            self.files.remove(stored.path(table))

    def partitions(self) -> list[Partition]:
        """Return the partitions with files of any table, sorted by service and hour."""
        found = {
            parse_partition(folder, hour)
            for table in TABLES
            for folder in self.files.list(table)
            for hour in self.files.list(f"{table}/{folder}")
        }
        return sorted(partition for partition in found if partition is not None)

    def list_files(self, partition: Partition, table: str = "chains") -> list[StoredFile]:
        """Return the files of a partition."""
        names = self.files.list(f"{table}/{partition.folder}")
        files = (parse_file(partition, name) for name in names)
        return [file for file in files if file is not None]

    def read(
        self, partition: Partition, files: Collection[StoredFile] | None = None
    ) -> Iterator[tuple[StoredFile, dict[str, Any]]]:
        """Yield the files of a partition with their tables, as far as their rows count.

        A rollup is in one of them only, even if a compaction was interrupted.

        Args:
            partition: the partition.
            files: those of its files to read; None: all.

        Raises:
            FunctraceError: a file is missing or damaged.
        """
        tables = []
        for file, contents in self.read_contents(partition, files):
            found = {
                table: parquet.from_bytes(content, table, f"{self.place}/{file.path(table)}")
                for table, content in contents.items()
            }
            tables.append((file, found))
        yield from current_rows(tables)

    def read_contents(
        self, partition: Partition, files: Collection[StoredFile] | None = None
    ) -> _Contents:
        """Return the files of a partition with their contents by table, all of one time.

        Args:
            partition: the partition.
            files: those of its files to read, as far as they still exist; None: all.

        Raises:
            FunctraceError: a file is missing.
        """
        missing = ""
        for _ in range(_ATTEMPTS):
            contents, missing = self._try_to_read(partition, files)
            if not missing:
                return contents
        raise FunctraceError(f"{self.place}/{missing}: the file is missing")

    def _try_to_read(
        self, partition: Partition, files: Collection[StoredFile] | None
    ) -> tuple[_Contents, str]:
        """Return the contents, and the path of a file that was removed since it was listed."""
        contents: _Contents = []
        for file in self.list_files(partition):
            if files is not None and file not in files:
                continue
            found = {}
            for table in TABLES:
                content = self.files.read(file.path(table))
                if content is None:
                    return [], file.path(table)
                found[table] = content
            contents.append((file, found))
        return contents, ""

    def _check_version(self) -> bool:
        """Check the version, and return whether the store exists."""
        content = self.files.read(_MARKER)
        if content is None:
            return False
        try:
            version = json.loads(content)[_MARKER_KEY]
        except (ValueError, TypeError, KeyError, RecursionError):
            version = None
        if type(version) is not int or version < 1:
            raise FunctraceError(f"{self.place}/{_MARKER}: not the version of a store")
        if version > SCHEMA_VERSION:
            raise FunctraceError(
                f"{self.place}: version {version} of a store is newer than the supported version"
                f" {SCHEMA_VERSION}; upgrade functrace"
            )
        return True


def contents_of(rollup: Rollup, written: int) -> tuple[StoredFile, dict[str, bytes]]:
    """Return the file of a rollup in a store, and its contents by table.

    Args:
        rollup: the rollup.
        written: when it is written, nanoseconds since 1970.
    """
    partition = partition_of(rollup.labels.service, rollup.hour_ns)
    return new_file(partition, rollup.recording, written), {
        "processes": parquet.to_bytes(parquet.processes_table(rollup, written)),
        "chains": parquet.to_bytes(parquet.chains_table(rollup, written)),
    }
