"""A compacted store with the rollups of a fleet."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from functrace.rollup import parquet
from functrace.rollup.chain_ids import NO_PARENT, chain_id
from functrace.rollup.layout import new_file, partition_of
from functrace.rollup.store import Store
from tests.support.fleet import Changes, Fleet, Floats, Function, Ints, Plan, fleets

START_NS = 1_795_791_600_000_000_000  # 2026-11-27T15:00Z
_WRITTEN = START_NS + 3_600_000_000_000
_RELEASES = ("1.4", "1.5")
_DURATIONS = 48  # of a chain and instance, from which its histogram is made
_ROWS_OF_GROUP = 200_000


def write(place: Path, plan: Plan, *, changed: bool = True) -> Changes:
    """Write a store, and return what changed in the service shop.

    Args:
        place: an empty or missing folder.
        plan: what to write.
        changed: whether the second release changes anything.
    """
    several, changes = fleets(plan, changed=changed)
    for fleet in several:
        write_fleet(place, fleet)
    return changes


def write_apart(place: Path, plan: Plan) -> Changes:
    """Write a store in another process, so that this one stays small.

    On Linux, the peak memory of a program begins with that of the process that starts it.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(write, place, plan).result()


def write_fleet(place: Path, fleet: Fleet) -> None:
    """Add the rollups of the instances of a service to a store."""
    store = Store(str(place))
    partition = partition_of(fleet.service, START_NS)
    stored = new_file(partition, f"{len(fleet.functions):016x}", _WRITTEN, is_compacted=True)
    store.put(stored, {"processes": parquet.to_bytes(_processes(fleet)), "chains": b""})
    _write_chains(place / stored.path("chains"), fleet)


def _write_chains(path: Path, fleet: Fleet) -> None:
    ids = _ids(fleet.functions)
    order = sorted(range(len(ids)), key=lambda at: (fleet.functions[at].name, ids[at]))
    pending: list[Any] = []
    with pq.ParquetWriter(path, parquet.CHAINS, compression="zstd") as writer:
        for at in order:
            pending.append(_chain_table(fleet, at, ids))
            if sum(map(len, pending)) >= _ROWS_OF_GROUP:
                writer.write_table(pa.concat_tables(pending))
                pending = []
        if pending:
            writer.write_table(pa.concat_tables(pending))


def _ids(functions: Sequence[Function]) -> list[bytes]:
    ids: list[bytes] = []
    for each in functions:
        parent = ids[each.parent] if each.parent >= 0 else NO_PARENT
        ids.append(chain_id(parent, each.name, started=each.started))
    return ids


def _labels(fleet: Fleet, rows: Ints) -> dict[str, Any]:
    names = [f"{fleet.service}-{number}" for number in range(fleet.count)]
    recordings = [f"{number:016x}" for number in range(fleet.count)]
    instance = fleet.instance[rows]
    return {
        "release": pa.array(_RELEASES).take(pa.array(fleet.is_new[rows])),
        "instance": pa.array(names).take(pa.array(instance)),
        "host": pa.array(names).take(pa.array(instance)),
        "build": pa.repeat("", len(rows)),
        "recording": pa.array(recordings).take(pa.array(instance)),
        "written": pa.repeat(_WRITTEN, len(rows)),
        "window": pa.array(START_NS + fleet.window[rows] * 60_000_000_000).cast(
            parquet.CHAINS.field("window").type
        ),
        "window_s": pa.repeat(pa.scalar(60, pa.int32()), len(rows)),
    }


def _table(columns: dict[str, Any], schema: Any) -> Any:
    return pa.table({name: columns[name] for name in schema.names}, schema=schema)


def _processes(fleet: Fleet) -> Any:
    rows = np.arange(len(fleet.instance))
    empty = pa.array([[]] * len(rows), parquet.PROCESSES.field("demoted").type)
    columns = {
        **_labels(fleet, rows),
        "calls": sum(each.calls for each in fleet.figures),
        "failed": sum(each.failed for each in fleet.figures),
        "covered_s": np.full(len(rows), 60.0),
        "demoted": empty,
        "missing": empty,
    }
    return _table(columns, parquet.PROCESSES)


def _chain_table(fleet: Fleet, at: int, ids: list[bytes]) -> Any:
    function, figures = fleet.functions[at], fleet.figures[at]
    rows = np.flatnonzero(figures.calls)
    parent = ids[function.parent] if function.parent >= 0 else None
    calls, failed = figures.calls[rows], figures.failed[rows]
    fixed = {
        "chain": ids[at],
        "parent": parent,
        "function": function.name,
        "started": function.started,
        "panicked": 0,
        "unfinished": 0,
        "suspended_ns": 0,
        "errors_undercount": 0,
        "example_time": None,
        "example_trace": None,
        "example_track": None,
    }
    schema = parquet.CHAINS
    columns = {
        **_labels(fleet, rows),
        **{
            name: pa.repeat(pa.scalar(value, schema.field(name).type), len(rows))
            for name, value in fixed.items()
        },
        "calls": calls,
        "failed": failed,
        "total_ns": figures.total_ns[rows],
        "self_ns": figures.self_ns[rows],
        **_histograms(fleet.random, calls, fleet.typical_ns[at][rows], function.spread),
        "errors": _errors(failed, f"{function.name}: item # is locked"),
    }
    return _table(columns, schema)


def _histograms(
    random: np.random.Generator, calls: Ints, typical_ns: Floats, spread: float
) -> dict[str, Any]:
    """Return the columns of durations, which are as many as the calls and log-normal."""
    count = len(calls)
    drawn = np.exp(random.normal(0, spread, (count, _DURATIONS)))
    weights = calls[:, None] // _DURATIONS + (np.arange(_DURATIONS) < calls[:, None] % _DURATIONS)
    durations = np.maximum(drawn * typical_ns[:, None], 1).astype(np.int64)
    exponent = np.maximum(np.floor(np.log2(durations)).astype(np.int64) - 4, 0)
    bucket = np.where(
        durations < 32,
        durations,
        exponent * 32 + (durations >> np.maximum(exponent - 1, 0)) - 32,
    )
    used = weights > 0
    row = np.repeat(np.arange(count), _DURATIONS).reshape(count, _DURATIONS)
    keys, place = np.unique((row * 4096 + bucket)[used], return_inverse=True)
    sums = np.bincount(place, weights[used]).astype(np.int64)
    ends = np.searchsorted(keys, (np.arange(count) + 1) * 4096)
    offsets = pa.array(np.concatenate([[0], ends]).astype(np.int32))
    schema = parquet.CHAINS
    return {
        "min_ns": np.where(used, durations, 1 << 62).min(axis=1),
        "max_ns": np.where(used, durations, 0).max(axis=1),
        "bucket": pa.ListArray.from_arrays(
            offsets, pa.array(keys % 4096, pa.int32()), type=schema.field("bucket").type
        ),
        "bucket_calls": pa.ListArray.from_arrays(
            offsets, pa.array(sums, pa.int64()), type=schema.field("bucket_calls").type
        ),
    }


def _errors(failed: Ints, text: str) -> Any:
    rows = [
        [{"text": text, "panicked": False, "calls": calls}] if calls else []
        for calls in failed.tolist()
    ]
    return pa.array(rows, parquet.CHAINS.field("errors").type)
