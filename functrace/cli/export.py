"""functrace export: traces in a format that other programs read."""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path

import click

from functrace.cli import traces
from functrace.cli.traces import open_all
from functrace.errors import FunctraceError

# As functrace.export has them, which is not loaded to say so.
FORMATS = ("jsonl",)


@click.command()
@traces.argument
@click.option("--to", type=click.Choice(FORMATS), required=True, help="The format.")
@click.option("-o", "--out", type=click.Path(), metavar="FILE", help="Not to standard output.")
def export(traces: tuple[str, ...], to: str, out: str | None) -> None:
    """Write traces in a format that other programs read. A folder stands for the traces in it.

    jsonl has a JSON object on each line: a process, then its tracks, then its calls.
    """
    from functrace.export import pieces

    opened = open_all(traces)
    content = chain.from_iterable(pieces(trace, to) for trace in opened)
    if out is None or out == "-":
        sys.stdout.buffer.writelines(content)
        return
    if Path(out).exists() and any(Path(out).samefile(trace.path) for trace in opened):
        raise FunctraceError(f"{out} is a trace that is to be exported")
    with open(out, "wb") as file:
        file.writelines(content)
