"""The verb ``functrace record``: runs an instrumented program and keeps its trace."""

from __future__ import annotations

from typing import Any

import click

from functrace.cli import recording_options, shared_options
from functrace.cli.recording import record_variables, run_recorded
from functrace.cli.suggestions import suggest_run


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    options_metavar="[OPTIONS] --",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND...")
@recording_options.out(
    "Write traces to this folder or file NAME.ftrace.  [default: a new folder here]"
)
@recording_options.limits
@click.option(
    "--include", multiple=True, metavar="GLOB", help="Record only functions that match; repeatable."
)
@click.option(
    "--exclude",
    multiple=True,
    metavar="GLOB",
    help="Do not record functions that match; repeatable.",
)
@shared_options.quiet
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
