"""functrace export: traces in a format that other programs read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from functrace import units
from functrace.cli import export_otlp, trace_arguments
from functrace.cli.render import terminal
from functrace.cli.trace_arguments import open_all
from functrace.errors import FunctraceError, UsageError
from functrace.export import FORMATS, Format, load
from functrace.runtime.output_path import descriptor_of

if TYPE_CHECKING:
    from functrace.trace import Trace

_STDOUT = 1
_WEIGHTS = ("time", "calls", "errors")


@click.command()
@trace_arguments.argument
@click.option("--to", type=click.Choice(tuple(FORMATS)), required=True, help="The format.")
@click.option(
    "-o", "--out", metavar="FILE", help="Where to; standard output if not given, or with -."
)
@click.option(
    "--by",
    type=click.Choice(_WEIGHTS),
    help="What counts in folded and flamegraph: time if not given.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help="dot and svg show so many functions, 80 if not given; 0 shows all.",
)
@export_otlp.options
def export(traces: tuple[str, ...], to: str, out: str | None, **options: Any) -> None:
    """Write traces in a format that other programs read. A folder stands for the traces in it.

    \b
    every call    jsonl, perfetto, chrome, speedscope, firefox; parquet, a folder of tables
    chains        json, folded, flamegraph, pprof
    functions     dot, svg: the call graph
    spans         otlp, sent to an OpenTelemetry collector: docs/otlp.md
    """
    wanted = FORMATS[to]
    given = {name: value for name, value in options.items() if _is_given(value)}
    for name in given.keys() - set(wanted.options):
        raise UsageError(f"--{name} says nothing to {to}")
    if wanted.sends:
        _send(traces, to, out, given)
    elif (number := _stream(out)) is not None:
        _print(traces, to, wanted, given, number)
    else:
        _save(traces, to, wanted, Path(str(out)), given)


def _is_given(value: Any) -> bool:
    return value is not None and value is not False and value != ()


def _send(paths: tuple[str, ...], to: str, out: str | None, given: dict[str, Any]) -> None:
    if out is not None:
        raise UsageError(f"{to} is sent: -o says nothing to it, --endpoint does")
    load(to)
    export_otlp.send(paths, given)


def _stream(out: str | None) -> int | None:
    """Return the descriptor to write to; to open its path would truncate the file behind it."""
    return _STDOUT if out in (None, "-") else descriptor_of(str(out))


def _print(
    paths: tuple[str, ...], to: str, wanted: Format, options: dict[str, Any], number: int
) -> None:
    if wanted.folder:
        raise UsageError(f"{to} is a folder: name one with -o, such as -o trace{wanted.suffix}")
    if wanted.binary and os.isatty(number):
        raise UsageError(
            f"{to} is nothing for a terminal: name a file with -o, such as"
            f" -o trace{wanted.suffix}, or pipe it"
        )
    stream = _opened(number)
    load(to).write(open_all(paths), stream, **options)
    stream.flush()


def _opened(number: int) -> BinaryIO:
    try:
        return terminal.stream(number)
    except OSError as error:
        raise FunctraceError(f"-o /dev/fd/{number}: {error.strerror}") from None


def _save(
    paths: tuple[str, ...], to: str, wanted: Format, out: Path, options: dict[str, Any]
) -> None:
    writer = load(to)
    opened = open_all(paths)
    _check(out, opened, wanted)
    if wanted.folder:
        out.mkdir(exist_ok=True)
        writer.write(opened, out, **options)
        size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    else:
        with _kept_if_whole(out), out.open("wb") as file:
            writer.write(opened, file, **options)
        size = out.stat().st_size
    told = f"functrace export: {out}: {units.size(size)}; opens in {wanted.opens_in}"
    terminal.echo(told, err=True)


def _check(out: Path, opened: list[Trace], wanted: Format) -> None:
    if out.exists() and any(out.samefile(trace.path) for trace in opened):
        raise FunctraceError(f"{out} is a trace that is to be exported")
    if wanted.folder and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FunctraceError(f"{out} is there already, and no empty folder")


@contextmanager
def _kept_if_whole(out: Path) -> Iterator[None]:
    """Leaves no half of a file; what is no file, such as a pipe, is left alone."""
    try:
        yield
    except BaseException:
        if out.is_file() and not out.is_symlink():
            out.unlink()
        raise
