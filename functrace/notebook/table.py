"""Lazy tables of traces. Nothing is read before ``batches`` or one of the ``to_`` methods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar, TypeVar

from functrace import extras
from functrace.errors import FunctraceError
from functrace.notebook.criteria import Criteria, criteria, selector

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from functrace.notebook.open_files import Source

_T = TypeVar("_T", bound="Table")


class Table:
    """Rows of one or several traces, read each time they are requested."""

    name: ClassVar[str]
    """name of the table, and of the method of functrace.export.arrow_tables.Tables that reads it"""

    def __init__(self, source: Source, wanted: tuple[Criteria, ...] = ()) -> None:
        self._source = source
        self._wanted = wanted

    def batches(self) -> Iterator[pyarrow.RecordBatch]:
        """Yield the rows as Arrow record batches; memory does not grow with their number.

        A batch has at most about 262,144 rows.

        Raises:
            MissingExtraError: pyarrow is not installed.
            FunctraceError: the traces are closed.
        """
        extras.require("pyarrow", "parquet", "reading tables")
        select = selector(self._wanted, self._source.function_names)
        for batch in self._source.read(lambda tables: getattr(tables, self.name)()):
            selected = select(batch)
            if selected.num_rows:
                yield selected

    @property
    def schema(self) -> pyarrow.Schema:
        """Schema of the rows.

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        extras.require("pyarrow", "parquet", "reading tables")
        from functrace.export import arrow_tables

        return getattr(arrow_tables, self.name.upper())

    def count_rows(self) -> int:
        """Return the number of rows. They are read, but not kept.

        Raises:
            MissingExtraError: pyarrow is not installed.
            FunctraceError: the traces are closed.
        """
        return sum(batch.num_rows for batch in self.batches())

    def to_arrow(self) -> pyarrow.Table:
        """Return all rows as a pyarrow.Table.

        Raises:
            MissingExtraError: pyarrow is not installed.
            FunctraceError: the traces are closed.
        """
        batches = list(self.batches())
        import pyarrow as pa

        return pa.Table.from_batches(batches, self.schema).unify_dictionaries()

    def to_pandas(self) -> pandas.DataFrame:
        """Return all rows as a pandas.DataFrame.

        Integers that may be missing have the type Int64 or similar; repeated texts are categories.

        Raises:
            MissingExtraError: pandas or pyarrow is not installed.
            FunctraceError: the traces are closed.
        """
        extras.require("pandas", "pandas", "to_pandas()")
        table = self.to_arrow()
        import pandas
        import pyarrow as pa

        frame: pandas.DataFrame = table.to_pandas()
        types = {
            pa.int32(): pandas.Int32Dtype(),
            pa.int64(): pandas.Int64Dtype(),
            pa.uint64(): pandas.UInt64Dtype(),
        }
        for field in table.schema:
            if field.nullable and field.type in types:
                frame[field.name] = table[field.name].to_pandas(types_mapper=types.get)
        return frame

    def to_polars(self) -> polars.DataFrame:
        """Return all rows as a polars.DataFrame; repeated texts are categorical.

        Raises:
            MissingExtraError: polars or pyarrow is not installed.
            FunctraceError: the traces are closed.
        """
        extras.require("polars", "polars", "to_polars()")
        table = self.to_arrow()
        import polars

        frame = polars.from_arrow(table)
        if not isinstance(frame, polars.DataFrame):
            raise FunctraceError(f"polars made a {type(frame).__name__} of {self!r}")
        return frame

    def __repr__(self) -> str:
        """Return the kind of rows, the traces and the filter."""
        filters = "".join(f", filter({each})" for each in self._wanted)
        return f"<{self.name} of {self._source.title}{filters}>"

    def _filtered(self: _T, wanted: Criteria) -> _T:
        return type(self)(self._source, (*self._wanted, wanted))


class Calls(Table):
    """Every call: one row each."""

    name = "calls"

    def filter(
        self,
        *,
        function: str | Iterable[str] | None = None,
        failed: bool | None = None,
        min_duration: str | int | None = None,
        track: int | Iterable[int] | None = None,
        process: int | Iterable[int] | None = None,
    ) -> Calls:
        """Return the calls that meet all given criteria, and those of earlier filters.

        Args:
            function: a glob or several, such as ``store.*``, of which one matches the function.
            failed: True for calls that returned an error or panicked, False for others.
            min_duration: such as ``5ms``; a number is nanoseconds.
            track: an id of a track or several.
            process: an index of a trace or several, as in the column ``process``.

        Raises:
            UsageError: ``min_duration`` is not a duration.
        """
        return self._filtered(criteria(function, failed, min_duration, track, process))


class Chains(Table):
    """Call chains with the figures of their calls: one row for each chain of each trace."""

    name = "chains"

    def filter(
        self,
        *,
        function: str | Iterable[str] | None = None,
        failed: bool | None = None,
        process: int | Iterable[int] | None = None,
    ) -> Chains:
        """Return the chains that meet all given criteria, and those of earlier filters.

        Args:
            function: a glob or several, of which one matches the last function of the chain.
            failed: True for chains with failed calls, False for others.
            process: an index of a trace or several.
        """
        return self._filtered(criteria(function, failed, process=process))


class Tracks(Table):
    """Goroutines, threads and tasks: one row each."""

    name = "tracks"

    def filter(
        self,
        *,
        track: int | Iterable[int] | None = None,
        process: int | Iterable[int] | None = None,
    ) -> Tracks:
        """Return the tracks that meet all given criteria, and those of earlier filters.

        Args:
            track: an id of a track or several.
            process: an index of a trace or several.
        """
        return self._filtered(criteria(track=track, process=process))


class Functions(Table):
    """Functions with the figures of their calls in all traces: one row each."""

    name = "functions"

    def filter(
        self,
        *,
        function: str | Iterable[str] | None = None,
        failed: bool | None = None,
    ) -> Functions:
        """Return the functions that meet all given criteria, and those of earlier filters.

        Args:
            function: a glob or several, of which one matches.
            failed: True for functions with failed calls, False for others.
        """
        return self._filtered(criteria(function, failed))


class Requests(Table):
    """Calls that entered or left the process: one row for each inbound and outbound call."""

    name = "requests"

    def filter(
        self,
        *,
        function: str | Iterable[str] | None = None,
        failed: bool | None = None,
        min_duration: str | int | None = None,
        track: int | Iterable[int] | None = None,
        process: int | Iterable[int] | None = None,
    ) -> Requests:
        """Return the requests that meet all given criteria, and those of earlier filters.

        Args:
            function: a glob or several, such as ``POST?payments*``, of which one matches the name.
                ``?`` stands for the space, which separates globs.
            failed: True for requests that failed, False for others.
            min_duration: such as ``5ms``; a number is nanoseconds. No unfinished request meets it.
            track: an id of a track or several.
            process: an index of a trace or several, as in the column ``process``.

        Raises:
            UsageError: ``min_duration`` is not a duration.
        """
        return self._filtered(criteria(function, failed, min_duration, track, process))


class Processes(Table):
    """Processes: one row for each trace."""

    name = "processes"
