"""Plan for the injection of decorators into a Python file."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from rewriter import filters
from rewriter.edit import Edit, apply
from rewriter.errors import UNPROVEN, SkipFile
from rewriter.plan import Plan
from rewriter.python import decorators, imports, libcst_positions, proof, strip
from rewriter.python.classify import (
    Classification,
    choose_alias,
    classify,
    get_file_skip_reason,
    may_have_functions,
)
from rewriter.python.options import Options
from rewriter.python.parse import ParsedSource, parse


def plan_inject(source: bytes, options: Options) -> Plan:
    """Return the edits that put a decorator above every selected function.

    A function that has the decorator keeps it, so a second run changes nothing. The
    result is proven to be the same program, and strip to restore the original bytes; a
    file for which this cannot be proven is skipped.

    Raises:
        SourceError: the running Python rejects the file.
    """
    reason = get_file_skip_reason(source, options)
    globs = filters.find_matching_globs(options.filters, options.location)
    if reason or not may_have_functions(source, options):
        return Plan(matched_globs=globs, file_skip_reason=reason)
    try:
        parsed = parse(source)
        found = classify(parsed.tree, parsed.text, options)
        edits = _make_proven_edits(parsed, found, options) if found.to_instrument else ()
    except SkipFile as skip:
        return Plan(matched_globs=globs, file_skip_reason=skip.reason)
    functions = tuple(f.function for f in found.to_instrument)
    return Plan(edits, functions, found.traced, found.skipped, found.matched_globs)


def _make_proven_edits(
    source: ParsedSource, found: Classification, options: Options
) -> tuple[Edit, ...]:
    """Return the edits at the positions of ``ast`` or, if not proven, at those of libcst."""
    alias, is_new = choose_alias(source.tree, source.text, found, options.runtime_import)
    added = [imports.add(source, options.runtime_import, alias)] if is_new else []
    edits = [*added, *_decorate(source, found, alias, {})]
    if not _is_proven(source, edits, options):
        starts = libcst_positions.find_starts(source)
        edits = [*added, *_decorate(source, found, alias, starts)]
        if not _is_proven(source, edits, options):
            raise SkipFile(UNPROVEN)
    return source.to_raw_edits(edits)


def _decorate(
    source: ParsedSource, found: Classification, alias: str, starts: dict[ast.AST, int]
) -> Iterator[Edit]:
    for function in found.to_instrument:
        start = starts.get(function.node, source.get_start(function.node))
        yield from decorators.add(source, function, alias, start)


def _is_proven(source: ParsedSource, edits: list[Edit], options: Options) -> bool:
    """Return whether ``edits`` change only what functrace adds, and strip undoes them."""
    after = proof.apply_and_parse(source, edits)
    runtime = options.runtime_import
    if after is None or not proof.is_same(
        source.tree, after.tree, proof.find_injected(after.tree, runtime)
    ):
        return False
    stripped = apply(after.text, strip.find_removals(after, runtime).edits)
    return stripped == apply(source.text, strip.find_removals(source, runtime).edits)
