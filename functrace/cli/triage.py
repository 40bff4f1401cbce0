"""The verb ``functrace triage``: what is wrong in traces, on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from functrace.cli import (
    reading_options,
    report_notes,
    shared_options,
    store_options,
    trace_arguments,
)
from functrace.cli.render import terminal

if TYPE_CHECKING:
    from functrace.analysis.triage import Triage
    from functrace.cli.report_notes import Notes
    from functrace.rollup.query import StoreQuery

_DEFAULT_LIMIT = 2


@click.command()
@store_options.traces_or_store
@reading_options.limit(f"{_DEFAULT_LIMIT} of each kind; all with --json")
@shared_options.as_json
@shared_options.color
def triage(traces: tuple[str, ...], limit: int | None, as_json: bool, **flags: Any) -> None:
    """Show what failed, never ended, was slow or repeated, and what is missing, on one screen.

    Each entry ends with the command that shows more. TRACE is a trace file or a folder of traces;
    several traces are evaluated together. A store has no single calls: with --store, what failed,
    was slow or recursive is shown.
    """
    store = store_options.pop_store(traces, flags)
    if store is not None:
        with report_notes.reading(store) as query:
            found, notes = report_notes.read_with_notes(
                query, lambda: _find_in_store(store.place, query)
            )
            _report(found, store.arguments, limit, notes, as_json=as_json)
        return
    found = _find(traces)
    _report(found, traces, limit, None, as_json=as_json)


def _report(
    found: Triage,
    arguments: Sequence[str],
    limit: int | None,
    notes: Notes | None,
    *,
    as_json: bool,
) -> None:
    """Print the findings, and the notes about a store; those about traces are findings."""
    from functrace.text import triage_json, triage_text

    if as_json:
        report = triage_json.report(found, arguments, limit or 0)
        terminal.print_json({**report, **(notes.as_json() if notes else {})})
        return
    shown = _DEFAULT_LIMIT if limit is None else limit
    for line in triage_text.page(found, arguments, shown, terminal.width()):
        terminal.echo(line)
    if notes:
        notes.show()


def _find(traces: tuple[str, ...]) -> Triage:
    from functrace.analysis.triage import triage as find

    found = find(trace_arguments.open_all(traces, should_warn=False))
    trace_arguments.warn_of_missing_joins(found.forest)
    return found


def _find_in_store(place: str, query: StoreQuery) -> Triage:
    from functrace.rollup.stored_chains import rows_of, stored_chains
    from functrace.rollup.stored_triage import stored_triage

    return stored_triage(stored_chains(place, rows_of(query.chains())))
