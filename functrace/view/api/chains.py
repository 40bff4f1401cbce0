"""Call chains that lead to a function."""

from __future__ import annotations

from typing import Any

from functrace.analysis.caller_chains import CallerChains, CallerFilter, find_caller_chains
from functrace.globs import as_operand
from functrace.text import callers_json
from functrace.view import links
from functrace.view.filters import moment
from functrace.view.function_names import glob, matching_names
from functrace.view.query import Query
from functrace.view.session import Session

DEFAULT_LIMIT = 100


def answer(session: Session, query: Query) -> dict[str, Any]:
    """Return the chains as ``functrace callers --json`` does, each with a link to its example."""
    function = query.required("function")
    call_filter = CallerFilter(query.flag("errors"), query.number("min_duration", 0))
    found = session.results.get(
        ("chains to", function, call_filter),
        lambda: find_chains(session, matching_names(session, function), call_filter),
    )
    return report(session, found, function, query.number("limit", DEFAULT_LIMIT))


def report(session: Session, found: CallerChains, function: str, limit: int) -> dict[str, Any]:
    """Return the most frequent ones of the chains to a function."""
    made = most_frequent(found, limit)
    for chain in made["chains"]:
        chain["links"] = links.of_example(session, chain["example"])
    return made | {"command": _command(session, function, found.filter)}


def most_frequent(found: CallerChains, limit: int) -> dict[str, Any]:
    """Return the chains with most matching calls as ``functrace callers --json`` does."""
    chains = sorted(found.chains, key=found.count, reverse=True)
    return callers_json.report(found, chains[:limit], len(chains))


def find_chains(session: Session, names: set[str], call_filter: CallerFilter) -> CallerChains:
    """Return the chains to the functions with these names."""
    return find_caller_chains(
        session.traces,
        lambda trace: {i for i, each in enumerate(trace.functions) if each.name in names},
        call_filter,
    )


def _command(session: Session, function: str, call_filter: CallerFilter) -> str:
    words = ["--errors"] if call_filter.failed else []
    if call_filter.min_duration_ns:
        words += ["--min-duration", moment(call_filter.min_duration_ns)]
    return session.command("callers", *words, *as_operand(glob(session, function)))
