"""Merging of the rollups of many traces in a tree, each step of which leaves fewer rows."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from functrace import extras
from functrace.rollup import parquet
from functrace.rollup import query_sql as sql
from functrace.rollup.current_rows import choose
from functrace.rollup.folding import Files, Folded
from functrace.rollup.layout import TABLES, Partition, StoredFile, new_file
from functrace.rollup.rollup import HOUR_NS

_MEMORY = "1GB"
_ROWS = "rows_to_merge"


def current_files(several: Iterable[Folded]) -> dict[str, set[StoredFile]]:
    """Return the files that count, grouped by the place of their trace.

    Of the traces of a recording, the longest one with calls in an hour counts.
    """
    places = {file: folded.place for folded in several for file, _ in folded.files}
    partitions: defaultdict[Partition, list[StoredFile]] = defaultdict(list)
    for file in places:
        partitions[file.partition].append(file)
    found: defaultdict[str, set[StoredFile]] = defaultdict(set)
    for files in partitions.values():
        chosen = choose((file, file.recording, file.written) for file in files)
        for file in files:
            if chosen[file.recording] == (file.name, file.written):
                found[places[file]].add(file)
    return dict(found)


def without_contents(folded: Folded) -> Folded:
    """Return a folded trace with the names of its files only."""
    return replace(folded, files=tuple((file, {}) for file, _ in folded.files))


def files_of(folded: Folded, names: Collection[StoredFile]) -> Files:
    """Return some of the files of a trace."""
    return tuple((file, contents) for file, contents in folded.files if file in names)


def merge(*several: Files) -> Files:
    """Return a file for each service: processes one after the other, chains merged by id."""
    services: defaultdict[str, list[tuple[StoredFile, dict[str, bytes]]]] = defaultdict(list)
    for files in several:
        for file, contents in files:
            services[file.partition.service].append((file, contents))
    return tuple(each[0] if len(each) == 1 else _merged(each) for each in services.values())


def _merged(files: Sequence[tuple[StoredFile, dict[str, bytes]]]) -> Any:
    processes, chains = (
        pa.concat_tables(
            parquet.from_bytes(contents[table], table, file.path(table)) for file, contents in files
        )
        for table in TABLES
    )
    written = max(file.written for file, _ in files)
    contents = {
        "processes": parquet.to_bytes(processes),
        "chains": parquet.to_bytes(_merged_chains(chains, written)),
    }
    partition = min((file.partition for file, _ in files), key=lambda each: each.hour)
    name = hashlib.sha256(contents["chains"]).hexdigest()[:16]
    return new_file(partition, name, written, is_compacted=True), contents


def _merged_chains(rows: pa.Table, written: int) -> pa.Table:
    """Return a row for each chain, without labels."""
    extras.require("duckdb", "store", "merging on a cluster")
    import duckdb

    query = sql.chains(None)
    with duckdb.connect(config={"memory_limit": _MEMORY}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register(_ROWS, rows)
        found = connection.sql(sql.over_table(query, _ROWS)).to_arrow_table().cast(query.schema)
    fixed = {
        **dict.fromkeys(("release", "instance", "host", "build", "recording"), ""),
        "written": written,
        "window": pc.min(rows["window"]),
        "window_s": HOUR_NS // 1_000_000_000,
    }
    columns = [
        pa.repeat(pa.scalar(fixed[field.name], field.type), len(found))
        if field.name in fixed
        else found[field.name]
        for field in parquet.CHAINS
    ]
    return pa.table(columns, schema=parquet.CHAINS)
