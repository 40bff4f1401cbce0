"""The verb ``functrace rollup``: folds traces into the chain tables of a store."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from functrace import extras, units
from functrace.cli import shared_options, trace_arguments
from functrace.cli.render import terminal

if TYPE_CHECKING:
    from functrace.rollup.rollup import Rollup
    from functrace.rollup.store import Store
    from functrace.tracefile import Trace


@dataclass(frozen=True)
class _Options:
    service: str
    release: str
    instance: str
    width_ns: int


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
@shared_options.as_json
@shared_options.color
def rollup(traces: tuple[str, ...], out: str, window: str, as_json: bool, **labels: Any) -> None:
    """Fold traces into chain tables, a window of a minute each, and add them to a store.

    A trace that is in the store already replaces what is there. TRACE is a trace file or a folder
    of traces.
    """
    extras.require("pyarrow", "parquet", "functrace rollup")
    from functrace.rollup.store import Store
    from functrace.rollup.windows import parse_width_ns

    options = _Options(width_ns=parse_width_ns(window), **labels)
    store = Store(out)
    rows = []
    for trace in _distinct(trace_arguments.open_all(traces)):
        rows += _add(store, trace, options)
    if as_json:
        terminal.print_json({"store": out, "rollups": rows})
        return
    for row in rows:
        terminal.echo(_line(row))


def _distinct(traces: list[Trace]) -> list[Trace]:
    """Return traces without copies of others; of these, the longest one stays."""
    from functrace.rollup.labels import recording_id

    chosen: dict[str, Trace] = {}
    for trace in traces:
        recording = recording_id(trace)
        other = chosen.setdefault(recording, trace)
        if other is not trace:
            shorter, longer = sorted((other, trace), key=lambda each: each.span[1])
            chosen[recording] = longer
            sentence = f"left out: {longer.path} is a longer trace of the same recording"
            terminal.echo(f"functrace: {shorter.path}: {sentence}", err=True, fg="yellow")
    return list(chosen.values())


def _add(store: Store, trace: Trace, options: _Options) -> list[dict[str, Any]]:
    """Store the rollups of a trace, and return a description of each."""
    from functrace.rollup.from_trace import rollups_of
    from functrace.rollup.labels import labels_of

    labels = labels_of(
        trace, service=options.service, release=options.release, instance=options.instance
    )
    found = []
    for each in rollups_of(trace, labels, options.width_ns):
        stored = store.write(each, time.time_ns())
        found.append(_describe(each, str(trace.path), stored.partition.hour))
    return found


def _describe(rollup: Rollup, trace: str, hour: str) -> dict[str, Any]:
    return {
        "trace": trace,
        "service": rollup.labels.service,
        "release": rollup.labels.release,
        "instance": rollup.labels.instance,
        "hour": hour,
        "window_count": len(rollup.coverage),
        "chain_count": len({chain for _, chain in rollup.figures}),
        "calls": sum(figures.calls for figures in rollup.figures.values()),
        "failed": sum(figures.failed for figures in rollup.figures.values()),
    }


def _line(row: dict[str, Any]) -> str:
    release = f"@{row['release']}" if row["release"] else ""
    counts = (
        units.several(row["window_count"], "window"),
        units.several(row["chain_count"], "chain"),
        units.several(row["calls"], "call"),
    )
    return f"{row['service']}{release} {row['instance']} {row['hour']}: {', '.join(counts)}"
