"""The plan for a Go file, with a Go toolchain's word where the grammar lags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from functrace.sources.go import toolchain
from functrace.sources.request import Verb
from rewriter.errors import SourceError
from rewriter.golang import Options, plan_inject, plan_strip
from rewriter.plan import Plan

_PLANNERS: dict[Verb, Callable[[bytes, Options], Plan]] = {
    Verb.INJECT: plan_inject,
    Verb.STRIP: plan_strip,
}


def plan(verb: Verb, text: bytes, options: Options) -> Plan:
    """The plan for a file.

    Raises:
        SourceError: it is no valid Go; a toolchain on PATH says so where the grammar does
            not know better.
    """
    planner = _PLANNERS[verb]
    try:
        return planner(text, options)
    except SourceError:
        verdict = toolchain.judge(text)
        if verdict is None:
            raise
        if not verdict.valid:
            raise SourceError(verdict.message, verdict.line, verdict.column) from None
        return planner(text, replace(options, is_known_valid=True))


def names_elsewhere(file: str, declared: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """What the other files of a package declare, by what each of them does."""
    return frozenset().union(*(names for other, names in declared.items() if other != file))
