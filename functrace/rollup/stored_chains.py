"""Chains of a store in the form in which reports take those of traces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from functrace.analysis.chains import Chains
from functrace.analysis.columns import Int64s
from functrace.analysis.failures import Failures
from functrace.analysis.merge import Forest, merge
from functrace.errors import FunctraceError
from functrace.rollup.chain_ids import NO_PARENT, chain_id
from functrace.rollup.stored_histograms import histograms_of
from functrace.rollup.stored_trace import trace_of
from functrace.tracefile import Trace
from functrace.tracefile.facts import Function

Row = Mapping[str, Any]
_Key = tuple[str, bytes]
"""service and id of a chain"""
_UNLISTED = "other texts"


@dataclass(frozen=True, eq=False)
class StoredChains:
    """Chains of one or several services, merged over processes and windows.

    Attributes:
        chains: the chains. Their trace has no events; its tracks are those of the examples.
        services: service of each function.
        failures: error texts by node, most frequent first.
    """

    chains: Chains
    services: tuple[str, ...]
    failures: dict[int, list[Failures]]

    def forest(self) -> Forest:
        """Return the forest of these chains; it has services if there are several."""
        services = self.services if len(set(self.services)) > 1 else ()
        return replace(merge([self.chains]), services=services)


def rows_of(table: Any) -> list[dict[str, Any]]:
    """Return the rows of an Arrow table of chains; times are nanoseconds since 1970."""
    if "example_time" in table.column_names:
        at = table.column_names.index("example_time")
        table = table.set_column(at, "example_time", table["example_time"].cast("int64"))
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def stored_chains(place: str, rows: Sequence[Row], definitions: Iterable[Row] = ()) -> StoredChains:
    """Return chains with the figures of rows; their callers have no calls without a row.

    Args:
        place: the store, for messages.
        rows: rows of StoreQuery.chains.
        definitions: rows of StoreQuery.definitions, if not all callers have a row.

    Raises:
        FunctraceError: an id does not belong to its chain, or the chain of a caller is missing.
    """
    known = {_key(row): row for row in (*definitions, *rows)}
    order = _ordered(place, known, map(_key, rows))
    nodes = {key: node for node, key in enumerate(order)}
    found = [known[key] for key in order]
    functions = _Functions(found)
    parents = [nodes[_parent(row)] if row["parent"] else -1 for row in found]
    trace, calls = trace_of(place, found, functions.listed)
    columns = _Columns(found, parents, functions.indices)
    chains = Chains(
        **columns.figures(),
        **columns.tree(),
        **_unknown(len(found)),
        **calls,
        trace=trace,
        function_histograms=histograms_of(found, functions.indices),
        node_histograms=histograms_of(found, range(len(found))),
        damage=(),
    )
    texts = {node: _failures(row) for node, row in enumerate(found) if row.get("failed")}
    return StoredChains(chains, functions.services, texts)


def functions_below(definitions: Iterable[Row], functions: Iterable[str]) -> list[str]:
    """Return the names of functions and of all functions on chains below them, sorted."""
    rows = list(definitions)
    chosen = set(functions)
    below = {_key(row) for row in rows if row["function"] in chosen}
    known = {_key(row): row for row in rows}
    outside: set[_Key] = set()
    for key in known:
        path = []
        at: _Key | None = key
        while at is not None and at not in below and at not in outside and at in known:
            path.append(at)
            at = _parent(known[at]) if known[at]["parent"] and len(path) < len(known) else None
        (below if at in below else outside).update(path)
    return sorted({known[key]["function"] for key in below})


def stored_functions(place: str, definitions: Iterable[Row]) -> Trace:
    """Return the functions of definitions, as those of a trace without calls."""
    trace, _ = trace_of(place, [], _Functions(definitions).listed)
    return trace


def _key(row: Row) -> _Key:
    return row["service"], row["chain"]


def _parent(row: Row) -> _Key:
    return row["service"], row["parent"]


def _ordered(place: str, known: Mapping[_Key, Row], keys: Iterable[_Key]) -> list[_Key]:
    """Return chains and those of their callers, callers first."""
    found: dict[_Key, None] = {}
    for key in keys:
        path = []
        at: _Key | None = key
        while at is not None and at not in found:
            row = _definition(place, known, at)
            path.append(at)
            at = _parent(row) if row["parent"] else None
        found.update(dict.fromkeys(reversed(path)))
    return list(found)


def _definition(place: str, known: Mapping[_Key, Row], key: _Key) -> Row:
    """Return the definition of a chain. That its id is a hash of it excludes cycles."""
    row = known.get(key)
    if row is None:
        raise FunctraceError(f"{place}: the caller of a chain of {key[0]} is missing")
    parent, function = row["parent"] or NO_PARENT, row["function"]
    if chain_id(parent, function, started=row["started"]) != row["chain"]:
        raise FunctraceError(f"{place}: the id of a chain of {key[0]} to {function} is wrong")
    return row


class _Functions:
    """Functions of rows: names that are distinct in their service, and the service of each."""

    def __init__(self, rows: Iterable[Row]) -> None:
        index: dict[tuple[str, str], int] = {}
        self.indices = [
            index.setdefault((row["service"], row["function"]), len(index)) for row in rows
        ]
        self.listed = tuple(
            Function(number, name, "", 0) for number, (_, name) in enumerate(index, 1)
        )
        self.services = tuple(service for service, _ in index)


class _Columns:
    """Columns of nodes that are in the rows."""

    def __init__(self, rows: Sequence[Row], parents: Sequence[int], functions: list[int]) -> None:
        self._rows = rows
        self._parents = parents
        self._functions = functions

    def tree(self) -> dict[str, Any]:
        """Return the structure."""
        return {
            "parent": np.array(self._parents, np.int32),
            "function": np.array(self._functions, np.int32),
            "started": np.array([row["started"] for row in self._rows], np.bool_),
            "recursive": np.array(list(map(self._is_recursive, range(len(self._rows)))), np.bool_),
        }

    def figures(self) -> dict[str, Any]:
        """Return the figures; a chain without a row has no calls."""
        panics = self._column("panicked")
        names = ("total", "self", "suspended", "min", "max")
        return {
            "calls": self._column("calls"),
            **{name: self._column(f"{name}_ns") for name in names},
            "errors": np.maximum(self._column("failed") - panics, 0),
            "panics": panics,
            "unfinished": self._column("unfinished"),
        }

    def _column(self, name: str) -> Int64s:
        return np.array([max(row.get(name) or 0, 0) for row in self._rows], np.int64)

    def _is_recursive(self, node: int) -> bool:
        """Return whether the function of a node is also one of its callers."""
        function, at = self._functions[node], self._parents[node]
        while at >= 0 and self._functions[at] != function:
            at = self._parents[at]
        return at >= 0


def _unknown(count: int) -> dict[str, Any]:
    """Return the columns that rollups do not have."""
    names = ("last", "max_in_caller", "caller_calls", "partial")
    return {
        "origin": np.zeros(count, np.uint32),
        **{name: np.zeros(count, np.int64) for name in names},
    }


def _failures(row: Row) -> list[Failures]:
    """Return the error texts of a row; the last one is for those that are not listed."""
    found = [
        Failures(error["panicked"], error["text"], error["calls"], {error["text"]})
        for error in row["errors"]
    ]
    unlisted = row["failed"] - sum(each.count for each in found)
    if unlisted > 0:
        found.append(Failures(False, _UNLISTED, unlisted, {_UNLISTED}))
    return found
