"""functrace replay: the calls of a trace, as they happened."""

from __future__ import annotations

import sys
from typing import Any

import click

from functrace.cli import trace_arguments
from functrace.cli.render import terminal
from functrace.errors import UsageError


@click.command()
@trace_arguments.argument
@click.option("--tree", is_flag=True, help="A line for each call, with its time in front.")
@click.option("--merge", is_flag=True, help="All tracks as time went by, not one after the other.")
@click.option(
    "--track", "ids", type=int, multiple=True, metavar="N", help="Only goroutine N; repeatable."
)
@click.option(
    "--from", "since", metavar="TIME", help="Only calls that run so long after the start."
)
@click.option("--to", "until", metavar="TIME", help="Only calls that begin before that.")
@click.option("--around", metavar="FUNC", help="Only calls of FUNC, with those above and below.")
@click.option(
    "--context",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    metavar="N",
    help="With --around: so many calls just before.",
)
@click.option("--errors", is_flag=True, help="Only calls that failed, with those above.")
@click.option("--include", multiple=True, metavar="GLOB", help="Only functions that match.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="No functions that match.")
@click.option(
    "--depth", type=click.IntRange(min=1), default=sys.maxsize, metavar="N", help="Only N levels."
)
@click.option("--min-duration", metavar="TIME", help="Only calls that took so long.")
@trace_arguments.as_json
def replay(as_json: bool, **flags: Any) -> None:
    """Show the calls of a trace as they happened, track by track.

    FUNC and GLOB are names such as store.Get, Get or 'main.*'. TIME is 5us, 2ms or
    1.5s; --from and --to count from the trace's start. --json prints what export does.
    """
    if flags["around"] and flags["errors"]:
        raise UsageError("--around and --errors: one of them at a time")
    if flags["tree"] and flags["merge"]:
        raise UsageError("--tree and --merge: a tree shows one track after the other")
    from functrace.cli import replay_queries

    opened = trace_arguments.open_all(flags["traces"])
    if as_json:
        terminal.write(replay_queries.json_lines(opened, flags))
        return
    terminal.paged(replay_queries.lines(opened, flags))
