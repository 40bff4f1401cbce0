"""One or several open traces."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from functrace import units
from functrace.analysis import Chains as FoldedChains
from functrace.analysis.losses import losses
from functrace.errors import FunctraceError
from functrace.export import demotion_rows, process_names
from functrace.notebook.open_files import Source
from functrace.notebook.table import Calls, Chains, Functions, Processes, Requests, Tracks
from functrace.runtime.escaping import escape
from functrace.tracefile import Trace, find_trace_files, open_trace_file

_SHOWN_TRACES = 5
_SHOWN_LOSSES = 3
_WIDTH = 100

_Argument: TypeAlias = "str | int | os.PathLike[str]"


def open_traces(
    paths: _Argument | Iterable[_Argument],
) -> Traces:
    """Open a trace file, a folder of them, the ring of a running program, or several of these.

    Args:
        paths: paths of files and folders, process ids and program names.

    Raises:
        FunctraceError: a file cannot be read or is not a trace, a folder contains no trace, or a
            process has no ring.
    """
    several = [paths] if isinstance(paths, (str, int, os.PathLike)) else list(paths)
    files = [file for path in several for file in find_trace_files(_text(path))]
    if not files:
        raise FunctraceError("no path given; name a trace file or a folder of traces")
    opened: list[Trace] = []
    try:
        opened.extend(open_trace_file(file) for file in files)
    except BaseException:
        for trace in opened:
            trace.close()
        raise
    return Traces(opened)


def _text(argument: _Argument) -> str:
    return str(argument) if isinstance(argument, int) else os.fspath(argument)


class Traces:
    """One or several open traces. Use it in a ``with`` statement, which closes the files."""

    def __init__(self, traces: Sequence[Trace]) -> None:
        self._source = Source(traces)

    def __enter__(self) -> Traces:
        """Return the traces themselves."""
        with self._source.opened():
            return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self.close()

    def close(self) -> None:
        """Close the files. Tables that were already converted stay valid."""
        self._source.close()

    def calls(self) -> Calls:
        """Return the table of all calls."""
        return Calls(self._source)

    def chains(self) -> Chains:
        """Return the table of call chains, with figures of their calls."""
        return Chains(self._source)

    def tracks(self) -> Tracks:
        """Return the table of goroutines, threads and tasks."""
        return Tracks(self._source)

    def functions(self) -> Functions:
        """Return the table of functions, with figures of their calls in all traces."""
        return Functions(self._source)

    def requests(self) -> Requests:
        """Return the table of requests that entered or left the processes."""
        return Requests(self._source)

    def processes(self) -> Processes:
        """Return the table of processes, with a row for each trace."""
        return Processes(self._source)

    def path(self, chain: int, process: int = 0) -> list[str]:
        """Return the names of a chain's functions, from the outermost call on.

        Args:
            chain: number of the chain, as in the column ``chain``.
            process: index of its trace, as in the column ``process``.

        Raises:
            FunctraceError: the traces are closed.
            IndexError: there is no such chain or trace.
        """
        with self._source.opened() as folds:
            if process not in range(len(folds.traces)):
                raise IndexError(f"process {process}: there is no such trace")
            chains = folds.chains(process)
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
        with self._source.opened() as folds:
            return [
                f"{chains.trace.path}: {sentence}"
                for chains in folds.all_chains()
                for sentence in losses(chains)
            ]

    @property
    def demotions(self) -> list[dict[str, Any]]:
        """Spans in which functions were not recorded because of FUNCTRACE_BUDGET.

        Raises:
            FunctraceError: the traces are closed.
        """
        with self._source.opened() as folds:
            return [
                {"process": process, **row}
                for process, trace in enumerate(folds.traces)
                for row in demotion_rows.of_trace(trace)
            ]

    @property
    def is_closed(self) -> bool:
        """Whether the files are closed."""
        return self._source.is_closed

    def __repr__(self) -> str:
        """Return a summary: file, program, language, duration, calls, tracks and losses."""
        if self.is_closed:
            return f"<functrace traces: {self._source.title}, closed>"
        with self._source.opened() as folds:
            return "\n".join(_shortened(escape(line)) for line in _lines(folds.all_chains()))


def _lines(every: Sequence[FoldedChains]) -> Iterator[str]:
    for chains in every[:_SHOWN_TRACES]:
        yield f"{chains.trace.path.name}: {_summary(chains)}"
        found = losses(chains)
        yield from (f"  incomplete: {sentence}" for sentence in found[:_SHOWN_LOSSES])
        if len(found) > _SHOWN_LOSSES:
            yield f"  … {len(found) - _SHOWN_LOSSES} more; see losses"
    if len(every) > _SHOWN_TRACES:
        calls = sum(int(chains.calls.sum()) for chains in every)
        number = units.count(len(every) - _SHOWN_TRACES)
        yield f"… {number} more traces; {units.several(calls, 'call')} in all"
        incomplete = sum(bool(losses(chains)) for chains in every)
        if incomplete:
            yield f"{units.several(incomplete, 'trace')} incomplete; see losses"


def _summary(chains: FoldedChains) -> str:
    trace = chains.trace
    calls = units.several(int(chains.calls.sum()), "call")
    tracks = units.several(len(trace.tracks), "track")
    lasted = units.duration(trace.span[1])
    language = "" if trace.language == "unknown" else f" ({trace.language})"
    what = f"{process_names.title(trace)}{language}"
    return f"{what}, {lasted}, {calls}, {tracks}"


def _shortened(line: str) -> str:
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"
