"""functrace record: run an instrumented program and keep its trace."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from functrace.cli import units
from functrace.errors import UsageError
from functrace.recording.destination import Destination, destination
from functrace.recording.run import Outcome, run

_SIZE = re.compile(r"[1-9]\d*[KMG]?")


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    options_metavar="[OPTIONS] --",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND...")
@click.option(
    "-o",
    "--out",
    type=click.Path(),
    metavar="PATH",
    help="A folder for the traces, or a file NAME.ftrace; by default a new folder here.",
)
@click.option("--max-size", metavar="SIZE", help="Bytes that a trace may have: 500M, 2G.")
@click.option("--overwrite", is_flag=True, help="When it is full, go on over the oldest calls.")
@click.option("--min-duration", metavar="TIME", help="Only calls that take so long, such as 5us.")
@click.option("--depth", type=click.IntRange(min=1), metavar="N", help="Only N levels of calls.")
@click.option("--include", multiple=True, metavar="GLOB", help="Only functions that match.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="No functions that match.")
@click.option("-q", "--quiet", is_flag=True, help="No summary.")
@click.pass_context
def record(
    ctx: click.Context, /, command: tuple[str, ...], out: str | None, quiet: bool, **limits: Any
) -> None:
    """Run COMMAND, an instrumented program, and keep the trace of its calls.

    Build it with `functrace go build`. Its input, output and exit status are its own;
    where the trace is, and what is in it, is told on standard error. Processes that
    it starts leave traces, too, if they are instrumented.
    """
    advice = (
        f"neither {command[0]} nor what it ran is instrumented;\n"
        "  build it with `functrace go build`, and record that"
    )
    done = keep(command, command[0], out, variables(limits), advice, quiet=quiet)
    ctx.exit(done.status)


def keep(
    command: Sequence[str],
    program: str,
    out: str | None,
    given: dict[str, str],
    advice: str,
    *,
    quiet: bool,
) -> Outcome:
    """Run ``command`` and tell what trace it left, on standard error.

    Args:
        command: what to run.
        program: after what the trace's folder is called.
        out: the trace's folder or file.
        given: what the command is to find in its environment besides.
        advice: what to say where no trace came.
        quiet: no summary.
    """
    with destination(out, program, datetime.now()) as place:
        done = run(command, {**given, "FUNCTRACE_OUT": place.pattern})
        found = place.traces()
    if not done.pid:
        click.secho(f"functrace: cannot run {done.ended}", err=True, fg="red")
    elif not found:
        click.secho(f"functrace: no trace: {advice}", err=True, fg="red")
    elif not quiet:
        _summary(place, found, done)
    return done if found else replace(done, status=done.status or 1)


def variables(limits: dict[str, Any]) -> dict[str, str]:
    """What the runtime is to find in its environment.

    Raises:
        UsageError: a limit makes no sense.
    """
    return {"FUNCTRACE": "record", **limiting(limits)}


def limiting(limits: dict[str, Any]) -> dict[str, str]:
    """The same without what there is to do."""
    if limits["max_size"] and not _SIZE.fullmatch(limits["max_size"]):
        raise UsageError(f"--max-size {limits['max_size']}: not a size such as 500M or 2G")
    if limits["min_duration"]:
        units.parse_duration(limits["min_duration"])
    given = {
        "FUNCTRACE_MAX_SIZE": limits["max_size"],
        "FUNCTRACE_FULL": "overwrite" if limits["overwrite"] else None,
        "FUNCTRACE_MIN_DURATION": limits["min_duration"],
        "FUNCTRACE_DEPTH": limits["depth"],
        "FUNCTRACE_INCLUDE": ",".join(map(_full_names, limits.get("include", ()))),
        "FUNCTRACE_EXCLUDE": ",".join(map(_full_names, limits.get("exclude", ()))),
    }
    return {name: str(value) for name, value in given.items() if value}


def _full_names(glob: str) -> str:
    """The runtime compares full names; here, as elsewhere, the end of one will do."""
    return f"{glob},*/{glob},*.{glob}"


def _summary(place: Destination, found: list[Path], done: Outcome) -> None:
    from functrace.cli import recorded

    for line in recorded.summary(place.path, found, done.ended):
        click.echo(line, err=True)
