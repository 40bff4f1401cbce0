"""What the verbs that look at traces share: which files, and which functions a glob means."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from functrace.errors import FunctraceError
from functrace.naming import matching

if TYPE_CHECKING:
    from functrace.trace import Trace

F = TypeVar("F", bound=Callable[..., Any])

argument: Callable[[F], F] = click.argument(
    "traces", nargs=-1, required=True, type=click.Path(), metavar="TRACE..."
)
as_json: Callable[[F], F] = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def open_all(paths: Iterable[str], *, tell: bool = True) -> list[Trace]:
    """The traces at ``paths``; a folder stands for the traces in it. Tells what is damaged.

    Raises:
        FunctraceError: one cannot be read, or there is none.
    """
    from functrace.trace import open_trace  # it brings numpy along

    traces = [open_trace(file) for path in paths for file in _files(Path(path))]
    for trace in traces if tell else ():
        for sentence in trace.damage:
            click.secho(f"functrace: {trace.path}: {sentence}", err=True, fg="yellow")
    return traces


def told_apart(function: str, paths: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """FUNC and the traces, where FUNC may stand behind them as well: it is what is no file."""
    missing = [path for path in paths if not Path(path).exists()]
    if not Path(function).exists() or len(missing) != 1:
        return function, paths
    return missing[0], (function, *(path for path in paths if path != missing[0]))


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.ftrace"))
    if not files:
        raise FunctraceError(f"{path}: no traces (*.ftrace) there")
    return files


def named(trace: Trace, glob: str) -> set[int]:
    """The functions of a trace that ``glob`` means, by index."""
    is_meant = matching(glob)
    return {i for i, function in enumerate(trace.functions) if is_meant(function.name)}
