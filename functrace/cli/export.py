"""The verb ``functrace export``: traces converted to formats of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from functrace.cli import (
    export_otlp,
    export_output,
    reading_options,
    recording_options,
    renamed,
    store_options,
)
from functrace.cli.export_store import export_store
from functrace.cli.render import budget_note
from functrace.cli.trace_arguments import open_all
from functrace.errors import FunctraceError, UsageError
from functrace.export import FORMATS, Format, load

if TYPE_CHECKING:
    from functrace.tracefile import Trace

_WEIGHTS = ("time", "calls", "errors")


@click.command()
@store_options.traces_or_store
@click.option("--to", type=click.Choice(tuple(FORMATS)), required=True, help="Write this format.")
@recording_options.out("Write to this file; - or none is standard output.")
@click.option(
    "--by",
    type=click.Choice(_WEIGHTS),
    help="folded, flamegraph: size frames by this.  [default: time]",
)
@click.option(
    "--against",
    metavar="SELECTION",
    help="flamegraph, --store: colour frames by the difference from a selection such as shop@1.4.",
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
    store = store_options.pop_store(traces, options)
    output_format = FORMATS[to]
    given = {name: value for name, value in options.items() if _is_given(value)}
    for name in given.keys() - set(output_format.options):
        raise UsageError(f"--{name.replace('_', '-')} does not apply to --to {to}")
    if store is None and "against" in given:
        raise UsageError("--against requires --store")
    if store is not None:
        export_store(store, to, out, given)
    elif output_format.sends or (output_format.posts and "endpoint" in given):
        _send(traces, to, out, given)
    elif (number := export_output.stream_number(out)) is not None:
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


def _print(
    paths: tuple[str, ...], to: str, output_format: Format, options: dict[str, Any], number: int
) -> None:
    opened: list[Trace] = []

    def write(stream: BinaryIO) -> None:
        opened.extend(open_all(paths))
        load(to).write(opened, stream, **_keywords(output_format, opened, options))

    export_output.to_stream(to, output_format, number, write)
    budget_note.warn(opened)


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
        export_output.summarize(out, output_format, size)
    else:
        keywords = _keywords(output_format, opened, options)
        export_output.to_file(
            out, output_format, lambda file: writer.write(opened, file, **keywords)
        )
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
