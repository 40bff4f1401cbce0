"""The verb ``functrace dump``: a copy of the ring of a running process."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from functrace import units
from functrace.cli.render import terminal
from functrace.errors import FunctraceError


@click.command()
@click.argument("process", type=click.Path(), metavar="PROCESS")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="PATH",
    help="Write to this file.",
)
def dump(process: str, out: Path) -> None:
    """Copy the latest calls of a program that runs with FUNCTRACE=ring.

    PROCESS is a process id or a program name. The program is not stopped. The copy is a trace of
    one instant, which all verbs read.
    """
    from functrace.tracefile import copy_ring, find_trace_files  # late: it loads numpy

    files = find_trace_files(process)
    if len(files) > 1:
        raise FunctraceError(f"{process}: {len(files)} traces; name one")
    if out.exists() and out.samefile(files[0]):
        raise FunctraceError(f"output file {out} is the ring; choose another with -o")
    began = time.monotonic_ns()
    data = copy_ring(files[0])
    took = time.monotonic_ns() - began
    try:
        with open(out, "wb", opener=_open_private) as file:
            file.write(data)
    except OSError as error:
        raise FunctraceError(f"{out}: {error.strerror}") from None
    summary = f"{out}: {units.size(len(data))} of {files[0].name}, copied in {units.duration(took)}"
    terminal.echo(f"functrace dump: {summary}", err=True)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
