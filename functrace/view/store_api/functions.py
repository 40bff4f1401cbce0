"""Search for functions of a store."""

from __future__ import annotations

from typing import Any

import numpy as np

from functrace.analysis.columns import summed
from functrace.tracefile import Function
from functrace.view.api.functions import Counts, matches
from functrace.view.query import Query
from functrace.view.stored_session import StoredSession


def answer(session: StoredSession, query: Query) -> list[dict[str, Any]]:
    """Return the names that contain ``q``, those with most calls in all services first."""
    functions, counts = session.results.get("function calls", lambda: _counts(session))
    return matches(functions, counts, query)


def _counts(session: StoredSession) -> tuple[list[Function], Counts]:
    forest = session.figures.forest
    distinct: dict[str, int] = {}
    places = [distinct.setdefault(each.name, len(distinct)) for each in forest.functions]
    place = np.array(places, np.int64)[forest.function]
    failed = np.minimum(forest.errors + forest.panics, forest.calls)
    first = dict(zip(reversed(places), reversed(forest.functions), strict=True))
    functions = [first[index] for index in range(len(distinct))]
    count = len(functions)
    return functions, (summed(forest.calls, place, count), summed(failed, place, count))
