"""Plan for the injection of trace calls into a Go file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tree_sitter import Node

from rewriter import filters
from rewriter.edit import Edit
from rewriter.filters import Location
from rewriter.golang import (
    aliases,
    error_results,
    functions,
    imports,
    one_line_bodies,
    skip_rules,
    trace_calls,
)
from rewriter.golang.error_results import ErrorResult
from rewriter.golang.functions import GoFunction
from rewriter.golang.options import Layout, Options
from rewriter.golang.parse import parse
from rewriter.plan import Function, Plan, Skipped


@dataclass(frozen=True)
class _Classification:
    """Functions of a file by what happens to them."""

    found: tuple[GoFunction, ...]
    to_instrument: tuple[GoFunction, ...]
    traced: tuple[Function, ...]
    skipped: tuple[Skipped, ...]


def plan_inject(source: bytes, options: Options) -> Plan:
    """Return the edits that insert a trace call into every selected function.

    A function that has a trace call keeps it, so a second run changes nothing.

    Raises:
        SourceError: the file is not valid Go, or cannot be parsed here.
    """
    reason = skip_rules.get_file_skip_reason(source, skip_generated=options.skip_generated)
    reason = reason or filters.get_file_skip_reason(options.filters, options.location)
    if reason or b"func" not in source:
        globs = filters.find_matching_globs(options.filters, options.location)
        return Plan(matched_globs=globs, file_skip_reason=reason)
    root = parse(source, is_known_valid=options.is_known_valid)
    runtimes = imports.find_runtimes(root, options.runtime_import, options.unrelated_packages)
    if options.ignore_other_runtimes:
        runtimes = {a: i for a, i in runtimes.items() if i.path == options.runtime_import}
    calls = [c for c in trace_calls.find(source, root) if c.alias in runtimes]
    if imports.get_package_name(root) == "main" and not options.location.symbol_packages:
        options = replace(options, location=_locate_main(options))
    classified = _classify(source, root, {c.body for c in calls}, options)
    edits: tuple[Edit, ...] = ()
    if classified.to_instrument:
        called = {c.alias for c in calls}
        usable = {a for a, i in runtimes.items() if a in called or i.path == options.runtime_import}
        alias, added = _import_runtime(source, root, usable, options)
        edits = (*added, *_insert_calls(source, classified, alias, options))
    globs = filters.find_matching_globs(
        options.filters, options.location, (f.function.name for f in classified.found)
    )
    instrumented = tuple(f.function for f in classified.to_instrument)
    return Plan(edits, instrumented, classified.traced, classified.skipped, globs)


def _locate_main(options: Options) -> Location:
    """Return the location of a file of package main; tests are linked under its import path."""
    return replace(options.location, symbol_packages=("main", options.location.package))


def _classify(
    source: bytes, root: Node, traced_bodies: set[int], options: Options
) -> _Classification:
    get_filter_reason = filters.make_filter(options.filters, options.location, _is_exported)
    to_instrument: list[GoFunction] = []
    traced: list[Function] = []
    skipped: list[Skipped] = []
    outer_end, outer_reason = 0, None  # of the last declaration
    rules = skip_rules.Rules(source)
    found = functions.find(source, root, closures=options.closures)
    for function in found:
        reason = rules.get_skip_reason(function)
        if not function.is_literal:
            outer_end, outer_reason = function.close, reason
        elif function.start < outer_end:
            reason = reason or outer_reason
        reason = reason or options.skip_reason or get_filter_reason(function)
        reason = reason or _get_inlining_reason(function, options)
        if function.open in traced_bodies:
            traced.append(function.function)
        elif reason:
            skipped.append(Skipped(function.function, reason))
        else:
            to_instrument.append(function)
    return _Classification(tuple(found), tuple(to_instrument), tuple(traced), tuple(skipped))


def _get_inlining_reason(function: GoFunction, options: Options) -> str | None:
    """Return why a light build leaves out a function, or None."""
    if not options.inlinable or function.compiler_position not in options.inlinable:
        return None
    return None if error_results.returns_error(function) else "left to the compiler's inlining"


def _is_exported(found: GoFunction) -> bool:
    return found.function.name.rpartition(".")[2][:1].isupper()


def _import_runtime(
    source: bytes, root: Node, usable: set[str], options: Options
) -> tuple[str, tuple[Edit, ...]]:
    """Return the runtime's alias, and the edit that imports it unless one of ``usable`` serves."""
    used = aliases.find_used_names(source, frozenset(usable))
    for alias in sorted(usable - used):
        return alias, ()
    alias = aliases.choose_alias(used | options.package_names | usable)
    if options.layout is Layout.BUILD:
        return alias, (imports.add_inline(root, options.runtime_import, alias),)
    return alias, (imports.add_line(source, root, options.runtime_import, alias),)


def _insert_calls(
    source: bytes, classified: _Classification, alias: str, options: Options
) -> Sequence[Edit]:
    errors = _find_errors(source, classified, options) if options.errors else {}
    edits = _list_edits(source, classified, alias, options, errors)
    if errors:
        ambiguous = one_line_bodies.find_ambiguous(source, classified.found, edits)
        if bodies := {f.open for f in ambiguous}:
            errors = {body: error for body, error in errors.items() if body not in bodies}
            edits = _list_edits(source, classified, alias, options, errors)
    if options.layout is Layout.BUILD:
        return edits
    found = classified.found
    return [*one_line_bodies.revise(source, found, edits, one_line_bodies.break_lines)]


def _find_errors(
    source: bytes, classified: _Classification, options: Options
) -> dict[int, ErrorResult]:
    bodies = {f.open for f in classified.to_instrument}
    found = error_results.find(source, classified.found, options.package_names)
    return {body: result for body, result in found.items() if body in bodies}


def _list_edits(
    source: bytes,
    classified: _Classification,
    alias: str,
    options: Options,
    errors: dict[int, ErrorResult],
) -> list[Edit]:
    """Return the edits for every function to instrument, in source order."""
    edits: list[Edit] = []
    for function in classified.to_instrument:
        error = errors.get(function.open)
        call = trace_calls.format_call(alias, error.name if error else "")
        edits += error.edits if error else ()
        if options.layout is Layout.BUILD:
            edits.append(trace_calls.insert_after_brace(function, call))
        else:
            edits.append(trace_calls.insert_formatted(source, function, call))
    return edits
