"""The verb ``functrace rollup``: folds traces into the chain tables of a store."""

from __future__ import annotations

from typing import Any

import click

from functrace import extras, units
from functrace.cli import folding, shared_options, trace_arguments
from functrace.cli.render import terminal


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
@folding.dask
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
    with folding.folded_all(traces, options, out, dask) as found:
        rows = [row for folded in found for row in folded.rows]
        if as_json:
            terminal.print_json({"store": out, "rollups": rows})
            return
        for row in rows:
            terminal.echo(_line(row))


def _line(row: dict[str, Any]) -> str:
    release = f"@{row['release']}" if row["release"] else ""
    counts = (
        units.several(row["window_count"], "window"),
        units.several(row["chain_count"], "chain"),
        units.several(row["calls"], "call"),
    )
    return f"{row['service']}{release} {row['instance']} {row['hour']}: {', '.join(counts)}"
