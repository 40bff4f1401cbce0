"""Runs a command, keeps its trace and prints a summary, for ``record`` and ``run --record``.

Modules that are needed only after the command are imported when it has ended.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from functrace import units
from functrace.errors import UsageError
from functrace.globs import parse_globs
from functrace.recording.output_paths import Destination, destination
from functrace.recording.process import Outcome, run
from functrace.runtime.environment import read_settings
from functrace.runtime.trace_file import check_size

_SIZE = re.compile(r"[1-9]\d*[KMG]?")


def run_recorded(
    verb: str,
    command: Sequence[str],
    *,
    program: str,
    out: str | None,
    variables: dict[str, str],
    no_trace_lines: Sequence[str],
    advice: str = "",
    quiet: bool,
) -> Outcome:
    """Run ``command`` and print a summary of its traces on standard error.

    Args:
        verb: the functrace verb to name in the summary.
        command: the command and its arguments.
        program: the name that the default output folder is derived from.
        out: folder or file for the traces.
        variables: environment variables to set for the command.
        no_trace_lines: the message to print if the command wrote no trace.
        advice: the message to print if the command cannot be run.
        quiet: whether to omit the summary.

    Raises:
        UsageError: the recorder of the command would refuse a variable of its environment.
    """
    _check_environment({**os.environ, **variables})
    with destination(out, program, datetime.now()) as place:
        done = run(command, {**variables, "FUNCTRACE_OUT": place.pattern})
        found = place.traces()
        for trace in found if done.pid else ():
            _write_ending(trace, done)
    if not done.pid:
        _print_error(
            f"cannot run {done.description};" if advice else f"cannot run {done.description}",
            advice,
        )
    elif not found:
        _print_error("no trace: " + no_trace_lines[0], *no_trace_lines[1:])
    elif not quiet:
        _summary(verb, place, found, done)
    return done if found else replace(done, status=done.status or 1)


def _check_environment(environment: dict[str, str]) -> None:
    try:
        check_size(read_settings(environment).max_size)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _write_ending(trace: Path, done: Outcome) -> None:
    """Write the exit status or signal of the process to a trace that it wrote."""
    from functrace.tracefile.ending import Ending, write_ending

    ending = Ending(None, done.signal) if done.signal else Ending(done.status, None)
    try:
        write_ending(trace, done.pid, ending)
    except OSError as error:
        _print_error(f"cannot write the exit status to {trace}: {error.strerror}")


def record_variables(limits: dict[str, Any]) -> dict[str, str]:
    """Return the environment variables that make the runtime record within ``limits``.

    Raises:
        UsageError: a limit is invalid.
    """
    return {"FUNCTRACE": "record", **limit_variables(limits)}


def limit_variables(limits: dict[str, Any]) -> dict[str, str]:
    """Return the environment variables for ``limits`` alone."""
    if limits["max_size"] and not _SIZE.fullmatch(limits["max_size"]):
        raise UsageError(f"--max-size {limits['max_size']}: not a size such as 500M or 2G")
    if limits["min_duration"]:
        units.parse_duration(limits["min_duration"])
    variables = {
        "FUNCTRACE_MAX_SIZE": limits["max_size"],
        "FUNCTRACE_FULL": "overwrite" if limits["overwrite"] else None,
        "FUNCTRACE_MIN_DURATION": limits["min_duration"],
        "FUNCTRACE_DEPTH": limits["depth"],
        "FUNCTRACE_INCLUDE": ",".join(parse_globs(limits.get("include", ()), "--include")),
        "FUNCTRACE_EXCLUDE": ",".join(parse_globs(limits.get("exclude", ()), "--exclude")),
    }
    return {name: str(value) for name, value in variables.items() if value}


def _print_error(text: str, *more: str) -> None:
    from functrace.cli.render import terminal

    terminal.echo(f"functrace: {text}", err=True, fg="red")
    for line in filter(None, more):
        terminal.echo(f"  {line}", err=True, fg="red")


def _summary(verb: str, place: Destination, found: list[Path], done: Outcome) -> None:
    from functrace.cli.render import run_summary, terminal

    for line in run_summary.summary(verb, place.path, found, done.description):
        terminal.echo(line, err=True)
