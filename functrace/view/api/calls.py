"""Table of calls."""

from __future__ import annotations

from typing import Any, cast

from functrace.view import call_rows
from functrace.view.call_query import CallQuery, Order
from functrace.view.filters import Filter, Part
from functrace.view.query import Query
from functrace.view.session import Session

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
    total, is_exact, rows = 0, True, []
    for part in parts:
        request = _query(part, chosen, order, is_descending, first, count)
        page = session.timeline(part.index).calls_in(request)
        total += page.total
        is_exact &= page.is_exact
        rows += call_rows.rows(session, part.index, page)
    if len(parts) > 1:
        rows.sort(key=lambda row: row[f"{order}_ns"], reverse=is_descending)
        rows = rows[offset : offset + limit]
    command = chosen.replay_command(session, "--tree")
    return {"total": total, "exact": is_exact, "calls": rows, "command": command}


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
