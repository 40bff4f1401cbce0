"""Table of calls."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from functrace.analysis.columns import Int64s
from functrace.view import call_rows
from functrace.view.call_query import CallQuery, Order
from functrace.view.filters import Filter, Part
from functrace.view.query import Query
from functrace.view.session import Session
from functrace.view.window import CallPage

Pages = dict[int, CallPage]
"""pages by trace"""

_DEFAULT_LIMIT = 100
_MAX_LIMIT = 1000
_MAX_OFFSET = 1_000_000


def answer(session: Session, query: Query) -> dict[str, Any]:
    """Return a part of the calls that match the filters, sorted by ``sort`` and ``order``."""
    chosen = Filter.parse(session, query)
    order = cast("Order", query.choice("sort", "start", "duration", "self"))
    is_descending = query.choice("order", "asc", "desc") == "desc"
    offset = query.number("offset", 0, high=_MAX_OFFSET)
    limit = query.number("limit", _DEFAULT_LIMIT, high=_MAX_LIMIT)
    parts = chosen.parts(session)
    # Of several traces, each may have all calls of the page.
    first, count = (offset, limit) if len(parts) == 1 else (0, offset + limit)
    pages = {
        part.index: session.timeline(part.index).calls_in(
            _query(part, chosen, order, is_descending, first, count)
        )
        for part in parts
    }
    if len(parts) > 1:
        places = _order(session, pages, order, is_descending)[offset : offset + limit]
    else:
        places = np.arange(sum(map(len, pages.values())))
    return {
        "total": sum(page.total for page in pages.values()),
        "exact": all(page.is_exact for page in pages.values()),
        "calls": _rows(session, pages, places),
        "command": chosen.replay_command(session, "--tree"),
    }


def _order(session: Session, pages: Pages, order: Order, is_descending: bool) -> Int64s:
    """Return the places of the calls of all pages, one page after the other, in their order."""
    keys = [
        page.start + session.offset_ns(trace) if order == "start" else getattr(page, order)
        for trace, page in pages.items()
    ]
    key = np.concatenate([np.empty(0, np.int64), *keys])
    return np.argsort(-key if is_descending else key, kind="stable")


def _rows(session: Session, pages: Pages, places: Int64s) -> list[dict[str, Any]]:
    """Return the calls at places; only these become objects, which take much memory."""
    rows: dict[int, dict[str, Any]] = {}
    first = 0
    for trace, page in pages.items():
        is_here = (places >= first) & (places < first + len(page))
        taken = page.take(places[is_here] - first)
        found = call_rows.rows(session, trace, taken)
        rows |= zip(np.flatnonzero(is_here).tolist(), found, strict=True)
        first += len(page)
    return [rows[place] for place in range(len(places))]


def _query(
    part: Part, chosen: Filter, order: Order, descending: bool, offset: int, limit: int
) -> CallQuery:
    return CallQuery(
        from_ns=part.from_ns,
        to_ns=part.to_ns,
        tracks=part.tracks,
        functions=part.functions,
        failed_only=chosen.errors,
        min_duration_ns=chosen.min_duration_ns,
        order=order,
        descending=descending,
        offset=offset,
        limit=limit,
    )
