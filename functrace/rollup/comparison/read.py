"""Reading of both sides of a comparison from a store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from functrace.errors import FunctraceError
from functrace.rollup.comparison.difference import MIN_UNITS
from functrace.rollup.comparison.sides import ChainTree, Side, chain_tree, sums_of
from functrace.rollup.comparison.unit_figures import Int64s, UnitFigures, UnitRows, add_rows, empty
from functrace.rollup.query import StoreQuery
from functrace.units import several

_MAX_ROWS = 200_000  # that are in memory at a time, with their histograms
_MAX_CELLS = 50_000_000  # of a chain and a unit each, on both sides together: 24 bytes each


@dataclass(frozen=True, eq=False)
class Read:
    """Chains and figures of both sides.

    Attributes:
        tree: chains of both sides.
        before: figures of the first side.
        after: figures of the second side.
        instances: number of instances of each side.
        unit: what is compared: "instance" or "window".
        is_enough: whether units tell a change from chance: five instances or more on each side, or
            as many windows of the same instances.
    """

    tree: ChainTree
    before: Side
    after: Side
    instances: tuple[int, int]
    unit: str
    is_enough: bool


def read_sides(before: StoreQuery, after: StoreQuery) -> Read:
    """Read both sides. Units are instances if both sides have enough of them, else windows.

    Raises:
        FunctraceError: rows of a store contradict each other, or too many are selected.
    """
    queries = before, after
    joins_services = all(len(query.services()) == 1 for query in queries)
    tables = [query.chains() for query in queries]
    tree = chain_tree(tables, joins_services=joins_services)
    instances = [query.instances() for query in queries]
    counts = len(instances[0]), len(instances[1])
    by_window = min(counts) < MIN_UNITS
    unit = "window" if by_window else "instance"
    units = [_Units(each.place, each.instances(by_window=by_window)) for each in queries]
    _check_size(before.place, len(tree.names), sum(map(len, units)), unit)
    first, second = (
        Side(
            sums_of(table, tree, joins_services=joins_services),
            _read_units(query, tree, keys, by_window=by_window, joins_services=joins_services),
        )
        for query, table, keys in zip(queries, tables, units, strict=True)
    )
    is_enough = min(map(len, units)) >= MIN_UNITS and (not by_window or _are_same(*instances))
    return Read(tree, first, second, counts, unit, is_enough)


def _check_size(place: str, chain_count: int, unit_count: int, unit: str) -> None:
    """Raise FunctraceError if the figures of all units do not fit in memory."""
    if chain_count * unit_count > _MAX_CELLS:
        selected = f"{several(chain_count, 'chain')} in {several(unit_count, unit)}"
        raise FunctraceError(
            f"{place}: too much to compare: {selected}; select less, such as with --since or"
            " shop[instance=web1*]"
        )


def _are_same(before: Any, after: Any) -> bool:
    """Return whether two sides have the same instances."""
    first, second = (
        set(zip(table["service"].to_pylist(), table["instance"].to_pylist(), strict=True))
        for table in (before, after)
    )
    return first == second


class _Units:
    """Numbers of the units of a side."""

    def __init__(self, place: str, table: Any) -> None:
        self._place = place
        self._keys = pc.unique(_keys(table))

    def __len__(self) -> int:
        return len(self._keys)

    def numbers(self, table: Any) -> Any:
        """Return the number of the unit of each row."""
        return _places(
            self._place, _keys(table), self._keys, "an instance without a row in processes"
        )


def _places(store: str, values: Any, known: Any, unknown: str) -> Int64s:
    """Return the index of each value in an array of those that are known.

    Raises:
        FunctraceError: a value is unknown.
    """
    found = pc.index_in(values, known)
    if found.null_count:
        raise FunctraceError(f"{store}: damaged: `chains` has calls of {unknown}")
    places: Int64s = found.to_numpy().astype(np.int64)
    return places


def _keys(table: Any) -> Any:
    """Return a text for each row that identifies its unit."""
    columns = [table[name].cast(pa.string()) for name in ("service", "release", "instance")]
    if "window" in table.column_names:
        columns.append(table["window"].cast(pa.int64()).cast(pa.string()))
    return pc.binary_join_element_wise(*columns, "\0").combine_chunks()


def _read_units(
    query: StoreQuery, tree: ChainTree, units: _Units, *, by_window: bool, joins_services: bool
) -> UnitFigures:
    figures = empty(len(tree.names), len(units))
    ids = sorted({chain for _, chain in tree.numbers})
    size = max(_MAX_ROWS // max(len(units), 1), 1)
    for start in range(0, len(ids), size):
        table = query.by_instance(ids[start : start + size], by_window=by_window)
        for service in table["service"].unique().to_pylist():
            rows = table.filter(pc.equal(table["service"], service)).combine_chunks()
            key = "" if joins_services else service
            chains = [chain for name, chain in tree.numbers if name == key]
            numbers = np.array([tree.numbers[key, chain] for chain in chains], np.int64)
            known = pa.array(chains, rows["chain"].type)
            place = _places(query.place, rows["chain"], known, "an unknown chain")
            add_rows(figures, _unit_rows(rows, numbers[place], units.numbers(rows)))
    return figures


def _unit_rows(table: Any, chains: Int64s, units: Int64s) -> UnitRows:
    bucket, counts = (table[name].combine_chunks() for name in ("bucket", "bucket_calls"))
    lengths = pc.list_value_length(bucket).to_numpy()
    return UnitRows(
        chain=chains,
        unit=units,
        **{name: table[name].to_numpy() for name in ("calls", "failed", "total_ns", "self_ns")},
        first_bucket=np.concatenate([[0], np.cumsum(lengths)]),
        **_ascending(
            pc.list_flatten(bucket).to_numpy().astype(np.int64),
            pc.list_flatten(counts).to_numpy(),
            lengths,
        ),
    )


def _ascending(bucket: Int64s, calls: Int64s, lengths: Int64s) -> dict[str, Int64s]:
    """Sort the buckets of each row, which are those of its windows one after another."""
    row = np.repeat(np.arange(len(lengths)), lengths)
    if np.any((np.diff(bucket) < 0) & (np.diff(row) == 0)):
        order = np.lexsort((bucket, row))
        bucket, calls = bucket[order], calls[order]
    return {"bucket": bucket, "bucket_calls": calls}
