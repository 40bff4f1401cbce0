"""The store that a server shows, with what was found in it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from functrace.analysis.merge import Forest
from functrace.analysis.triage import Triage
from functrace.errors import FunctraceError
from functrace.rollup.query import StoreQuery
from functrace.rollup.selection import Selection
from functrace.rollup.stored_chains import StoredChains, rows_of, stored_chains
from functrace.rollup.stored_triage import stored_triage
from functrace.text import store_note
from functrace.tracefile import Function, Trace
from functrace.view.once import Once

_MAX_RESULTS = 32


@dataclass(frozen=True, eq=False)
class StoredFigures:
    """What was read from a store."""

    stored: StoredChains
    services: list[dict[str, Any]]
    """rows of StoreQuery.service_figures"""
    notes: list[str]
    """sentences about what the figures cover, and damaged files"""

    @cached_property
    def forest(self) -> Forest:
        """Chains of all services."""
        return self.stored.forest()

    @cached_property
    def triage(self) -> Triage:
        """Findings."""
        return stored_triage(self.stored)


class StoredSession:
    """A selection of a store, which is read once.

    Args:
        place: folder or URL of the store.
        selection: the rows that count.
        arguments: the store and the options that select, for commands.

    Attributes:
        place: folder or URL of the store.
        results: the latest results of analyses that depend on parameters.

    Raises:
        FunctraceError: there is no such store, or nothing is selected.
    """

    def __init__(self, place: str, selection: Selection, arguments: Sequence[str]) -> None:
        self.place = place
        self.results = Once(_MAX_RESULTS)
        self._arguments = ("--store", *arguments)
        self._kept = Once()
        self._query = StoreQuery(place, selection)
        if not self._query.services():
            raise FunctraceError(f"{place}: no rollup is selected", *self._query.errors)

    @property
    def figures(self) -> StoredFigures:
        """Figures of all selected chains; the first access reads the store."""
        return self._kept.get("figures", self._read)

    def _read(self) -> StoredFigures:
        query = self._query
        rows, services, coverage = query.consistently(
            lambda: (rows_of(query.chains()), query.service_figures(), query.coverage())
        )
        figures = StoredFigures(
            stored_chains(self.place, rows),
            services.to_pylist(),
            [*store_note.sentences(coverage), *query.errors],
        )
        query.close()  # not after an error: the next access reads again
        return figures

    @property
    def functions(self) -> Sequence[Function]:
        """Functions of all services."""
        return self.figures.forest.functions

    @property
    def traces(self) -> Sequence[Trace]:
        """The trace without calls that stands for the store's."""
        return self.figures.forest.traces

    @property
    def arguments(self) -> str:
        """The store and its options, as a part of a shell command."""
        return shlex.join(self._arguments)

    @property
    def places(self) -> Sequence[str]:
        """The store and its options, as suggested commands take them."""
        return self._arguments[1:]

    def command(self, *words: str) -> str:
        """Return a command about the store; operands are last."""
        verb, *operands = words
        return shlex.join(["functrace", verb, *self._arguments, *operands])
