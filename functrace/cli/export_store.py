"""Export of the chains of a store, in the formats that have no single calls."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from functrace.cli import export_output, report_notes
from functrace.cli.compared_selections import parse_compared
from functrace.cli.store_options import ChosenStore
from functrace.errors import FunctraceError, UsageError
from functrace.export import FORMATS, load

if TYPE_CHECKING:
    from functrace.analysis import Chains
    from functrace.rollup.query import StoreQuery


def export_store(store: ChosenStore, to: str, out: str | None, options: dict[str, Any]) -> None:
    """Write the chains of each service, merged over processes and windows.

    Raises:
        UsageError: the format has single calls, which a store does not have.
        FunctraceError: no calls are selected, or a file of the store is damaged.
    """
    if not FORMATS[to].chains:
        formats = ", ".join(name for name, each in FORMATS.items() if each.chains)
        raise UsageError(
            f"--to {to} requires traces: a store has no single calls; --store allows {formats}"
        )
    against = options.pop("against", None)
    with ExitStack() as stack:
        query = stack.enter_context(report_notes.reading(store))
        if against is not None:
            other = stack.enter_context(report_notes.reading(_other(store, against)))
            options["before"] = _chains(other)
            if not options["before"]:
                raise FunctraceError(f"{store.place}: no instance matches {against}")
        found, notes = report_notes.read_with_notes(query, lambda: _chains(query))
        if not found:
            raise FunctraceError("no call was recorded", *notes.sentences())

        def write(stream: BinaryIO) -> None:
            load(to).write_chains(list(found), list(found.values()), stream, **options)

        number = export_output.stream_number(out)
        if number is not None:
            export_output.to_stream(to, FORMATS[to], number, write)
        else:
            export_output.to_file(Path(str(out)), FORMATS[to], write)
        notes.warn()


def _other(store: ChosenStore, text: str) -> ChosenStore:
    """Return another selection of a store, of the same time unless it has one of its own."""
    found = parse_compared(text, time.time_ns(), None, None)
    since_ns, until_ns = store.selection.since_ns, store.selection.until_ns
    selection = replace(
        found,
        since_ns=since_ns if found.since_ns is None else found.since_ns,
        until_ns=until_ns if found.until_ns is None else found.until_ns,
    )
    return replace(store, selection=selection)


def _chains(query: StoreQuery) -> dict[str, Chains]:
    """Return the chains of each service."""
    from functrace.rollup.stored_chains import rows_of, stored_chains

    rows: dict[str, list[dict[str, Any]]] = {}
    for row in rows_of(query.chains()):
        rows.setdefault(row["service"], []).append(row)
    return {service: stored_chains(service, own).chains for service, own in rows.items()}
