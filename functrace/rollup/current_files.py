"""Files of a store whose rows count: the latest rollup of each recording, once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from functrace.errors import FunctraceError
from functrace.rollup import parquet
from functrace.rollup.current_rows import choose
from functrace.rollup.layout import TABLES, Partition, StoredFile
from functrace.rollup.selection import Selection
from functrace.rollup.store import Store

_CONNECTIONS = 8
_ATTEMPTS = 20


@dataclass
class ServiceFiles:
    """Files of a service that may have selected rows.

    Attributes:
        service: the service.
        files: the files that are read, each in both tables.
        stale: file and recording of rollups in `files` that do not count.
        incomplete: files of the table `processes` whose chains are missing or damaged.
        without_processes: files of the table `chains` whose processes are missing or damaged.
        unreadable: number of files that can be read in neither table.
    """

    service: str
    files: list[StoredFile] = field(default_factory=list)
    stale: list[tuple[StoredFile, str]] = field(default_factory=list)
    incomplete: list[StoredFile] = field(default_factory=list)
    without_processes: list[StoredFile] = field(default_factory=list)
    unreadable: int = 0

    @property
    def is_used(self) -> bool:
        """Whether it has any file."""
        lists = (self.files, self.incomplete, self.without_processes)
        return any(lists) or self.unreadable > 0

    def note_damaged(self, files: list[StoredFile], table: str) -> None:
        """Sort files of `files` that are damaged in a table, and no longer belong there."""
        if table == "chains":
            self.incomplete += files
        else:
            self.without_processes += files


Recordings = Callable[[ServiceFiles], Iterable[tuple[str, str, int]]]
"""returns the name of the file, the recording and the time of writing of the rollups of files"""


def find_files(
    store: Store, selection: Selection, recordings: Recordings
) -> tuple[list[ServiceFiles], list[str]]:
    """Return the files of each service that may have selected rows, and what cannot be read.

    Args:
        store: the store.
        selection: the rows.
        recordings: reads the recordings of compacted files.

    Returns:
        The services with files, sorted, and a line for each file that is damaged.
    """
    services: dict[str, ServiceFiles] = {}
    errors: list[str] = []
    for partition in store.partitions():
        if selection.has(partition):
            found = services.setdefault(partition.service, ServiceFiles(partition.service))
            errors += _PartitionReader(store, partition, found).read(recordings)
    return [each for each in services.values() if each.is_used], errors


class _PartitionReader:
    """Reader of the files of a partition."""

    def __init__(self, store: Store, partition: Partition, found: ServiceFiles) -> None:
        self._store = store
        self._partition = partition
        self._found = found

    def read(self, recordings: Recordings) -> list[str]:
        """Add the files of the partition. Return a line for each file that is damaged."""
        listed, errors = self._check_all()
        readable = []
        for file in sorted(listed, key=lambda each: each.name):
            intact = {table for table in listed[file] if not errors.get((table, file.name))}
            if intact == set(TABLES):
                readable.append(file)
            elif intact == {"processes"}:
                self._found.incomplete.append(file)
            elif intact == {"chains"}:
                self._found.without_processes.append(file)
            else:
                self._found.unreadable += 1
        self._add(readable, recordings)
        return [error for error in errors.values() if error]

    def _check_all(self) -> tuple[dict[StoredFile, set[str]], dict[tuple[str, str], str]]:
        """Return the tables of each file, and the damage of each table and name."""
        listed: dict[StoredFile, set[str]] = {}
        errors: dict[tuple[str, str], str] = {}
        for _ in range(_ATTEMPTS):
            listed = self._list()
            pairs = [(file, table) for file, tables in listed.items() for table in sorted(tables)]
            with ThreadPoolExecutor(_CONNECTIONS) as pool:
                checks = list(pool.map(lambda pair: self._check(*pair), pairs))
            errors = {
                (table, file.name): check or ""
                for (file, table), check in zip(pairs, checks, strict=True)
            }
            if None not in checks:
                break  # else a compaction has just removed a file
        return listed, errors

    def _list(self) -> dict[StoredFile, set[str]]:
        """Return the tables that have each file."""
        found: dict[StoredFile, set[str]] = {}
        for table in reversed(TABLES):  # chains first: their processes were written before
            for file in self._store.list_files(self._partition, table):
                found.setdefault(file, set()).add(table)
        return found

    def _check(self, file: StoredFile, table: str) -> str | None:
        """Return what is wrong with a file, empty if nothing is; None if it does not exist."""
        path = file.path(table)
        try:
            opened = self._store.files.open(path)
            if opened is None:
                return None
            with opened:
                parquet.check_footer(opened, table, f"{self._store.place}/{path}")
        except FunctraceError as error:
            return str(error)
        return ""

    def _add(self, files: list[StoredFile], recordings: Recordings) -> None:
        """Add the files whose rows count."""
        rollups = [(file, file.recording, file.written) for file in files if not file.is_compacted]
        compacted = {file.name: file for file in files if file.is_compacted}
        if len(files) > 1 and compacted:
            several = ServiceFiles(self._found.service, list(compacted.values()))
            for name, recording, written in recordings(several):
                rollups.append((compacted[name], recording, written))
            self._found.without_processes += several.without_processes
        chosen = choose(rollups)
        current = {name for name, _ in chosen.values()}
        for file, recording, written in rollups:
            if file.name in current and chosen[recording] != (file.name, written):
                self._found.stale.append((file, recording))
        self._found.files += [file for file in files if file.name in current or len(files) == 1]
