"""The verb ``functrace store``: maintains a store of rollups."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import click

from functrace import extras, units
from functrace.cli import shared_options
from functrace.cli.render import terminal
from functrace.errors import FunctraceError

_MAX_AGE_S = 1000 * 365 * 86_400


@click.group(no_args_is_help=False)
def store() -> None:
    """Maintain a store that functrace rollup has written."""


@store.command()
@click.argument("place", metavar="STORE")
@click.option("--max-age", metavar="TIME", help="Remove hours that are older, such as 720h.")
@shared_options.as_json
@shared_options.color
def compact(place: str, max_age: str | None, as_json: bool) -> None:
    """Merge the small files of each service and hour. STORE is a folder or URL.

    Others may read and write the store at the same time. A compaction that is killed leaves every
    rollup readable; the next one finishes its work.
    """
    extras.require("pyarrow", "parquet", "functrace store compact")
    from functrace.rollup.store import Store

    age = None if max_age is None else _parse_age(max_age)
    opened = Store(place)
    opened.check_exists()
    rows, errors = _compact(opened, age)
    for error in errors:
        terminal.echo(f"functrace: {error}", err=True, fg="red")
    if as_json:
        terminal.print_json({"store": place, "compacted": rows})
    else:
        for row in rows:
            terminal.echo(_line(row))
        if not rows:
            terminal.echo("nothing to compact")
    if errors:
        raise FunctraceError(f"{units.several(len(errors), 'hour')} not compacted")


def _parse_age(text: str) -> timedelta:
    return timedelta(seconds=min(units.parse_duration(text) / 1e9, _MAX_AGE_S))


def _compact(store: Any, max_age: timedelta | None) -> tuple[list[dict[str, Any]], list[str]]:
    """Compact all partitions. Return a description of each, and what failed."""
    from functrace.rollup.compaction import compact as compact_partition

    rows, errors = [], []
    for partition in store.partitions():
        try:
            now = datetime.now(timezone.utc)
            done = compact_partition(store, partition, now=now, max_age=max_age)
        except FunctraceError as error:
            errors.append(str(error))
            continue
        if done is not None:
            rows.append(
                {
                    "service": partition.service,
                    "hour": partition.hour,
                    "files_before": done.files_before,
                    "files_after": done.files_after,
                    "rows": done.rows,
                    "size_bytes": done.size_bytes,
                }
            )
    return rows, errors


def _line(row: dict[str, Any]) -> str:
    files = units.several(row["files_before"], "file")
    if not row["files_after"]:
        return f"{row['service']} {row['hour']}: {files} removed"
    size = units.size(row["size_bytes"])
    return f"{row['service']} {row['hour']}: {files} into {row['files_after']}, {size}"
