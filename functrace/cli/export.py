"""functrace export: a trace in a format that other programs read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from functrace.cli import traces
from functrace.errors import FunctraceError

if TYPE_CHECKING:
    from functrace.trace import Trace

# As functrace.export has them, which is not loaded to say so.
FORMATS = ("jsonl",)


@click.command()
@click.argument("trace", type=click.Path(), metavar="TRACE")
@click.option("--to", type=click.Choice(FORMATS), required=True, help="The format.")
@click.option("-o", "--out", type=click.Path(), metavar="FILE", help="Not to standard output.")
def export(trace: str, to: str, out: str | None) -> None:
    """Write a trace in a format that other programs read.

    jsonl has a JSON object on each line: the process, then its tracks, then its calls.
    """
    from functrace.export import pieces

    opened = _only(trace)
    if out is None or out == "-":
        sys.stdout.buffer.writelines(pieces(opened, to))
        return
    if Path(out).exists() and Path(out).samefile(opened.path):
        raise FunctraceError(f"{out} is the trace itself")
    with open(out, "wb") as file:
        file.writelines(pieces(opened, to))


def _only(path: str) -> Trace:
    opened = traces.open_all([path])
    if len(opened) > 1:
        raise FunctraceError(f"{path}: {len(opened)} traces; export one of them")
    return opened[0]
