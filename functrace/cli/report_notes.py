"""Notes below a report about what its figures do not cover, for traces and for stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from functrace import units
from functrace.cli.render import budget_note, terminal
from functrace.errors import FunctraceError
from functrace.text import store_note

if TYPE_CHECKING:
    from functrace.cli.store_options import ChosenStore
    from functrace.rollup.query import StoreQuery
    from functrace.rollup.store_coverage import StoreCoverage
    from functrace.tracefile import Trace

T = TypeVar("T")


class Notes(Protocol):
    """Notes about what the figures of a report do not cover."""

    def as_json(self) -> dict[str, Any]:
        """Return the keys of the report that describe it."""

    def show(self) -> None:
        """Print it below the report."""

    def warn(self) -> None:
        """Print it to standard error."""

    def sentences(self) -> list[str]:
        """Return a sentence for each reason why calls are missing."""


class TraceNotes:
    """Notes about traces: functions that were not recorded, calls that were overwritten."""

    def __init__(self, traces: Sequence[Trace]) -> None:
        self._traces = traces

    def as_json(self) -> dict[str, Any]:
        """Return `demoted` and `partial_traces`."""
        from functrace.text import coverage

        return dict(coverage.as_json(self._traces))

    def show(self) -> None:
        """Print the functions that were not recorded below the report."""
        budget_note.show(self._traces)

    def warn(self) -> None:
        """Print the functions that were not recorded to standard error."""
        budget_note.warn(self._traces)

    def sentences(self) -> list[str]:
        """Return a sentence for each of the first traces with functions that were not recorded."""
        return budget_note.sentences(self._traces)


class StoreNotes:
    """Notes about a store: instances that are missing, and what their traces lack."""

    def __init__(self, coverage: StoreCoverage) -> None:
        self._coverage = coverage

    def as_json(self) -> dict[str, Any]:
        """Return `demoted`, `partial_traces` and `coverage`."""
        return store_note.as_json(self._coverage)

    def show(self) -> None:
        """Print the coverage below the report."""
        terminal.echo()
        for sentence in self.sentences():
            terminal.echo(sentence)

    def warn(self) -> None:
        """Print the coverage to standard error."""
        for sentence in self.sentences():
            terminal.echo(f"functrace: {sentence}", err=True)

    def sentences(self) -> list[str]:
        """Return the coverage, and a sentence for each kind of missing calls."""
        return store_note.sentences(self._coverage)


@contextmanager
def reading(store: ChosenStore) -> Iterator[StoreQuery]:
    """Open a store to report on it, and name its damaged files at the end.

    Raises:
        FunctraceError: some files could not be read.
    """
    from functrace.rollup.query import StoreQuery

    query = StoreQuery(store.place, store.selection)
    try:
        yield query
    finally:
        query.close()
        for error in query.errors:
            terminal.echo(f"functrace: {error}", err=True, fg="red")
    if query.errors:
        number = units.several(len(query.errors), "file")
        raise FunctraceError(f"{number} of the store could not be read; the rest is above")


def read_with_notes(query: StoreQuery, read: Callable[[], T]) -> tuple[T, StoreNotes]:
    """Return the result of queries, and the notes about them: all of the same files.

    Raises:
        FunctraceError: that of `read`, with what is missing from the store.
    """

    def read_both() -> tuple[T, StoreNotes]:
        try:
            return read(), StoreNotes(query.coverage())
        except FunctraceError as error:
            _, *losses = StoreNotes(query.coverage()).sentences()
            raise type(error)(*error.args, *losses) from None

    return query.consistently(read_both)
