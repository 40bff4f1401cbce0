"""One or several open traces."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from functrace import units
from functrace.analysis.folds import Folds
from functrace.analysis.losses import losses
from functrace.analysis.merge import merge_functions
from functrace.errors import FunctraceError
from functrace.export import processes
from functrace.notebook.table import Calls, Chains, Functions, Processes, Tracks
from functrace.runtime.escaping import escape
from functrace.tracefile import Trace, find_trace_files, open_trace

if TYPE_CHECKING:
    import pyarrow

    from functrace.export.tables import Tables

_SHOWN_TRACES = 5
_SHOWN_LOSSES = 3
_WIDTH = 100


def open_traces(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
) -> Traces:
    """Open a trace file, a folder of them, or several of both.

    Raises:
        FunctraceError: a file cannot be read or is not a trace, or a folder contains no trace.
    """
    several = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    files = [file for path in several for file in find_trace_files(Path(path))]
    if not files:
        raise FunctraceError("no path given; name a trace file or a folder of traces")
    opened: list[Trace] = []
    try:
        opened.extend(open_trace(file) for file in files)
    except BaseException:
        for trace in opened:
            trace.close()
        raise
    return Traces(opened)


class Traces:
    """One or several open traces. Use it in a ``with`` statement, which closes the files."""

    def __init__(self, traces: Sequence[Trace]) -> None:
        self._folds = Folds(traces)
        self._tables: Tables | None = None
        self._function_names: list[str] | None = None
        self._is_closed = False
        self._lock = RLock()  # a file is not unmapped while another thread reads it

    def __enter__(self) -> Traces:
        """Return the traces themselves."""
        self._check_open()
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self.close()

    def close(self) -> None:
        """Close the files. Tables that were already converted stay valid."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                for trace in self._folds.traces:
                    trace.close()

    def calls(self) -> Calls:
        """Return the table of all calls."""
        return Calls(self)

    def chains(self) -> Chains:
        """Return the table of call chains, with figures of their calls."""
        return Chains(self)

    def tracks(self) -> Tracks:
        """Return the table of goroutines, threads and tasks."""
        return Tracks(self)

    def functions(self) -> Functions:
        """Return the table of functions, with figures of their calls in all traces."""
        return Functions(self)

    def processes(self) -> Processes:
        """Return the table of processes, with a row for each trace."""
        return Processes(self)

    def path(self, chain: int, process: int = 0) -> list[str]:
        """Return the names of a chain's functions, from the outermost call on.

        Args:
            chain: number of the chain, as in the column ``chain``.
            process: index of its trace, as in the column ``process``.

        Raises:
            FunctraceError: the traces are closed.
            IndexError: there is no such chain or trace.
        """
        with self._lock:
            self._check_open()
            if process not in range(len(self._folds.traces)):
                raise IndexError(f"process {process}: there is no such trace")
            chains = self._folds.chains(process)
        if chain not in range(len(chains)):
            raise IndexError(f"chain {chain}: process {process} has no such chain")
        names = chains.trace.functions
        return [names[chains.function[node]].name for node in chains.chain(chain)]

    @property
    def losses(self) -> list[str]:
        """Sentences about what the traces lack, each with its file; none if they are complete.

        Lost and overwritten events, unfinished calls, and damage are listed. Reading it goes
        through all events once.

        Raises:
            FunctraceError: the traces are closed.
        """
        with self._lock:
            self._check_open()
            return [
                f"{trace.path}: {sentence}"
                for trace, found in zip(self._folds.traces, self._losses(), strict=True)
                for sentence in found
            ]

    @property
    def is_closed(self) -> bool:
        """Whether the files are closed."""
        return self._is_closed

    @property
    def title(self) -> str:
        """Name of the trace file, or the number of traces."""
        traces = self._folds.traces
        name = traces[0].path.name if len(traces) == 1 else units.several(len(traces), "trace")
        return escape(name)

    @property
    def function_names(self) -> list[str]:
        """Name of each function, by the column ``function_id``."""
        if self._function_names is None:
            functions, _ = merge_functions(self._folds.traces)
            self._function_names = [function.name for function in functions]
        return self._function_names

    def read(
        self, batches: Callable[[Tables], Iterator[pyarrow.RecordBatch]]
    ) -> Iterator[pyarrow.RecordBatch]:
        """Yield the batches of a table, as long as the traces are open.

        Raises:
            FunctraceError: the traces are closed.
        """
        found = None
        while True:
            with self._lock:
                self._check_open()
                found = found or batches(self._opened_tables())
                batch = next(found, None)
            if batch is None:
                return
            yield batch

    def __repr__(self) -> str:
        """Return a summary: file, program, language, duration, calls, tracks and losses."""
        with self._lock:
            if self._is_closed:
                return f"<functrace traces: {self.title}, closed>"
            lines = list(self._lines())
        return "\n".join(_shortened(escape(line)) for line in lines)

    def _lines(self) -> Iterator[str]:
        traces = self._folds.traces
        for trace, found in list(zip(traces, self._losses(), strict=True))[:_SHOWN_TRACES]:
            calls = int(self._folds.chains(traces.index(trace)).calls.sum())
            yield f"{trace.path.name}: {_summary(trace, calls)}"
            yield from (f"  incomplete: {sentence}" for sentence in found[:_SHOWN_LOSSES])
            if len(found) > _SHOWN_LOSSES:
                yield f"  … {len(found) - _SHOWN_LOSSES} more; see losses"
        if len(traces) > _SHOWN_TRACES:
            calls = sum(int(each.calls.sum()) for each in self._folds.all_chains())
            number = units.count(len(traces) - _SHOWN_TRACES)
            yield f"… {number} more traces; {units.several(calls, 'call')} in all"
            incomplete = sum(map(bool, self._losses()))
            if incomplete:
                yield f"{units.several(incomplete, 'trace')} incomplete; see losses"

    def _losses(self) -> list[list[str]]:
        return [losses(chains) for chains in self._folds.all_chains()]

    def _opened_tables(self) -> Tables:
        if self._tables is None:
            from functrace.export.tables import Tables  # late: it requires pyarrow

            self._tables = Tables(self._folds)
        return self._tables

    def _check_open(self) -> None:
        if self._is_closed:
            raise FunctraceError(
                f"{self.title}: the traces are closed; read them inside the with statement"
            )


def _summary(trace: Trace, calls: int) -> str:
    tracks = units.several(len(trace.tracks), "track")
    lasted = units.duration(trace.span[1])
    language = "" if trace.language == "unknown" else f" ({trace.language})"
    what = f"{processes.title(trace)}{language}"
    return f"{what}, {lasted}, {units.several(calls, 'call')}, {tracks}"


def _shortened(line: str) -> str:
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"
