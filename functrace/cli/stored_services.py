"""List of the services of a store."""

from __future__ import annotations

from typing import Any

from functrace import units
from functrace.cli import report_notes
from functrace.cli.render import terminal
from functrace.cli.store_options import ChosenStore
from functrace.errors import FunctraceError
from functrace.runtime.escaping import escape
from functrace.text import layout

_TITLES = ("instances", "calls", "failed", "")


def show(store: ChosenStore, *, as_json: bool) -> None:
    """Print the selected services with their releases, instances and calls.

    Raises:
        FunctraceError: no rollup is selected, or a file of the store is damaged.
    """
    with report_notes.reading(store) as query:
        table, notes = report_notes.read_with_notes(query, query.service_figures)
        rows = table.to_pylist()
        if not rows:
            raise FunctraceError("no rollup is selected", *notes.sentences())
        if as_json:
            terminal.print_json({"services": list(map(_as_json, rows)), **notes.as_json()})
            return
        cells = layout.align([_TITLES, *map(_cells, rows)])
        names = ["service", *map(_name, rows)]
        for number, (row, name) in enumerate(zip(cells, names, strict=True)):
            terminal.echo("  ".join([*row, name]), bold=not number)
        terminal.echo()
        terminal.echo("which service calls which requires traces: a store has no joins of requests")
        notes.show()


def _cells(row: dict[str, Any]) -> list[str]:
    failed = units.share(row["failed"], row["calls"]) if row["failed"] else ""
    counts = [units.count(row[name]) for name in ("instances", "calls", "failed")]
    return [*counts, f"({failed})" if failed else ""]


def _name(row: dict[str, Any]) -> str:
    releases = ", ".join(escape(release) for release in row["releases"] if release)
    return escape(row["service"]) + (f" @ {releases}" if releases else "")


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": row["service"],
        "releases": row["releases"],
        "process_count": row["instances"],
        "calls": row["calls"],
        "failed": row["failed"],
    }
