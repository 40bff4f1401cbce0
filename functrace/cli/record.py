"""The verb ``functrace record``: runs an instrumented program and keeps its trace."""

from __future__ import annotations

from typing import Any

import click

from functrace.cli.recording import record_variables, run_recorded
from functrace.cli.suggestions import suggest_run


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
    help="Write traces to this folder or file NAME.ftrace.  [default: a new folder here]",
)
@click.option("--max-size", metavar="SIZE", help="Limit the size of a trace: 500M, 2G.")
@click.option(
    "--overwrite", is_flag=True, help="When the trace is full, overwrite the oldest calls."
)
@click.option(
    "--min-duration",
    metavar="TIME",
    help="Record only calls that take TIME or longer, such as 5us.",
)
@click.option(
    "--depth", type=click.IntRange(min=1), metavar="N", help="Record only N levels of calls."
)
@click.option("--include", multiple=True, metavar="GLOB", help="Record only functions that match.")
@click.option(
    "--exclude", multiple=True, metavar="GLOB", help="Do not record functions that match."
)
@click.option("-q", "--quiet", is_flag=True, help="Do not print a summary.")
@click.pass_context
def record(
    ctx: click.Context, /, command: tuple[str, ...], out: str | None, quiet: bool, **limits: Any
) -> None:
    """Run COMMAND, an instrumented program, and keep the trace of its calls.

    Build the program with `functrace go build`. Its input, output and exit status are passed
    through; a summary of the trace is printed on standard error. Instrumented processes that
    it starts write traces of their own.
    """
    instead = suggest_run(command, "--record")
    advice = f"`{instead}` records a Python program"
    no_trace_lines = (
        f"neither {command[0]} nor a program that it started is instrumented;",
        advice if instead else "build it with `functrace go build` and record the result",
    )
    done = run_recorded(
        "record",
        command,
        program=command[0],
        out=out,
        variables=record_variables(limits),
        no_trace_lines=no_trace_lines,
        advice=advice if instead else "",
        quiet=quiet,
    )
    ctx.exit(done.status)
