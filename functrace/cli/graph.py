"""The verb ``functrace graph``: the tree of callees of a function."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from functrace import units
from functrace.cli import (
    reading_options,
    report_notes,
    shared_options,
    store_options,
    trace_arguments,
)
from functrace.cli.render import terminal
from functrace.cli.trace_arguments import split_arguments
from functrace.errors import FunctraceError
from functrace.text import chain_text, layout, similar_names

if TYPE_CHECKING:
    from functrace.analysis.callee_trees import Callee
    from functrace.analysis.merge import Forest
    from functrace.cli.report_notes import Notes
    from functrace.rollup.query import StoreQuery

_TITLES = ("share", "total", "suspended", "self", "calls", "failed", "unfinished", "partial")
_MAX_DEPTH = 200  # more would exceed Python's recursion limit


@dataclass(frozen=True)
class _Options:
    as_json: bool
    depth: int
    min_share: float


@click.command()
@click.argument("function", metavar="FUNC")
@store_options.traces_or_store
@reading_options.depth("Show only N levels of calls below FUNC.")
@click.option(
    "--min-share",
    type=click.FloatRange(0, 100),
    default=0.5,
    show_default=True,
    metavar="PERCENT",
    help="Show only callees with at least this share of FUNC's time, or with failures.",
)
@shared_options.as_json
@shared_options.color
def graph(function: str, traces: tuple[str, ...], as_json: bool, **flags: Any) -> None:
    """Show the callees of FUNC as a tree, merged over all chains that lead to it.

    FUNC is a name such as store.Get, Get or 'main.*'. TRACE is a trace file or a folder of
    traces; several traces are merged. A function that was started as a goroutine, thread or
    task is marked go, thread, task or started; it may take longer than its caller. Recursion is
    folded.
    """
    store = store_options.pop_store(traces, flags)
    options = _Options(as_json, min(flags["depth"] or _MAX_DEPTH, _MAX_DEPTH), flags["min_share"])
    if store is not None:
        with report_notes.reading(store) as query:
            forest, notes = report_notes.read_with_notes(
                query, lambda: _stored_forest(store.place, query, function)
            )
            _report(forest, function, options, notes)
        return
    name, paths = split_arguments(function, traces)
    forest = _forest(name, paths)
    _report(forest, name, options, report_notes.TraceNotes(forest.traces))


def _report(forest: Forest, function: str, options: _Options, notes: Notes) -> None:
    roots = _roots(forest, function, notes)
    tree = _Tree(forest, options.depth, options.min_share)
    if options.as_json:
        report = [tree.as_json(root, root.total, 0) for root in roots]
        terminal.print_json({"functions": report, **notes.as_json()})
        return
    for number, root in enumerate(roots):
        if number:
            terminal.echo()
        _print(list(tree.rows(root, root.total, 0)))
    notes.show()


def _print(rows: list[list[str]]) -> None:
    """Print rows whose last cell is a name, under a heading; leave out empty columns."""
    titles = [
        title if any(row[index] for row in rows) else "" for index, title in enumerate(_TITLES)
    ]
    cells = layout.align([titles, *(row[:-1] for row in rows)])
    names = ["function", *(row[-1] for row in rows)]
    for index, (row, name) in enumerate(zip(cells, names, strict=True)):
        terminal.echo("  ".join([*row, name]), bold=not index)


def _forest(function: str, paths: tuple[str, ...]) -> Forest:
    from functrace.analysis import fold, merge
    from functrace.analysis.function_filter import function_filter
    from functrace.analysis.requests.crossing import follow

    opened = trace_arguments.open_all(paths)
    matches = function_filter(opened, [function])
    if not any(matches(f) for trace in opened for f in trace.functions):
        raise similar_names.no_function_error(function, opened)
    followed, crossing = follow(opened)
    forest = merge([fold(trace) for trace in followed], crossing)
    trace_arguments.warn_of_damage((chains.trace, chains.damage) for chains in forest.chains)
    trace_arguments.warn_of_missing_joins(forest)
    return forest


def _stored_forest(place: str, query: StoreQuery, function: str) -> Forest:
    from functrace.cli.stored_functions import find_functions
    from functrace.rollup.stored_chains import functions_below, rows_of, stored_chains

    definitions = rows_of(query.definitions())
    matching = find_functions(place, definitions, function)
    rows = rows_of(query.chains(functions_below(definitions, matching)))
    return stored_chains(place, rows, definitions).forest()


def _roots(forest: Forest, function: str, notes: Notes) -> list[Callee]:
    import numpy as np

    from functrace.analysis.callee_trees import build_callee_trees
    from functrace.analysis.function_filter import function_filter

    matches = function_filter(forest.traces, [function])
    matching = [i for i, each in enumerate(forest.functions) if matches(each)]
    nodes = np.flatnonzero(np.isin(forest.function, matching) & (forest.calls > 0))
    if not len(nodes):
        raise FunctraceError(f"{function} was not called in this recording", *notes.sentences())
    return build_callee_trees(forest, nodes.tolist())


class _Tree:
    """The part of a tree that the options select, as text rows or as JSON."""

    def __init__(self, forest: Forest, depth: int, min_share: float) -> None:
        self._forest = forest
        self._names = layout.Names(forest.functions, forest.services)
        self._start = chain_text.start(forest)
        self._depth = depth
        self._min_share = min_share

    def rows(
        self, callee: Callee, root_total: int, level: int, caller: Callee | None = None
    ) -> Iterator[list[str]]:
        failed = callee.errors + callee.panics
        yield [
            units.share(callee.total, root_total),
            units.duration(callee.total),
            units.duration(callee.suspended) if callee.suspended else "",
            units.duration(callee.self),
            units.count(callee.calls),
            units.count(failed) if failed else "",
            units.count(callee.unfinished) if callee.unfinished else "",
            units.count(callee.partial) if callee.partial else "",
            "  " * level + self._name(callee, caller),
        ]
        shown, hidden = self._split(callee, root_total, level)
        for each in shown:
            yield from self.rows(each, root_total, level + 1, callee)
        if hidden:
            yield self._hidden_row(hidden, root_total, level + 1)

    def _hidden_row(self, hidden: list[Callee], root_total: int, level: int) -> list[str]:
        total = sum(each.total for each in hidden)
        calls = sum(each.calls for each in hidden)
        name = "  " * level + f"… {units.count(len(hidden))} more"
        share = units.share(total, root_total)
        return [share, units.duration(total), "", "", units.count(calls), "", "", "", name]

    def _split(
        self, callee: Callee, root_total: int, level: int
    ) -> tuple[list[Callee], list[Callee]]:
        """Split the callees of a function into those that are shown and those that are not."""
        shown: list[Callee] = []
        hidden: list[Callee] = []
        for each in callee.callees:
            large = 100 * each.total >= self._min_share * root_total or each.errors + each.panics
            large = large or (not each.calls and bool(each.callees))  # of a worker: see merge
            (shown if level < self._depth and large else hidden).append(each)
        return shown, hidden

    def _name(self, callee: Callee, caller: Callee | None) -> str:
        crosses = caller and self._direction(caller) and self._direction(callee)
        before = None if caller is None or crosses else caller.function
        service = chain_text.service_prefix(self._forest, callee.function, before)
        mark = f"{self._start} " if callee.started else ""
        name = f"{self._names[callee.function]}{' (recursive)' if callee.recursive else ''}"
        return f"{service}{mark}{name}"

    def _direction(self, callee: Callee) -> int:
        return self._forest.functions[callee.function].direction

    def as_json(self, callee: Callee, root_total: int, level: int) -> dict[str, Any]:
        from functrace.export import figures

        shown, hidden = self._split(callee, root_total, level)
        return {
            **figures.place_in(self._forest, callee.function),
            "started": callee.started,
            "recursive": callee.recursive,
            **figures.sums(callee),
            "partial": figures.partial(self._forest, callee),
            "share": callee.total / root_total if root_total else None,
            "callees": [self.as_json(each, root_total, level + 1) for each in shown],
            "more_callees": len(hidden),
        }
