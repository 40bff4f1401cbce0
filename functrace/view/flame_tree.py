"""Nodes of a flame graph as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from functrace.analysis.columns import Bools
from functrace.analysis.merge import Forest
from functrace.view.call_tree import Figures, Tree, callees, callers, include_callees, largest
from functrace.view.query import Query

_DEFAULT_LIMIT = 5000
_MAX_LIMIT = 50_000
_OTHER = {"calls": "other_calls", "total": "other_total_ns", "self": "other_self_ns"}


def parse_limit(query: Query) -> int:
    """Return the number of nodes that a request wants."""
    return query.number("limit", _DEFAULT_LIMIT, low=1, high=_MAX_LIMIT)


def flame_tree(
    forest: Forest,
    figures: list[Figures],
    chosen: Bools | None,
    limit: int,
    *,
    is_inverted: bool,
    is_range: bool = False,
    of_conditions: Sequence[int] = (),
) -> dict[str, Any]:
    """Return the nodes with the largest shares.

    Args:
        forest: the chains.
        figures: figures of one selection or of two, by node of the forest.
        chosen: mask of the nodes to begin at; None: all.
        limit: number of nodes.
        is_inverted: whether to return callers, not callees.
        is_range: whether self times contain suspended time.
        of_conditions: selections whose calls were selected one by one.
    """
    tree = (callers if is_inverted else callees)(forest, figures, chosen)
    if not is_inverted:
        for selection in of_conditions:
            include_callees(tree, selection)
    kept, is_cut = largest(tree, limit)
    return {
        "nodes": _rows(forest, tree, kept, is_range=is_range),
        **_totals(tree),
        "truncated": is_cut or tree.is_truncated,
    }


def nodes_of(forest: Forest, names: set[str]) -> Bools:
    """Return a mask of the nodes of the functions with these names."""
    is_named = np.array([each.name in names for each in forest.functions], np.bool_)
    mask: Bools = is_named[forest.function]
    return mask


def _totals(tree: Tree) -> dict[str, int]:
    roots = tree.parent < 0
    totals = [int(each["total"][roots].sum()) for each in tree.figures]
    return dict(zip(("total_ns", "other_total_ns"), totals, strict=False))


def _rows(forest: Forest, tree: Tree, kept: Any, *, is_range: bool) -> list[dict[str, Any]]:
    place = {node: index for index, node in enumerate(kept.tolist())}
    return [
        {
            "id": index,
            "parent": place.get(int(tree.parent[node])),
            "function": forest.functions[tree.function[node]].name,
            **_service(forest, int(tree.function[node])),
            "started": bool(tree.started[node]),
            **_figures(tree.figures, node, is_range=is_range),
        }
        for node, index in place.items()
    ]


def _service(forest: Forest, function: int) -> dict[str, str]:
    return {"service": forest.services[function]} if forest.services else {}


def _figures(figures: list[Figures], node: int, *, is_range: bool) -> dict[str, int | None]:
    first, *others = figures
    row: dict[str, int | None] = {
        "calls": int(first["calls"][node]),
        "failed": int(first["failed"][node]),
        "total_ns": int(first["total"][node]),
        "self_ns": int(first["self"][node]),
        "suspended_ns": None if is_range else int(first["suspended"][node]),
    }
    for other in others:
        row |= {key: int(other[name][node]) for name, key in _OTHER.items()}
    return row
