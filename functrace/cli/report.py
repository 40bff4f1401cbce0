"""functrace report: how often and how long each function was called."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from functrace import units
from functrace.cli import trace_arguments
from functrace.cli.render import columns, coverage, terminal
from functrace.cli.trace_arguments import open_all
from functrace.errors import FunctraceError
from functrace.globs import matching

if TYPE_CHECKING:
    from functrace.analysis.totals import Totals
    from functrace.trace import Trace

_SHOWN = 30
_PERCENTILES = {"p50": 50, "p90": 90, "p99": 99}
_TIMES = ("total", "self", "suspended", "min", "mean", "p50", "p90", "p99", "max")
_OF_ENDED = ("min", "p50", "p90", "p99", "max")
_COLUMNS = ("calls", *_TIMES, "errors", "panics", "unfinished")
_IF_ANY = ("suspended", "errors", "panics", "unfinished")
_TITLES = {"suspended": "waiting"}
_ALIASES = {"waiting": "suspended", "exceptions": "panics"}
_LEAVE_FIRST = ("min", "p90", "unfinished", "panics", "max", "p50", "suspended", "mean", "errors")
_NAME_LEAST = 24


@click.command()
@trace_arguments.argument
@click.option(
    "--sort",
    type=click.Choice([*_COLUMNS, *_ALIASES, "name"]),
    default="self",
    show_default=True,
    help="Most of it first.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Show so many functions, 0 for all; if not given, {_SHOWN}, or all with --json.",
)
@click.option("--include", multiple=True, metavar="GLOB", help="Only functions that match.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="No functions that match.")
@trace_arguments.as_json
def report(traces: tuple[str, ...], sort: str, as_json: bool, **flags: Any) -> None:
    """Show how often each function was called, how long that took, and what failed.

    GLOB is a name such as store.Get, Get or 'main.*'. Several traces count as one, and a
    folder stands for the traces in it. Times: total counts a call inside a call of the same
    function once; self is total without what was called, and without waiting: of total,
    how long calls of Python waited in the event loop.
    """
    limit = flags["limit"] if flags["limit"] is not None else 0 if as_json else _SHOWN
    opened = open_all(traces)
    found = _totals(opened)
    wanted = _wanted(flags["include"], flags["exclude"])
    ranked = _ranked(found, wanted, _ALIASES.get(sort, sort))
    shown = ranked[:limit] if limit else ranked
    more = len(ranked) - len(shown)
    if as_json:
        rows = {"functions": [_as_json(found, index) for index in shown]}
        terminal.print_json({**rows, "more_functions": more, **coverage.as_json(opened)})
        return
    _show(found, shown, {**_TITLES, "panics": f"{columns.panic(opened)}s"})
    if more:
        terminal.echo(f"… {units.count(more)} more functions; --limit 0 shows all")


def _totals(opened: list[Trace]) -> Totals:
    from functrace.analysis import fold
    from functrace.analysis.totals import Part, part_of, totals

    def part(trace: Trace) -> Part:
        chains = fold(trace)
        columns.warn([(trace, chains.damage)])
        return part_of(chains)

    return totals(opened, [part(trace) for trace in opened])


def _wanted(include: Sequence[str], exclude: Sequence[str]) -> Callable[[str], bool]:
    taken = [matching(glob) for glob in include]
    left = [matching(glob) for glob in exclude]

    def is_wanted(name: str) -> bool:
        taking = not taken or any(matches(name) for matches in taken)
        return taking and not any(matches(name) for matches in left)

    return is_wanted


def _ranked(found: Totals, is_wanted: Callable[[str], bool], sort: str) -> list[int]:
    functions = found.functions
    called = [i for i in range(len(found)) if found.calls[i] and is_wanted(functions[i].name)]
    if not called:
        raise FunctraceError("no call of such a function was recorded")
    called.sort(key=lambda index: functions[index].name)
    if sort != "name":
        called.sort(key=lambda index: _value(found, index, sort), reverse=True)
    return called


def _value(found: Totals, index: int, column: str) -> int:
    if column in _PERCENTILES:
        return found.percentile(index, _PERCENTILES[column])
    return int(getattr(found, column)[index])


def _known(found: Totals, index: int, column: str) -> int | None:
    """A value, but for what only calls that have ended tell."""
    if column in _OF_ENDED and found.calls[index] == found.unfinished[index]:
        return None
    return _value(found, index, column)


def _as_json(found: Totals, index: int) -> dict[str, Any]:
    function = found.functions[index]
    place = {"name": function.name, "file": function.file, "line": function.line}
    return {**place, **{column: _known(found, index, column) for column in _COLUMNS}}


def _show(found: Totals, shown: Sequence[int], titles: dict[str, str]) -> None:
    names = columns.Names(found.functions)
    shown_columns = [c for c in _COLUMNS if c not in _IF_ANY or getattr(found, c)[shown].any()]
    cells = {
        c: [titles.get(c, c), *(_cell(_known(found, i, c), c) for i in shown)]
        for c in shown_columns
    }
    if sys.stdout.isatty():
        shown_columns = _fitting(cells, max(len(names[i]) for i in shown), columns.width())
    texts = columns.aligned(list(zip(*(cells[c] for c in shown_columns), strict=True)))
    for number, row in enumerate(texts):
        name = names[shown[number - 1]] if number else "function"
        terminal.echo("  ".join([*row, name]), bold=not number)


def _cell(value: int | None, column: str) -> str:
    if value is None:
        return ""
    return units.duration(value) if column in _TIMES else units.count(value)


def _fitting(cells: dict[str, list[str]], name: int, width: int) -> list[str]:
    """The columns that a line has room for beside the names, or most of a long one."""
    columns = list(cells)
    for leave in _LEAVE_FIRST:
        room = width - sum(2 + max(map(len, cells[c])) for c in columns)
        if room >= max(name, _NAME_LEAST):
            break
        if leave in columns:
            columns.remove(leave)
    return columns
