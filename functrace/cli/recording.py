"""What functrace record and run --record do: run a command, keep its trace, tell what is in it.

What is not needed before the command runs is loaded when it has ended.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from functrace import units
from functrace.errors import UsageError
from functrace.recording.output_paths import Destination, destination
from functrace.recording.process import Outcome, run

_SIZE = re.compile(r"[1-9]\d*[KMG]?")


def keep(
    verb: str,
    command: Sequence[str],
    *,
    program: str,
    out: str | None,
    given: dict[str, str],
    none: Sequence[str],
    advice: str = "",
    quiet: bool,
) -> Outcome:
    """Run ``command`` and tell what trace it left, on standard error.

    Args:
        verb: of functrace, which tells it.
        command: what to run.
        program: after what the trace's folder is called.
        out: the trace's folder or file.
        given: what the command is to find in its environment besides.
        none: the lines that say why there is no trace.
        advice: what to run instead if it cannot be run.
        quiet: no summary.
    """
    with destination(out, program, datetime.now()) as place:
        done = run(command, {**given, "FUNCTRACE_OUT": place.pattern})
        found = place.traces()
        for trace in found if done.pid else ():
            _write_ending(trace, done)
    if not done.pid:
        _complain(
            f"cannot run {done.description};" if advice else f"cannot run {done.description}",
            advice,
        )
    elif not found:
        _complain("no trace: " + none[0], *none[1:])
    elif not quiet:
        _summary(verb, place, found, done)
    return done if found else replace(done, status=done.status or 1)


def _write_ending(trace: Path, done: Outcome) -> None:
    """Write the end of the process into a trace that it made."""
    from functrace.trace.ending import Ending, write_ending

    ending = Ending(None, done.signal) if done.signal else Ending(done.status, None)
    try:
        write_ending(trace, done.pid, ending)
    except OSError as error:
        _complain(f"cannot write how the process ended into {trace}: {error.strerror}")


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


def _complain(text: str, *more: str) -> None:
    from functrace.cli.render import terminal

    terminal.echo(f"functrace: {text}", err=True, fg="red")
    for line in filter(None, more):
        terminal.echo(f"  {line}", err=True, fg="red")


def _summary(verb: str, place: Destination, found: list[Path], done: Outcome) -> None:
    from functrace.cli.render import run_summary, terminal

    for line in run_summary.summary(verb, place.path, found, done.description):
        terminal.echo(line, err=True)
