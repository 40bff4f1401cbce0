"""Queries of a store with DuckDB: the rollups of any number of processes as one chain table."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from functrace import extras
from functrace.errors import FunctraceError
from functrace.rollup import query_sql as sql
from functrace.rollup.current_files import ServiceFiles, find_files
from functrace.rollup.layout import StoredFile
from functrace.rollup.selection import Selection
from functrace.rollup.store import Store
from functrace.rollup.store_coverage import StoreCoverage, coverage_of, functions_at_limit

T = TypeVar("T")

_ATTEMPTS = 20
_MAX_REASON = 200


class _ChangedError(Exception):
    """A file was removed since a query listed it."""

    def __init__(self, query: StoreQuery) -> None:
        super().__init__()
        self.query = query


class StoreQuery:
    """Queries of the selected rows of a store.

    Damaged files are left out and named in `errors`; the rest is read.

    Args:
        place: folder or URL of the store.
        selection: the rows.
        memory: limit on the memory of DuckDB, such as ``1GB``. What exceeds it is in files.

    Attributes:
        place: folder or URL of the store.
        errors: a line for each file that could not be read so far.

    Raises:
        FunctraceError: there is no such store, or DuckDB is not installed.
    """

    def __init__(self, place: str, selection: Selection, *, memory: str = "1GB") -> None:
        for module in ("duckdb", "pyarrow"):
            extras.require(module, "store", "reading a store")
        import duckdb

        self.place = place
        self.errors: list[str] = []
        self._selection = selection
        self._store = Store(place)
        self._store.check_exists()
        spill = tempfile.mkdtemp(prefix="functrace-query-")
        self._remove_spill = weakref.finalize(self, shutil.rmtree, spill, ignore_errors=True)
        self._duckdb: Any = duckdb
        self._connection: Any = duckdb.connect(
            config={"memory_limit": memory, "temp_directory": spill}
        )
        self._connection.execute("SET TimeZone = 'UTC'")
        if self._store.files.system is not None:
            self._connection.register_filesystem(self._store.files.system)
        self._services: list[ServiceFiles] = []
        self._is_listed = self._is_reading = False
        self._damaged_count = 0
        self._at_limit: set[str] = set()
        self.consistently(self.services)

    def close(self) -> None:
        """Release memory and files."""
        self._connection.close()
        self._remove_spill()

    def consistently(self, read: Callable[[], T]) -> T:
        """Return the result of a function whose queries must all read the same files.

        The function is called again if a compaction removes files meanwhile, or if a query finds
        a damaged file that an earlier one has read. A function of several StoreQuery is given to
        `consistently` of each.

        Raises:
            FunctraceError: files were removed each time.
        """
        if self._is_reading:
            return read()  # the outermost call repeats it
        self._is_reading = True
        try:
            return self._repeat(read)
        finally:
            self._is_reading = False

    def services(self) -> list[str]:
        """Return the services that may have selected rows, sorted."""
        return [each.service for each in self._services]

    def definitions(self) -> Any:
        """Return a row for each service and chain: service, chain, parent, function, started.

        The chains are those of all files that may have selected rows, with those of their callers.
        """
        return self._tables(sql.definitions())

    def chains(self, functions: Sequence[str] | None = None) -> Any:
        """Return a row for each service and chain, merged over windows and recordings.

        The columns of this Arrow table are service, and those of the table `chains` in
        docs/rollups.md from `chain` to `example_track`.

        Args:
            functions: names of the innermost functions of the chains; None: all.
        """
        found = self._tables(sql.chains(functions))
        self._at_limit.update(functions_at_limit(found))
        return found

    def by_instance(
        self,
        chains: Sequence[bytes] | None = None,
        *,
        by_window: bool = False,
    ) -> Any:
        """Return a row for each service, chain, release and instance, merged over windows.

        The columns of this Arrow table are service, chain, release, instance, window if
        `by_window`, calls, failed, total_ns, self_ns, bucket and bucket_calls: those of all
        windows one after another, so that a bucket may occur again.

        Args:
            chains: ids of the chains; None: all.
            by_window: whether to return a row for each window.
        """
        return self._tables(sql.by_instance(chains, by_window=by_window))

    def instances(self, *, by_window: bool = False) -> Any:
        """Return a row for each service, release and instance, and each window if `by_window`.

        They are those of all selected rollups, also where an instance has no calls of a chain.
        """
        return self._tables(sql.instances(by_window=by_window))

    def service_figures(self) -> Any:
        """Return a row for each service: service, releases, instances, calls and failed.

        releases is the sorted list of the releases of the service.
        """
        return self._tables(sql.service_figures())

    def coverage(self) -> StoreCoverage:
        """Return how much of the selected processes the answers cover, by what was read so far."""
        found = self.consistently(lambda: coverage_of(self._services, self._run))
        found.at_limit = tuple(sorted(self._at_limit))
        return found

    def _tables(self, query: sql.Query) -> Any:
        """Return the results of a query of all services, with their names."""
        import pyarrow as pa

        def tables() -> Iterator[Any]:
            for service in self._services:
                found = self._run(service, service.files, query)
                names = pa.array([service.service] * len(found), pa.string())
                yield found.add_column(0, "service", names)

        schema = query.schema.insert(0, pa.field("service", pa.string()))
        found = self.consistently(lambda: list(tables()))
        return pa.concat_tables([schema.empty_table(), *found]).combine_chunks()

    def _repeat(self, read: Callable[[], T]) -> T:
        """Call a function until no file was removed or taken out meanwhile."""
        attempts = 0
        while attempts < _ATTEMPTS:
            damaged_count = self._damaged_count
            try:
                self._find_files()
                found = read()
            except _ChangedError as change:
                if change.query is not self:
                    raise
                self._is_listed = False
                attempts += 1
            else:
                if damaged_count == self._damaged_count:
                    return found
        raise FunctraceError(f"{self.place}: files are removed again and again")

    def _find_files(self) -> None:
        """List the files unless they are listed already."""
        if not self._is_listed:
            self._services, errors = find_files(self._store, self._selection, self._recordings)
            self._is_listed = True
            self.errors += [error for error in errors if error not in self.errors]

    def _recordings(self, service: ServiceFiles) -> list[tuple[str, str, int]]:
        """Return the name, recording and time of writing of the rollups in files of a partition."""
        found = self._run(service, service.files, sql.recordings(), Selection())
        rows = zip(*(column.to_pylist() for column in found.columns), strict=True)
        return [(file.rpartition("/")[2], *others) for file, *others in rows]

    def _run(
        self,
        service: ServiceFiles,
        files: list[StoredFile],
        query: sql.Query,
        selection: Selection | None = None,
    ) -> Any:
        """Return the result of a query of files; take those out that are damaged."""
        if not files:
            return query.schema.empty_table()
        try:
            return self._execute(service, files, query, selection or self._selection)
        except self._duckdb.OutOfMemoryException:
            paths = (
                file.path(query.table) for file in files if self._exhausts(service, file, query)
            )
            place = "/".join([self.place, *islice(paths, 1)])
            raise FunctraceError(
                f"{place}: too much for the memory of a query; select less, such as with"
                " --service or --since"
            ) from None
        except self._duckdb.Error as error:
            self._take_out_damaged(service, files, query, error)
            return self._run(service, files, query, selection)

    def _exhausts(self, service: ServiceFiles, file: StoredFile, query: sql.Query) -> bool:
        """Return whether a file is too much for the memory of a query alone."""
        try:
            self._execute(service, [file], query, self._selection)
        except self._duckdb.OutOfMemoryException:
            return True
        except self._duckdb.Error:
            return False
        return False

    def _take_out_damaged(
        self, service: ServiceFiles, files: list[StoredFile], query: sql.Query, error: Exception
    ) -> None:
        """Take out the files that cannot be read alone.

        Raises:
            FunctraceError: there are none.
        """
        damaged = [file for file in files if self._is_damaged(service, file, query)]
        if not damaged:
            raise FunctraceError(f"{self.place}: {_reason(error)}") from None
        self._damaged_count += len(damaged)
        files[:] = [file for file in files if file not in damaged]
        if files is service.files:
            service.note_damaged(damaged, query.table)
        else:  # the other table is missing or damaged
            service.unreadable += len(damaged)

    def _is_damaged(self, service: ServiceFiles, file: StoredFile, query: sql.Query) -> bool:
        try:
            self._execute(service, [file], query, self._selection)
        except self._duckdb.Error as error:
            path = file.path(query.table)
            opened = self._store.files.open(path)
            if opened is None:
                raise _ChangedError(self) from None
            opened.close()
            message = f"{self.place}/{path}: not a rollup: {_reason(error)}"
            if message not in self.errors:
                self.errors.append(message)
            return True
        return False

    def _execute(
        self,
        service: ServiceFiles,
        files: list[StoredFile],
        query: sql.Query,
        selection: Selection,
    ) -> Any:
        def address(file: StoredFile) -> str:
            return self._store.files.address(file.path(query.table))

        stale = [(address(file), recording) for file, recording in service.stale if file in files]
        if stale:
            self._replace_stale(stale)
        text = sql.with_rows(query, map(address, files), selection, has_stale=bool(stale))
        relation = self._connection.sql(text, params=query.parameters)
        return relation.to_arrow_table().cast(query.schema)

    def _replace_stale(self, rows: list[tuple[str, str]]) -> None:
        import pyarrow as pa

        files, recordings = zip(*rows, strict=True)
        self._connection.register(sql.STALE, pa.table({"file": files, "recording": recordings}))


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:_MAX_REASON]
