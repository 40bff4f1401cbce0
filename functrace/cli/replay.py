"""The verb ``functrace replay``: the calls of a trace in their order."""

from __future__ import annotations

from itertools import chain
from typing import Any

import click

from functrace.cli import reading_options, renamed, shared_options, trace_arguments
from functrace.cli.render import budget_note, terminal
from functrace.errors import UsageError


@click.command()
@trace_arguments.argument
@click.option("--tree", is_flag=True, help="Show one line per call, with its duration first.")
@click.option("--merge", is_flag=True, help="Merge all tracks of a trace by time.")
@click.option(
    "--track",
    "ids",
    type=int,
    multiple=True,
    metavar="N",
    help="Show only the track with id N; repeatable.",
)
@click.option(
    "--from", "since", metavar="TIME", help="Show only calls that run at or after this time."
)
@click.option("--until", metavar="TIME", help="Show only calls that begin before this time.")
@click.option(
    "--around", metavar="FUNC", help="Show only calls of FUNC, with their callers and callees."
)
@click.option(
    "--context",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    metavar="N",
    help="With --around: also show the N preceding calls.",
)
@reading_options.errors("Show only failed calls and their callers.")
@reading_options.include
@reading_options.exclude
@reading_options.depth("Show only N levels of calls.")
@reading_options.min_duration("Show only calls that took TIME or longer.")
@shared_options.as_json
@shared_options.color
@renamed.refuse_options("replay")
def replay(as_json: bool, **flags: Any) -> None:
    """Show the calls of a trace in their order, track by track.

    FUNC and GLOB are names such as store.Get, Get or 'main.*'. TRACE is a trace file or a
    folder of traces. TIME is 5us, 2ms or 1.5s; --from and --until count from the start of the
    trace. --json prints JSON Lines, as export --to jsonl does.
    """
    if flags["around"] and flags["errors"]:
        raise UsageError("--around and --errors cannot be combined")
    if flags["tree"] and flags["merge"]:
        raise UsageError("--tree and --merge cannot be combined: a tree shows one track at a time")
    from functrace.cli import replay_queries

    opened = trace_arguments.open_all(flags["traces"])
    if as_json:
        terminal.write(replay_queries.json_lines(opened, flags))
        return
    terminal.paged(chain(replay_queries.lines(opened, flags), budget_note.lines(opened)))
