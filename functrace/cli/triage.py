"""The verb ``functrace triage``: what is wrong in traces, on one screen."""

from __future__ import annotations

import click

from functrace.cli import reading_options, shared_options, trace_arguments
from functrace.cli.render import terminal

_DEFAULT_LIMIT = 2


@click.command()
@trace_arguments.argument
@reading_options.limit(f"{_DEFAULT_LIMIT} of each kind; all with --json")
@shared_options.as_json
@shared_options.color
def triage(traces: tuple[str, ...], limit: int | None, as_json: bool) -> None:
    """Show what failed, never ended, was slow or repeated, and what is missing, on one screen.

    Each entry ends with the command that shows more. TRACE is a trace file or a folder of traces;
    several traces are evaluated together.
    """
    from functrace.analysis.triage import triage as find
    from functrace.text import triage_json, triage_text

    found = find(trace_arguments.open_all(traces, should_warn=False))
    trace_arguments.warn_of_missing_joins(found.forest)
    if as_json:
        terminal.print_json(triage_json.report(found, traces, limit or 0))
        return
    shown = _DEFAULT_LIMIT if limit is None else limit
    for line in triage_text.page(found, traces, shown, terminal.width()):
        terminal.echo(line)
