"""The verb ``functrace export``: traces converted to formats of other programs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from functrace import units
from functrace.cli import (
    export_otlp,
    reading_options,
    recording_options,
    renamed,
    trace_arguments,
)
from functrace.cli.render import budget_note, terminal
from functrace.cli.trace_arguments import open_all
from functrace.errors import FunctraceError, UsageError
from functrace.export import FORMATS, Format, load
from functrace.runtime.output_path import descriptor_of

if TYPE_CHECKING:
    from functrace.tracefile import Trace

_STDOUT = 1
_WEIGHTS = ("time", "calls", "errors")


@click.command()
@trace_arguments.argument
@click.option("--to", type=click.Choice(tuple(FORMATS)), required=True, help="Write this format.")
@recording_options.out("Write to this file; - or none is standard output.")
@click.option(
    "--by",
    type=click.Choice(_WEIGHTS),
    help="folded, flamegraph: size frames by this.  [default: time]",
)
@reading_options.limit("80 functions", "dot, svg: ")
@export_otlp.options
@renamed.refuse_options("export")
def export(traces: tuple[str, ...], to: str, out: str | None, **options: Any) -> None:
    """Convert traces to a format that other programs read.

    TRACE is a trace file or a folder of traces.

    \b
    every call    jsonl, perfetto, chrome, speedscope, firefox; parquet (a folder of tables)
    chains        json, folded, flamegraph, pprof
    call graph    dot, svg
    spans         otlp: sent to an OpenTelemetry collector, see docs/otlp.md;
                  zipkin: written, or sent to a Zipkin server with --endpoint
    """
    output_format = FORMATS[to]
    given = {name: value for name, value in options.items() if _is_given(value)}
    for name in given.keys() - set(output_format.options):
        raise UsageError(f"--{name.replace('_', '-')} does not apply to --to {to}")
    if output_format.sends or (output_format.posts and "endpoint" in given):
        _send(traces, to, out, given)
    elif (number := _stream(out)) is not None:
        _print(traces, to, output_format, given, number)
    else:
        _save(traces, to, output_format, Path(str(out)), given)


def _is_given(value: Any) -> bool:
    return value is not None and value is not False and value != ()


def _send(paths: tuple[str, ...], to: str, out: str | None, given: dict[str, Any]) -> None:
    if out is not None:
        raise UsageError(f"-o does not apply to --to {to}, which sends spans; use --endpoint")
    load(to)
    export_otlp.send(paths, to, given)


def _keywords(
    output_format: Format, opened: list[Trace], options: dict[str, Any]
) -> dict[str, Any]:
    """Return the keyword arguments of ``write`` for options of the command line."""
    if not output_format.posts:
        return options
    if "resume" in options:
        raise UsageError("--resume requires --endpoint")
    return {"selection": export_otlp.parse_options(opened, options)}


def _stream(out: str | None) -> int | None:
    """Return the descriptor that ``out`` names, if any: opening its path would truncate it."""
    return _STDOUT if out in (None, "-") else descriptor_of(str(out))


def _print(
    paths: tuple[str, ...], to: str, output_format: Format, options: dict[str, Any], number: int
) -> None:
    if output_format.folder:
        raise UsageError(f"--to {to} writes a folder; name one: -o trace{output_format.suffix}")
    if output_format.binary and os.isatty(number):
        raise UsageError(
            f"refusing to write binary {to} output to a terminal;"
            f" use -o trace{output_format.suffix}, or a pipe"
        )
    stream = _open_stream(number)
    opened = open_all(paths)
    load(to).write(opened, stream, **_keywords(output_format, opened, options))
    stream.flush()
    budget_note.warn(opened)


def _open_stream(number: int) -> BinaryIO:
    try:
        return terminal.stream(number)
    except OSError as error:
        raise FunctraceError(f"-o /dev/fd/{number}: {error.strerror}") from None


def _save(
    paths: tuple[str, ...], to: str, output_format: Format, out: Path, options: dict[str, Any]
) -> None:
    writer = load(to)
    opened = open_all(paths)
    _check(out, opened, output_format)
    if output_format.folder:
        out.mkdir(exist_ok=True)
        writer.write(opened, out, **options)
        size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    else:
        with _remove_on_failure(out), out.open("wb") as file:
            writer.write(opened, file, **_keywords(output_format, opened, options))
        size = out.stat().st_size
    summary = f"functrace export: {out}: {units.size(size)}; opens in {output_format.opens_in}"
    terminal.echo(summary, err=True)
    budget_note.warn(opened)


def _check(out: Path, opened: list[Trace], output_format: Format) -> None:
    if out.exists() and any(out.samefile(trace.path) for trace in opened):
        raise FunctraceError(
            f"output file {out} is one of the traces to export; choose another with -o"
        )
    if output_format.folder and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FunctraceError(
            f"output {out} exists and is not an empty directory; choose another with -o"
        )


@contextmanager
def _remove_on_failure(out: Path) -> Iterator[None]:
    """Remove an incomplete regular file if writing it fails."""
    try:
        yield
    except BaseException:
        if out.is_file() and not out.is_symlink():
            out.unlink()
        raise
