"""Choice of the rows of a partition that count: the latest rollup of each recording, once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from functrace.rollup.layout import StoredFile

Tables = dict[str, Any]


def current_rows(
    files: Iterable[tuple[StoredFile, Tables]],
) -> Iterator[tuple[StoredFile, Tables]]:
    """Yield files with those of their rows that count.

    The latest rollup of a recording counts. A compaction that was interrupted leaves it in two
    files: the compacted one counts.
    """
    read = list(files)
    chosen = choose(
        (file, recording, written)
        for file, tables in read
        for recording, written in _recordings(tables)
    )
    for file, tables in read:
        versions = {
            recording: written
            for recording, written in _recordings(tables)
            if chosen[recording] == (file.name, written)
        }
        yield file, {name: _chosen(table, versions) for name, table in tables.items()}


def choose(rollups: Iterable[tuple[StoredFile, str, int]]) -> dict[str, tuple[str, int]]:
    """Return the name of the file and the time of writing of the rollup that counts, by recording.

    Args:
        rollups: the file, the recording and the time of writing of each rollup of a partition.
    """
    chosen: dict[str, tuple[int, bool, str]] = {}
    for file, recording, written in rollups:
        rank = (written, file.is_compacted, file.name)
        chosen[recording] = max(rank, chosen.get(recording, rank))
    return {recording: (name, written) for recording, (written, _, name) in chosen.items()}


def _recordings(tables: Tables) -> list[tuple[str, int]]:
    """Return the recordings of a file, with the times at which their rollups were written."""
    table = tables["processes"].select(["recording", "written"])
    distinct = table.group_by(["recording", "written"]).aggregate([])
    columns = (distinct["recording"].to_pylist(), distinct["written"].to_pylist())
    return list(zip(*columns, strict=True))


def _chosen(table: pa.Table, versions: dict[str, int]) -> pa.Table:
    keys = pa.array(list(versions), pa.string())
    place = pc.index_in(table["recording"], keys)
    written = pc.take(pa.array(list(versions.values()), pa.int64()), place)
    return table.filter(pc.equal(table["written"], written))
