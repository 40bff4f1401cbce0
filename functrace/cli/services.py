"""The verb ``functrace services``: which service calls which, and through which chains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from functrace.cli import (
    recording_options,
    shared_options,
    store_options,
    stored_services,
    trace_arguments,
)
from functrace.cli.render import budget_note, terminal
from functrace.errors import FunctraceError, UsageError

if TYPE_CHECKING:
    from functrace.tracefile import Trace


@click.command()
@store_options.traces_or_store
@click.option("--to", type=click.Choice(["dot", "svg"]), help="Write this format.")
@recording_options.out("With --to: write to this file; - or none is standard output.")
@shared_options.as_json
@shared_options.color
def services(
    traces: tuple[str, ...], to: str | None, out: str | None, as_json: bool, **flags: Any
) -> None:
    """Show which service calls which, and through which chains.

    Requests of all processes are joined by their headers. Below each edge are the chains that
    lead to its calls. TRACE is a trace file or a folder of traces. A store has no joins: with
    --store, its services are listed.
    """
    store = store_options.pop_store(traces, flags)
    if store is not None:
        if to:
            raise UsageError("--to requires traces: a store has no joins of requests")
        stored_services.show(store, as_json=as_json)
        return
    if as_json and to:
        raise UsageError("--json and --to cannot be combined")
    if out is not None and not to:
        raise UsageError("-o requires --to dot or --to svg")
    from functrace.analysis.requests.services import service_graph

    found = service_graph(trace_arguments.open_all(traces))
    if not found.services or not len(found.joined.rows):
        raise FunctraceError("no request was recorded", *budget_note.sentences(found.joined.traces))
    if as_json:
        from functrace.text import services_json

        terminal.print_json(services_json.report(found))
    elif to:
        from functrace.export import service_picture

        content = service_picture.FORMATS[to](found)
        _write(content, found.joined.traces, out)
        for note in found.notes:
            terminal.echo(f"functrace: {note}", err=True, fg="yellow")
    else:
        from functrace.cli.render import services_text

        services_text.show(found)
        budget_note.show(found.joined.traces)


def _write(content: str, traces: Sequence[Trace], out: str | None) -> None:
    if out in (None, "-"):
        terminal.write([content.encode()])
        return
    path = Path(str(out))
    opened = [trace.path for trace in traces]
    if path.exists() and any(path.samefile(each) for each in opened):
        raise FunctraceError(f"output file {path} is one of the traces; choose another with -o")
    path.write_text(content, encoding="utf-8")
    terminal.echo(f"functrace services: {path} written", err=True)
