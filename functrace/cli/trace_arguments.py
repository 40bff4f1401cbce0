"""Arguments of the verbs that read traces: files, folders and processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from functrace.cli.render import terminal
from functrace.errors import FunctraceError
from functrace.units import count, several

if TYPE_CHECKING:
    from functrace.analysis import Forest
    from functrace.tracefile import Trace

F = TypeVar("F", bound=Callable[..., Any])

argument: Callable[[F], F] = click.argument(
    "traces", nargs=-1, required=True, type=click.Path(), metavar="TRACE..."
)


def open_all(paths: Iterable[str], *, should_warn: bool = True) -> list[Trace]:
    """Open the traces at ``paths``: files, folders of traces, process ids and program names.

    Print a line for each unreadable trace, and, if ``should_warn``, for damage and missing parts.

    Raises:
        FunctraceError: a folder contains no trace, a process has no ring, or no trace can be read.
    """
    from functrace.analysis.losses import covered  # late: it loads numpy
    from functrace.tracefile import find_trace_files, open_trace_file, truncation

    truncation.guard_reads()
    context = click.get_current_context(silent=True)  # none in a thread of the viewer
    if context is not None:
        context.call_on_close(truncation.check)
    errors: list[str] = []

    def open_or_note(file: Path) -> Trace | None:
        try:
            return open_trace_file(file)
        except FunctraceError as error:
            errors.extend(error.args)
            return None

    opened = [open_or_note(file) for path in paths for file in find_trace_files(path)]
    traces = [trace for trace in opened if trace is not None]
    if not traces:
        raise FunctraceError(*errors)
    report_unreadable(errors, len(traces))
    for trace in traces if should_warn else ():
        for sentence in trace.damage:
            terminal.echo(f"functrace: {trace.path}: {sentence}", err=True, fg="yellow")
        sentence = covered(trace)
        if sentence:
            terminal.echo(f"functrace: {trace.path}: {sentence}", err=True, fg="yellow")
    return traces


def warn_of_damage(traces: Iterable[tuple[Trace, Iterable[str]]]) -> None:
    """Warn of damage that was found in calls and not already reported when opening the trace."""
    for trace, damage in traces:
        for sentence in damage:
            if sentence not in trace.damage:
                terminal.echo(f"functrace: {trace.path}: {sentence}", err=True, fg="yellow")


def warn_of_missing_joins(forest: Forest) -> None:
    """Warn of inbound calls whose callers are not known, where chains go on in other processes."""
    for sentence in forest.notes:
        terminal.echo(f"functrace: {sentence}", err=True, fg="yellow")


def report_unreadable(errors: list[str], read: int) -> None:
    """Print the errors of traces that could not be read, and how many could."""
    for error in errors:
        terminal.echo(f"functrace: {error}", err=True, fg="red")
    if errors:
        ignored = f"{count(len(errors))} of {several(len(errors) + read, 'trace')}"
        terminal.echo(f"functrace: {ignored} ignored: unreadable", err=True, fg="yellow")


def split_arguments(function: str, paths: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return FUNC and the traces; FUNC may also come last: it is the one that is no trace."""
    from functrace.tracefile import is_trace_argument  # late: it loads numpy

    missing = [path for path in paths if not is_trace_argument(path)]
    if not is_trace_argument(function) or len(missing) != 1:
        return function, paths
    return missing[0], (function, *(path for path in paths if path != missing[0]))
