"""Flame graph of a selection, as a tree of callees or of callers."""

from __future__ import annotations

from typing import Any

from functrace.globs import as_operand
from functrace.view.call_tree import join
from functrace.view.filters import Filter
from functrace.view.flame_tree import flame_tree, nodes_of, parse_limit
from functrace.view.function_names import glob, matching_names
from functrace.view.query import Query
from functrace.view.session import Session
from functrace.view.weights import Weights, weigh


def answer(session: Session, query: Query) -> dict[str, Any]:
    """Return the tree, with ``against`` also figures of a second filter (``b_from``, ...)."""
    filters = [Filter.parse(session, query)]
    if query.flag("against"):
        filters.append(Filter.parse(session, query, "b_"))
    direction = query.choice("direction", "callees", "callers")
    function = query.text("function")
    limit = parse_limit(query)
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
    found = flame_tree(
        forest,
        figures,
        None if names is None else nodes_of(forest, names),
        limit,
        is_inverted=is_inverted,
        is_range=filters[0].is_range,
        of_conditions=[
            selection for selection, each in enumerate(filters) if each.has_call_conditions
        ],
    )
    is_sampled = any(weights.is_sampled for each in selections for weights in each)
    return found | {"sampled": is_sampled}


def _weights(session: Session, chosen: Filter) -> list[Weights]:
    return session.results.get(("weights", chosen), lambda: weigh(session, chosen))


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
