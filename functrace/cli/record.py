"""functrace record: run an instrumented program and keep its trace."""

from __future__ import annotations

from typing import Any

import click

from functrace.cli.recording import keep, variables
from functrace.cli.suggestions import run_instead


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
    instead = run_instead(command, "--record")
    advice = f"`{instead}` records a Python program"
    none = (
        f"neither {command[0]} nor what it ran is instrumented;",
        advice if instead else "build it with `functrace go build`, and record that",
    )
    done = keep(
        "record",
        command,
        program=command[0],
        out=out,
        given=variables(limits),
        none=none,
        advice=advice if instead else "",
        quiet=quiet,
    )
    ctx.exit(done.status)
