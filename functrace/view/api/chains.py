"""Call chains that lead to a function."""

from __future__ import annotations

from typing import Any

from functrace.analysis.caller_chains import CallerChains, CallerFilter, find_caller_chains
from functrace.analysis.function_filter import function_filter
from functrace.globs import glob_of
from functrace.text import callers_json, similar_names
from functrace.view import links
from functrace.view.query import Query
from functrace.view.session import Session

_DEFAULT_LIMIT = 100


def answer(session: Session, query: Query) -> dict[str, Any]:
    """Return the chains as ``functrace callers --json`` does, each with a link to its example."""
    function = query.required("function")
    call_filter = CallerFilter(query.flag("errors"), query.number("min_duration", 0))
    found = session.results.get(
        ("chains to", function, call_filter), lambda: _find(session, function, call_filter)
    )
    chains = sorted(found.chains, key=found.count, reverse=True)
    shown = chains[: query.number("limit", _DEFAULT_LIMIT)]
    report = callers_json.report(found, shown, len(chains))
    for chain in report["chains"]:
        chain["links"] = links.of_example(session, chain["example"])
    return report | {"command": _command(session, function, call_filter)}


def _find(session: Session, function: str, call_filter: CallerFilter) -> CallerChains:
    """Return the chains to the functions of this name, or that it matches as a glob."""
    names = session.functions_named(function)
    matches = (
        (lambda each: each.name in names)
        if names
        else function_filter(session.traces, [function], "function")
    )
    if not any(map(matches, session.functions)):
        raise similar_names.no_function_error(function, session.traces)
    return find_caller_chains(
        session.traces,
        lambda trace: {i for i, each in enumerate(trace.functions) if matches(each)},
        call_filter,
    )


def _command(session: Session, function: str, call_filter: CallerFilter) -> str:
    words = ["callers"]
    if call_filter.failed:
        words.append("--errors")
    if call_filter.min_duration_ns:
        words += ["--min-duration", f"{call_filter.min_duration_ns}ns"]
    names = session.functions_named(function)
    is_request = any(each.direction for each in session.functions if each.name in names)
    glob = function if is_request or not names else glob_of(min(names))
    return session.command(*words, glob)
