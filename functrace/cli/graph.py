"""functrace graph: what a function calls, as a tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from functrace import units
from functrace.cli import trace_arguments
from functrace.cli.render import chain_text, columns, coverage, terminal
from functrace.cli.trace_arguments import told_apart
from functrace.errors import FunctraceError
from functrace.globs import matching

if TYPE_CHECKING:
    from functrace.analysis.graph import Callee
    from functrace.analysis.merge import Forest

_TITLES = ("share", "total", "waiting", "self", "calls", "failed", "unfinished")
_DEEPEST = 200  # Python's own stack ends not far beyond


@click.command()
@click.argument("function", metavar="FUNC")
@trace_arguments.argument
@click.option(
    "--depth",
    type=click.IntRange(0, _DEEPEST, clamp=True),
    default=_DEEPEST,
    metavar="N",
    help="Only N levels.",
)
@click.option(
    "--min-share",
    type=click.FloatRange(0, 100),
    default=0.5,
    show_default=True,
    metavar="PERCENT",
    help="Only what takes so much of FUNC's time, or failed.",
)
@trace_arguments.as_json
def graph(function: str, traces: tuple[str, ...], as_json: bool, **flags: Any) -> None:
    """Show what FUNC calls as a tree, merged over all chains that lead to it.

    FUNC is a name such as store.Get, Get or 'main.*'. Several traces count as one, and a
    folder stands for the traces in it. A function on a track of its own is marked go, thread,
    task or started; it may take longer than what started it. Recursion is folded.
    """
    forest, roots = _roots(*told_apart(function, traces))
    shown = _Shown(forest, flags["depth"], flags["min_share"])
    if as_json:
        report = [shown.as_json(root, root.total, 0) for root in roots]
        terminal.print_json({"functions": report, **coverage.as_json(forest.traces)})
        return
    for number, root in enumerate(roots):
        if number:
            terminal.echo()
        _print(list(shown.rows(root, root.total, 0)))


def _print(rows: list[list[str]]) -> None:
    """Rows whose last cell is a name; under a title, but for columns without any text."""
    titles = [
        title if any(row[index] for row in rows) else "" for index, title in enumerate(_TITLES)
    ]
    cells = columns.aligned([titles, *(row[:-1] for row in rows)])
    names = ["function", *(row[-1] for row in rows)]
    for index, (row, name) in enumerate(zip(cells, names, strict=True)):
        terminal.echo("  ".join([*row, name]), bold=not index)


def _roots(function: str, paths: tuple[str, ...]) -> tuple[Forest, list[Callee]]:
    import numpy as np

    from functrace.analysis import fold, merge
    from functrace.analysis.graph import graph

    opened = trace_arguments.open_all(paths)
    is_meant = matching(function)
    if not any(is_meant(f.name) for trace in opened for f in trace.functions):
        raise columns.nothing(function, opened)
    forest = merge([fold(trace) for trace in opened])
    columns.warn((chains.trace, chains.damage) for chains in forest.chains)
    meant = [i for i, each in enumerate(forest.functions) if is_meant(each.name)]
    nodes = np.flatnonzero(np.isin(forest.function, meant) & (forest.calls > 0))
    if not len(nodes):
        raise FunctraceError(f"{function} was not called while this was recorded")
    return forest, graph(forest, nodes.tolist())


class _Shown:
    """The part of a tree that is asked for, as rows or for scripts."""

    def __init__(self, forest: Forest, depth: int, min_share: float) -> None:
        self._functions = forest.functions
        self._names = columns.Names(forest.functions)
        self._start = chain_text.start(forest)
        self._depth = depth
        self._min_share = min_share

    def rows(self, callee: Callee, whole: int, level: int) -> Iterator[list[str]]:
        failed = callee.errors + callee.panics
        yield [
            units.share(callee.total, whole),
            units.duration(callee.total),
            units.duration(callee.suspended) if callee.suspended else "",
            units.duration(callee.self),
            units.count(callee.calls),
            units.count(failed) if failed else "",
            units.count(callee.unfinished) if callee.unfinished else "",
            "  " * level + self._name(callee),
        ]
        kept, left = self._parted(callee, whole, level)
        for each in kept:
            yield from self.rows(each, whole, level + 1)
        if left:
            yield self._left(left, whole, level + 1)

    def _left(self, left: list[Callee], whole: int, level: int) -> list[str]:
        total = sum(each.total for each in left)
        calls = sum(each.calls for each in left)
        name = "  " * level + f"… {units.count(len(left))} more"
        share = units.share(total, whole)
        return [share, units.duration(total), "", "", units.count(calls), "", "", name]

    def _parted(self, callee: Callee, whole: int, level: int) -> tuple[list[Callee], list[Callee]]:
        """What a function calls: that which is shown, and the rest."""
        kept: list[Callee] = []
        left: list[Callee] = []
        for each in callee.callees:
            large = 100 * each.total >= self._min_share * whole or each.errors + each.panics
            (kept if level < self._depth and large else left).append(each)
        return kept, left

    def _name(self, callee: Callee) -> str:
        mark = f"{self._start} " if callee.started else ""
        return f"{mark}{self._names[callee.function]}{' (recursive)' if callee.recursive else ''}"

    def as_json(self, callee: Callee, whole: int, level: int) -> dict[str, Any]:
        function = self._functions[callee.function]
        kept, left = self._parted(callee, whole, level)
        return {
            "name": function.name,
            "file": function.file,
            "line": function.line,
            "started": callee.started,
            "recursive": callee.recursive,
            **callee.as_json(),
            "share": callee.total / whole if whole else None,
            "callees": [self.as_json(each, whole, level + 1) for each in kept],
            "more_callees": len(left),
        }
