"""The verb ``functrace replay``: the calls of a trace in their order."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from functrace.cli import reading_options, renamed, shared_options, trace_arguments
from functrace.cli.render import budget_note, terminal
from functrace.errors import UsageError

if TYPE_CHECKING:
    from functrace.tracefile import Trace

_NOT_WITH_REQUEST = (
    "around",
    "errors",
    "exclude",
    "ids",
    "include",
    "merge",
    "min_duration",
    "since",
    "tree",
    "until",
)
_OPTIONS = {"ids": "track", "since": "from"}


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
    "--request",
    metavar="ID",
    help="Show one request in all processes; ID is its trace id, or service:number.",
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
    """Show the calls of a trace in their order, track by track, or a request in all processes.

    FUNC and GLOB are names such as store.Get, Get or 'main.*'. TRACE is a trace file or a
    folder of traces. TIME is 5us, 2ms or 1.5s; --from and --until count from the start of the
    trace. --json prints JSON Lines, as export --to jsonl does. Where requests go on in other
    processes, --around shows the requests that led to FUNC.
    """
    if flags["around"] and flags["errors"]:
        raise UsageError("--around and --errors cannot be combined")
    if flags["tree"] and flags["merge"]:
        raise UsageError("--tree and --merge cannot be combined: a tree shows one track at a time")
    _refuse_with_request(flags)
    from functrace.cli import replay_queries

    opened = trace_arguments.open_all(flags["traces"])
    is_about_requests = flags["request"] or _is_around_requests(flags, opened)
    if is_about_requests and _show_requests(opened, flags, as_json=as_json):
        return
    if as_json:
        terminal.write(replay_queries.json_lines(opened, flags))
        return
    terminal.paged(chain(replay_queries.lines(opened, flags), budget_note.lines(opened)))


def _refuse_with_request(flags: dict[str, Any]) -> None:
    if not flags["request"]:
        return
    for name in _NOT_WITH_REQUEST:
        if flags[name]:
            option = _OPTIONS.get(name, name.replace("_", "-"))
            raise UsageError(f"--request and --{option} cannot be combined")


def _is_around_requests(flags: dict[str, Any], opened: list[Trace]) -> bool:
    """Return whether ``--around`` alone is given, and the traces contain requests."""
    from functrace.analysis.requests import has_requests

    others = (name for name in _NOT_WITH_REQUEST if name != "around")
    return bool(flags["around"]) and not any(flags[n] for n in others) and has_requests(opened)


def _show_requests(opened: list[Trace], flags: dict[str, Any], *, as_json: bool) -> bool:
    """Show the requests that the options select; return whether there are any."""
    from functrace.cli import replay_requests

    notes: list[str] = []
    if flags["request"]:
        found, told = replay_requests.stories(opened, flags["request"])
    else:
        around = replay_requests.stories_around(opened, flags["around"])
        if around is None:
            return False
        found, told, notes = around
    if as_json:
        terminal.write(replay_requests.json_lines(found, told, flags["depth"]))
    else:
        shown = replay_requests.lines(found, told, flags["depth"])
        terminal.paged(chain(shown, budget_note.lines(opened)))
    for note in notes:
        terminal.echo(f"functrace: {note}", err=True, fg="yellow")
    return True
