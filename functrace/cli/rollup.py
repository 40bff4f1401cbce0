"""The verb ``functrace rollup``: folds traces into the chain tables of a store."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from functrace import extras, units
from functrace.cli import shared_options, trace_arguments
from functrace.cli.render import terminal
from functrace.cli.render.progress import counter
from functrace.errors import FunctraceError
from functrace.object_stores import is_url

if TYPE_CHECKING:
    from functrace.rollup.folding import Folded, FoldOptions


@click.command()
@trace_arguments.argument
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="STORE",
    help="Write to this folder or URL, such as s3://bucket/traces.",
)
@click.option(
    "--service",
    default="",
    metavar="NAME",
    help="Set the service.  [default: that of the process, or its program]",
)
@click.option(
    "--release",
    default="",
    metavar="NAME",
    help="Set the release.  [default: FUNCTRACE_RELEASE of the process]",
)
@click.option(
    "--instance",
    default="",
    metavar="NAME",
    help="Set the instance.  [default: the key of the process]",
)
@click.option(
    "--window",
    default="1m",
    show_default=True,
    metavar="TIME",
    help="Length of a window: whole seconds, of which an hour has a whole number.",
)
@click.option(
    "--dask",
    metavar="ADDRESS",
    help="Fold on the Dask cluster of this scheduler, such as tcp://scheduler:8786.",
)
@shared_options.as_json
@shared_options.color
def rollup(
    traces: tuple[str, ...], out: str, window: str, dask: str | None, as_json: bool, **labels: Any
) -> None:
    """Fold traces into chain tables, a window of a minute each, and add them to a store.

    A trace that is in the store already replaces what is there. TRACE is a trace file, a folder of
    traces, or a URL of these such as 's3://bucket/*.ftrace'.
    """
    extras.require("pyarrow", "parquet", "functrace rollup")
    from functrace.rollup.folding import FoldOptions
    from functrace.rollup.windows import parse_width_ns

    options = FoldOptions(width_ns=parse_width_ns(window), **labels)
    found = _fold_all(traces, options, out, dask)
    _report(found)
    rows = [row for folded in _distinct(found) for row in folded.rows]
    if as_json:
        terminal.print_json({"store": out, "rollups": rows})
        return
    for row in rows:
        terminal.echo(_line(row))


def _fold_all(
    traces: tuple[str, ...], options: FoldOptions, out: str, dask: str | None
) -> list[Folded]:
    """Fold traces, add them to the store, and return what became of each, in their order."""
    from functrace.rollup.cluster import fold_on_cluster
    from functrace.rollup.folding import fold_place
    from functrace.rollup.store import Store

    places = [place for trace in traces for place in _find(trace)]
    store, now = Store(out), time.time_ns()
    running: Iterable[Folded]
    if dask is None:
        running = (fold_place(place, options, out, now) for place in places)
    else:
        running = fold_on_cluster(dask, places, options, out, now)
    found = {}
    with counter("rolling up", len(places)) as show:
        for folded in running:
            for stored, contents in folded.files:
                store.replace(stored, contents)
            found[folded.place] = replace(folded, files=())
            show(len(found))
    return [found[place] for place in dict.fromkeys(places)]


def _find(trace: str) -> list[str]:
    """Return the paths or URLs of the traces that an argument names."""
    from functrace.remote_traces import find_urls
    from functrace.tracefile import find_trace_files

    return find_urls(trace) if is_url(trace) else list(map(str, find_trace_files(trace)))


def _report(found: list[Folded]) -> None:
    """Print what is wrong with traces.

    Raises:
        FunctraceError: none of them could be read.
    """
    errors = [folded.error for folded in found if folded.error]
    if len(errors) == len(found):
        raise FunctraceError(*errors)
    trace_arguments.report_unreadable(errors, len(found) - len(errors))
    for folded in found:
        for note in folded.notes:
            terminal.echo(f"functrace: {folded.place}: {note}", err=True, fg="yellow")


def _distinct(found: list[Folded]) -> list[Folded]:
    """Return traces without copies of others; of these, the longest one stays."""
    chosen: dict[str, Folded] = {}
    for folded in found:
        if folded.error:
            continue
        other = chosen.setdefault(folded.recording, folded)
        if other is not folded:
            shorter, longer = sorted((other, folded), key=lambda each: each.span_ns)
            chosen[folded.recording] = longer
            sentence = f"does not count: {longer.place} is a longer trace of the same recording"
            terminal.echo(f"functrace: {shorter.place}: {sentence}", err=True, fg="yellow")
    return list(chosen.values())


def _line(row: dict[str, Any]) -> str:
    release = f"@{row['release']}" if row["release"] else ""
    counts = (
        units.several(row["window_count"], "window"),
        units.several(row["chain_count"], "chain"),
        units.several(row["calls"], "call"),
    )
    return f"{row['service']}{release} {row['instance']} {row['hour']}: {', '.join(counts)}"
