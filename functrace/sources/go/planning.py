"""Edit plan for a Go file; gofmt decides about syntax that the grammar does not support yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from functrace.sources.go import toolchain
from functrace.sources.run_request import Verb
from rewriter.errors import SourceError
from rewriter.golang import Options, plan_inject, plan_strip
from rewriter.plan import Plan

_PLANNERS: dict[Verb, Callable[[bytes, Options], Plan]] = {
    Verb.INJECT: plan_inject,
    Verb.STRIP: plan_strip,
}


def plan(verb: Verb, text: bytes, options: Options) -> Plan:
    """Return the plan for a file.

    Raises:
        SourceError: the file is not valid Go, according to the grammar and, where a toolchain
            is installed, to gofmt.
    """
    planner = _PLANNERS[verb]
    try:
        return planner(text, options)
    except SourceError:
        check = toolchain.check_syntax(text)
        if check is None:
            raise
        if not check.valid:
            raise SourceError(check.message, check.line, check.column) from None
        return planner(text, replace(options, is_known_valid=True))


def names_declared_elsewhere(file: str, declared: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return the names that the files of a package other than ``file`` declare."""
    return frozenset().union(*(names for other, names in declared.items() if other != file))
