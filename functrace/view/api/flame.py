"""Flame graph of a selection, as a tree of callees or of callers."""

from __future__ import annotations

from typing import Any

import numpy as np

from functrace.analysis.columns import Bools
from functrace.analysis.merge import Forest
from functrace.globs import as_operand
from functrace.view.call_tree import (
    Figures,
    Tree,
    callees,
    callers,
    include_callees,
    join,
    largest,
)
from functrace.view.filters import Filter
from functrace.view.function_names import glob, matching_names
from functrace.view.query import Query
from functrace.view.session import Session
from functrace.view.weights import Weights, weigh

_DEFAULT_LIMIT = 5000
_MAX_LIMIT = 50_000
_OTHER = {"calls": "other_calls", "total": "other_total_ns", "self": "other_self_ns"}


def answer(session: Session, query: Query) -> dict[str, Any]:
    """Return the tree, with ``against`` also figures of a second filter (``b_from``, ...)."""
    filters = [Filter.parse(session, query)]
    if query.flag("against"):
        filters.append(Filter.parse(session, query, "b_"))
    direction = query.choice("direction", "callees", "callers")
    function = query.text("function")
    limit = query.number("limit", _DEFAULT_LIMIT, low=1, high=_MAX_LIMIT)
    key = ("flame", *filters, direction, function, limit)
    found = session.results.get(
        key, lambda: _flame(session, filters, function, limit, is_inverted=direction == "callers")
    )
    return found | {"command": _command(session, filters, function, direction)}


def _flame(
    session: Session, filters: list[Filter], function: str, limit: int, *, is_inverted: bool
) -> dict[str, Any]:
    names = matching_names(session, function) if function else None
    selections = [_weights(session, each) for each in filters]
    if not any(selections):
        return {"nodes": [], "total_ns": 0, "truncated": False, "sampled": False}
    forest, figures = join(selections)
    grow = callers if is_inverted else callees
    tree = grow(forest, figures, None if names is None else _nodes(forest, names))
    for selection, chosen in enumerate(filters):
        if chosen.has_call_conditions and not is_inverted:
            include_callees(tree, selection)
    kept, is_cut = largest(tree, limit)
    return {
        "nodes": _rows(forest, tree, kept, is_range=filters[0].is_range),
        **_totals(tree),
        "truncated": is_cut or tree.is_truncated,
        "sampled": any(weights.is_sampled for each in selections for weights in each),
    }


def _weights(session: Session, chosen: Filter) -> list[Weights]:
    return session.results.get(("weights", chosen), lambda: weigh(session, chosen))


def _nodes(forest: Forest, names: set[str]) -> Bools:
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
            "started": bool(tree.started[node]),
            **_figures(tree.figures, node, is_range=is_range),
        }
        for node, index in place.items()
    ]


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


def _command(session: Session, filters: list[Filter], function: str, direction: str) -> str:
    """Return the command that prints the same figures; empty if no verb does."""
    chosen, *others = filters
    if others:
        return ""
    if function:
        return _function_command(session, chosen, function, direction)
    if chosen.is_everything:
        return session.command("export", "--to", "flamegraph", "-o", "flamegraph.svg")
    return chosen.replay_command(session, "--tree")


def _function_command(session: Session, chosen: Filter, function: str, direction: str) -> str:
    is_callers = direction == "callers"
    printable = Filter(errors=chosen.errors, min_duration_ns=chosen.min_duration_ns)
    if chosen != (printable if is_callers else Filter()):
        return ""
    verb = "callers" if is_callers else "graph"
    operand = as_operand(glob(session, function))
    return session.command(verb, *chosen.call_options, *operand)
