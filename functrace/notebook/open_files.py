"""Traces that are already open, which tables of a notebook read from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING

from functrace import units
from functrace.analysis.folds import Folds
from functrace.analysis.merge import merge_functions
from functrace.errors import FunctraceError
from functrace.runtime.escaping import escape
from functrace.tracefile import Trace

if TYPE_CHECKING:
    import pyarrow

    from functrace.export.arrow_tables import Tables


class Source:
    """Traces that are already open. No file is unmapped while another thread reads it."""

    def __init__(self, traces: Sequence[Trace]) -> None:
        self._folds = Folds(traces)
        self._lock = RLock()
        self.is_closed = False

    @contextmanager
    def opened(self) -> Iterator[Folds]:
        """Keep the files open, and return the traces with their chains.

        Raises:
            FunctraceError: the files are closed.
        """
        with self._lock:
            if self.is_closed:
                raise FunctraceError(
                    f"{self.title}: the traces are closed; read them inside the with statement"
                )
            yield self._folds

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            if not self.is_closed:
                self.is_closed = True
                for trace in self._folds.traces:
                    trace.close()

    def read(
        self, batches: Callable[[Tables], Iterator[pyarrow.RecordBatch]]
    ) -> Iterator[pyarrow.RecordBatch]:
        """Yield the batches of a table, as long as the files are open.

        Raises:
            FunctraceError: the files are closed.
        """
        with self.opened():
            found = batches(self._tables)
        while True:
            with self.opened():
                batch = next(found, None)
            if batch is None:
                return
            yield batch

    @property
    def title(self) -> str:
        """Name of the trace file, or the number of traces."""
        traces = self._folds.traces
        name = traces[0].path.name if len(traces) == 1 else units.several(len(traces), "trace")
        return escape(name)

    @cached_property
    def function_names(self) -> list[str]:
        """Name of each function, by the column ``function_id``."""
        functions, _ = merge_functions(self._folds.traces)
        return [function.name for function in functions]

    @cached_property
    def _tables(self) -> Tables:
        from functrace.export.arrow_tables import Tables  # late: it requires pyarrow

        return Tables(self._folds)
