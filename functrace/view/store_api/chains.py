"""Call chains of a store that lead to a function."""

from __future__ import annotations

from typing import Any

from functrace.analysis.caller_chains import CallerFilter
from functrace.errors import UsageError
from functrace.globs import as_operand
from functrace.rollup.stored_callers import find_stored_callers
from functrace.view.api.chains import DEFAULT_LIMIT, most_frequent
from functrace.view.function_names import glob, matching_names
from functrace.view.query import Query
from functrace.view.stored_session import StoredSession


def answer(session: StoredSession, query: Query) -> dict[str, Any]:
    """Return the chains as ``functrace callers --store --json`` does."""
    function = query.required("function")
    if query.number("min_duration", 0):
        raise UsageError("a store has histograms, not single calls: there is no min_duration")
    call_filter = CallerFilter(query.flag("errors"))
    found = find_stored_callers(
        session.figures.stored, matching_names(session, function), call_filter
    )
    words = ["--errors"] if call_filter.failed else []
    operand = as_operand(glob(session, function))
    command = {"command": session.command("callers", *words, *operand)}
    return most_frequent(found, query.number("limit", DEFAULT_LIMIT)) | command
