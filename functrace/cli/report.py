"""The verb ``functrace report``: a table of functions with their calls and times."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from functrace import units
from functrace.cli import (
    reading_options,
    renamed,
    report_notes,
    shared_options,
    store_options,
    trace_arguments,
)
from functrace.cli.render import terminal
from functrace.cli.trace_arguments import open_all
from functrace.errors import FunctraceError
from functrace.globs import compile_list
from functrace.text import layout

if TYPE_CHECKING:
    from functrace.analysis.totals import Totals
    from functrace.cli.report_notes import Notes
    from functrace.rollup.query import StoreQuery
    from functrace.tracefile import Trace

_DEFAULT_LIMIT = 30
_PERCENTILES = {"p50": 50, "p90": 90, "p99": 99}
_TIMES = ("total", "self", "suspended", "min", "mean", "p50", "p90", "p99", "max")
_OF_ENDED_CALLS = ("min", "p50", "p90", "p99", "max")
_COLUMNS = ("calls", *_TIMES, "errors", "panics", "unfinished")
_IF_ANY = ("suspended", "errors", "panics", "unfinished")
_ALIASES = {"exceptions": "panics"}
_HIDE_FIRST = ("min", "p90", "unfinished", "panics", "max", "p50", "suspended", "mean", "errors")
_MIN_NAME_WIDTH = 24


@dataclass(frozen=True)
class _Options:
    sort: str
    as_json: bool
    limit: int | None
    errors: bool
    include: tuple[str, ...]
    exclude: tuple[str, ...]


@click.command()
@store_options.traces_or_store
@click.option(
    "--sort",
    type=renamed.Choice("report", "--sort", [*_COLUMNS, *_ALIASES, "name"]),
    default="self",
    show_default=True,
    help="Sort by this column, largest first.",
)
@reading_options.limit(f"{_DEFAULT_LIMIT}; all with --json")
@reading_options.errors("Show only functions with failed calls.")
@reading_options.include
@reading_options.exclude
@shared_options.as_json
@shared_options.color
def report(traces: tuple[str, ...], sort: str, as_json: bool, **flags: Any) -> None:
    """Show each function's calls, times and failures.

    GLOB is a name such as store.Get, Get or 'main.*'. TRACE is a trace file or a folder of
    traces; several traces are merged. The column total counts a call inside a call of the same
    function once. self is total without callees and without suspended, the part of total for
    which the call's task waited in the event loop (Python only).
    """
    store = store_options.pop_store(traces, flags)
    options = _Options(_ALIASES.get(sort, sort), as_json, **flags)
    if store is not None:
        with report_notes.reading(store) as query:
            found, notes = report_notes.read_with_notes(
                query, lambda: _stored_totals(store.place, query)
            )
            _report(found, options, notes)
        return
    opened = open_all(traces)
    panics = f"{layout.panic_noun(opened)}s"
    _report(_totals(opened), options, report_notes.TraceNotes(opened), panics)


def _report(found: Totals, options: _Options, notes: Notes, panics: str = "panics") -> None:
    is_selected = _name_filter(options.include, options.exclude)
    chosen = _chosen(found, is_selected, failed_only=options.errors)
    if not chosen:
        what = "failed call" if options.errors else "call"
        raise FunctraceError(f"no {what} of a matching function was recorded", *notes.sentences())
    ranked = _ranked(found, chosen, options.sort)
    default = 0 if options.as_json else _DEFAULT_LIMIT
    limit = default if options.limit is None else options.limit
    shown = ranked[:limit] if limit else ranked
    more = len(ranked) - len(shown)
    if options.as_json:
        from functrace.export import figures

        rows = {"functions": [figures.totals(found, index) for index in shown]}
        terminal.print_json({**rows, "more_functions": more, **notes.as_json()})
        return
    _show(found, shown, {"panics": panics})
    if more:
        terminal.echo(f"… {units.count(more)} more functions; --limit 0 shows all")
    notes.show()


def _totals(opened: list[Trace]) -> Totals:
    from functrace.analysis import fold
    from functrace.analysis.totals import Part, part_of, totals

    def part(trace: Trace) -> Part:
        chains = fold(trace)
        trace_arguments.warn_of_damage([(trace, chains.damage)])
        return part_of(chains)

    return totals(opened, [part(trace) for trace in opened])


def _stored_totals(place: str, query: StoreQuery) -> Totals:
    from functrace.analysis.totals import part_of, totals
    from functrace.rollup.stored_chains import rows_of, stored_chains

    chains = stored_chains(place, rows_of(query.chains())).chains
    return totals([chains.trace], [part_of(chains)])


def _name_filter(include: Sequence[str], exclude: Sequence[str]) -> Callable[[str], bool]:
    is_included = compile_list(include, "--include") if include else None
    is_excluded = compile_list(exclude, "--exclude")

    def is_selected(name: str) -> bool:
        return not (is_included and not is_included(name)) and not is_excluded(name)

    return is_selected


def _chosen(found: Totals, is_selected: Callable[[str], bool], *, failed_only: bool) -> list[int]:
    """Return the indices of the functions to show."""
    calls = found.errors + found.panics if failed_only else found.calls
    return [i for i in range(len(found)) if calls[i] and is_selected(found.functions[i].name)]


def _ranked(found: Totals, chosen: list[int], sort: str) -> list[int]:
    ranked = sorted(chosen, key=lambda index: found.functions[index].name)
    if sort != "name":
        ranked.sort(key=lambda index: _value(found, index, sort), reverse=True)
    return ranked


def _value(found: Totals, index: int, column: str) -> int:
    if column in _PERCENTILES:
        return found.percentile(index, _PERCENTILES[column])
    return int(getattr(found, column)[index])


def _value_if_ended(found: Totals, index: int, column: str) -> int | None:
    """Return the value of a column; None if it needs a finished call and there is none."""
    if column in _OF_ENDED_CALLS and found.calls[index] == found.unfinished[index]:
        return None
    return _value(found, index, column)


def _show(found: Totals, shown: Sequence[int], titles: dict[str, str]) -> None:
    names = layout.Names(found.functions)
    shown_columns = [c for c in _COLUMNS if c not in _IF_ANY or getattr(found, c)[shown].any()]
    cells = {
        c: [titles.get(c, c), *(_cell(_value_if_ended(found, i, c), c) for i in shown)]
        for c in shown_columns
    }
    if sys.stdout.isatty():
        shown_columns = _fitting(cells, max(len(names[i]) for i in shown), terminal.width())
    texts = layout.align(list(zip(*(cells[c] for c in shown_columns), strict=True)))
    for number, row in enumerate(texts):
        name = names[shown[number - 1]] if number else "function"
        terminal.echo("  ".join([*row, name]), bold=not number)


def _cell(value: int | None, column: str) -> str:
    if value is None:
        return ""
    return units.duration(value) if column in _TIMES else units.count(value)


def _fitting(cells: dict[str, list[str]], name: int, width: int) -> list[str]:
    """Return the columns that fit beside the names; a long name may be cut off."""
    columns = list(cells)
    for column in _HIDE_FIRST:
        name_width = width - sum(2 + max(map(len, cells[c])) for c in columns)
        if name_width >= max(name, _MIN_NAME_WIDTH):
            break
        if column in columns:
            columns.remove(column)
    return columns
