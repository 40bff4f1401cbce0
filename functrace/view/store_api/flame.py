"""Flame graph of a store, as a tree of callees or of callers."""

from __future__ import annotations

from typing import Any

import numpy as np

from functrace.globs import as_operand
from functrace.view.call_tree import Figures
from functrace.view.flame_tree import flame_tree, nodes_of, parse_limit
from functrace.view.function_names import glob, matching_names
from functrace.view.query import Query
from functrace.view.stored_session import StoredFigures, StoredSession
from functrace.view.weights import COLUMNS, weights_of


def answer(session: StoredSession, query: Query) -> dict[str, Any]:
    """Return the tree of ``service``, with ``against`` also the figures of ``b_service``."""
    services = [query.text("service")]
    if query.flag("against"):
        services.append(query.text("b_service"))
    direction = query.choice("direction", "callees", "callers")
    function = query.text("function")
    figures = session.figures
    names = matching_names(session, function) if function else None
    found = flame_tree(
        figures.forest,
        [_figures(figures, service) for service in services],
        None if names is None else nodes_of(figures.forest, names),
        parse_limit(query),
        is_inverted=direction == "callers",
    )
    command = "" if any(services) else _command(session, function, direction)
    return found | {"sampled": False, "command": command}


def _figures(figures: StoredFigures, service: str) -> Figures:
    """Return the figures of the chains of a service; empty: of all."""
    weights = weights_of(figures.stored.chains)
    is_chosen = np.ones(len(figures.forest), np.bool_)
    if service:
        of_service = [each == service for each in figures.stored.services]
        is_chosen = np.array(of_service, np.bool_)[figures.forest.function]
    return {name: np.where(is_chosen, getattr(weights, name), 0) for name in COLUMNS}


def _command(session: StoredSession, function: str, direction: str) -> str:
    if not function:
        return session.command("export", "--to", "flamegraph", "-o", "flamegraph.svg")
    operand = as_operand(glob(session, function))
    return session.command("callers" if direction == "callers" else "graph", *operand)
