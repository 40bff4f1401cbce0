"""The two sides of a comparison: their chains with common numbers, and the figures of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from functrace.rollup.chain_ids import NO_PARENT
from functrace.rollup.comparison.unit_figures import Int64s, UnitFigures
from functrace.rollup.duration_buckets import Buckets, percentile_ns

ChainKey = tuple[str, bytes]
"""service and id of a chain"""
_Definition = tuple[bytes | None, str, bool]
_COLUMNS = ("calls", "failed", "total_ns", "self_ns", "min_ns", "max_ns")


@dataclass(frozen=True)
class ChainTree:
    """Chains of both sides. A caller's chain has a lower number than those it calls."""

    names: Sequence[str]
    """innermost function of each chain"""
    parents: Sequence[int]
    """number of the caller's chain, or -1"""
    started: Sequence[bool]
    """whether the function runs on another track, which its caller started"""
    numbers: Mapping[ChainKey, int]

    def path(self, chain: int) -> tuple[int, ...]:
        """Return the chain's callers from the outermost one, and the chain."""
        found = [chain]
        while self.parents[found[-1]] >= 0:
            found.append(self.parents[found[-1]])
        return tuple(reversed(found))

    def steps(self, chain: int) -> tuple[str, ...]:
        """Return the names of the functions of a chain, outermost first."""
        return tuple(self.names[each] for each in self.path(chain))


@dataclass(frozen=True, eq=False)
class Sums:
    """Figures of one side by number of the chain."""

    calls: Int64s
    failed: Int64s
    total_ns: Int64s
    self_ns: Int64s
    min_ns: Int64s
    max_ns: Int64s
    buckets: Sequence[Buckets]
    texts: Sequence[str]
    """most frequent error text, or an empty one"""

    def percentile_ns(self, chain: int, percent: float) -> int:
        """Return a percentile of the durations of a chain; 0 without finished calls."""
        extremes = int(self.min_ns[chain]), int(self.max_ns[chain])
        return percentile_ns(self.buckets[chain], percent, *extremes)


@dataclass(frozen=True, eq=False)
class Side:
    """Figures of one side, summed and by unit."""

    sums: Sums
    units: UnitFigures


def chain_tree(tables: Iterable[Any], *, joins_services: bool) -> ChainTree:
    """Return the chains of several tables of `StoreQuery.chains`.

    Args:
        tables: the tables.
        joins_services: whether chains of different services are the same if their ids are.
    """
    rows: dict[ChainKey, _Definition] = {}
    for table in tables:
        names = ("service", "chain", "parent", "function", "started")
        columns = [table[name].to_pylist() for name in names]
        for service, chain, parent, function, started in zip(*columns, strict=True):
            key = chain_key(service, chain, joins_services=joins_services)
            rows.setdefault(key, (parent, function, started))
    numbers: dict[ChainKey, int] = {}
    for key in rows:
        for each in _callers_first(key, rows, numbers):
            numbers[each] = len(numbers)
    ordered = [(key, rows[key]) for key in numbers]
    return ChainTree(
        names=[function for _, (_, function, _) in ordered],
        parents=[_number_of_caller(key, parent, numbers) for key, (parent, *_) in ordered],
        started=[started for _, (*_, started) in ordered],
        numbers=numbers,
    )


def chain_key(service: str, chain: bytes, *, joins_services: bool) -> ChainKey:
    """Return what identifies a chain."""
    return ("" if joins_services else service), chain


def _callers_first(
    key: ChainKey, rows: Mapping[ChainKey, _Definition], known: Mapping[ChainKey, int]
) -> Iterator[ChainKey]:
    """Return the callers of a chain that are not known, outermost first, and the chain."""
    path: dict[ChainKey, None] = {}
    while key in rows and key not in known and key not in path:
        path[key] = None
        key = key[0], rows[key][0] or NO_PARENT
    return reversed(path)


def _number_of_caller(key: ChainKey, parent: bytes | None, numbers: Mapping[ChainKey, int]) -> int:
    """Return the number of the caller's chain, or -1; damaged stores may have cycles."""
    number = numbers.get((key[0], parent or NO_PARENT), -1)
    return number if number < numbers[key] else -1


def sums_of(table: Any, tree: ChainTree, *, joins_services: bool) -> Sums:
    """Return the sums of a table of `StoreQuery.chains`, by number of the chain."""
    keys = zip(table["service"].to_pylist(), table["chain"].to_pylist(), strict=True)
    row_of = {
        tree.numbers[chain_key(*key, joins_services=joins_services)]: row
        for row, key in enumerate(keys)
    }
    place = np.fromiter(row_of, np.int64)

    def column(name: str) -> Int64s:
        found = np.zeros(len(tree.names), np.int64)
        found[place] = table[name].fill_null(0).to_numpy()[list(row_of.values())]
        return found

    columns = {name: table[name].to_pylist() for name in ("bucket", "bucket_calls", "errors")}
    buckets: list[Buckets] = [()] * len(tree.names)
    texts = [""] * len(tree.names)
    for chain, row in row_of.items():
        pairs = zip(columns["bucket"][row], columns["bucket_calls"][row], strict=True)
        buckets[chain] = tuple(pairs)
        errors = columns["errors"][row]
        texts[chain] = errors[0]["text"] if errors else ""
    return Sums(**{name: column(name) for name in _COLUMNS}, buckets=buckets, texts=texts)
