"""Plan the injection of trace calls into a Go file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tree_sitter import Node

from rewriter import select
from rewriter.edit import Edit
from rewriter.golang import functions, imports, layout, names, oneline, results, skip, traces
from rewriter.golang.functions import GoFunction
from rewriter.golang.options import Layout, Options
from rewriter.golang.parse import parse
from rewriter.golang.results import ErrorResult
from rewriter.plan import Function, Plan, Skipped


@dataclass(frozen=True)
class _Split:
    """The functions of a file by what becomes of them."""

    found: tuple[GoFunction, ...]
    chosen: tuple[GoFunction, ...]
    traced: tuple[Function, ...]
    skipped: tuple[Skipped, ...]


def plan_inject(source: bytes, options: Options) -> Plan:
    """Return the edits that put a trace call into every function asked for.

    A function that has one keeps it, so a second run changes nothing.

    Raises:
        SourceError: the file is no valid Go, or beyond what can be parsed here.
    """
    reason = skip.file_reason(source, skip_generated=options.skip_generated)
    reason = reason or select.file_reason(options.selection, options.place)
    if reason or b"func" not in source:
        matched = select.matched(options.selection, options.place)
        return Plan(matched=matched, file_reason=reason)
    root = parse(source, vouched=options.vouched)
    runtimes = imports.runtimes(root, options.runtime_import, options.namesakes)
    if options.own_calls_only:
        runtimes = {a: i for a, i in runtimes.items() if i.path == options.runtime_import}
    calls = [c for c in traces.find(source, root) if c.alias in runtimes]
    if imports.package_name(root) == "main":
        options = replace(options, place=replace(options.place, printed="main"))
    split = _split(source, root, {c.body for c in calls}, options)
    edits: tuple[Edit, ...] = ()
    if split.chosen:
        called = {c.alias for c in calls}
        usable = {a for a, i in runtimes.items() if a in called or i.path == options.runtime_import}
        alias, added = _import(source, root, usable, options)
        edits = (*added, *_calls(source, split, alias, options))
    matched = select.matched(
        options.selection, options.place, ((f.function.name, f.outer) for f in split.found)
    )
    chosen = tuple(f.function for f in split.chosen)
    return Plan(edits, chosen, split.traced, split.skipped, matched)


def _split(source: bytes, root: Node, traced_bodies: set[int], options: Options) -> _Split:
    choose = select.chooser(options.selection, options.place, _is_exported)
    chosen: list[GoFunction] = []
    traced: list[Function] = []
    skipped: list[Skipped] = []
    around: tuple[int, str | None] = (0, None)  # where the last declaration ends, and its reason
    rules = skip.Rules(source)
    everything = functions.find(source, root, closures=options.closures)
    for found in everything:
        reason = rules.reason(found)
        if not found.is_literal:
            around = found.close, reason
        elif found.start < around[0]:
            reason = reason or around[1]
        reason = reason or options.reason or choose(found, (found.outer,))
        if found.open in traced_bodies:
            traced.append(found.function)
        elif reason:
            skipped.append(Skipped(found.function, reason))
        else:
            chosen.append(found)
    return _Split(tuple(everything), tuple(chosen), tuple(traced), tuple(skipped))


def _is_exported(found: GoFunction) -> bool:
    return found.function.name.rpartition(".")[2][:1].isupper()


def _import(
    source: bytes, root: Node, usable: set[str], options: Options
) -> tuple[str, tuple[Edit, ...]]:
    """The alias to call the runtime by, and the edit that imports it if none does yet.

    ``usable`` are the aliases of imports that can serve.
    """
    given = names.given(source, frozenset(usable))
    for alias in sorted(usable - given):
        return alias, ()
    alias = names.free(given | options.package_names | usable)
    if options.layout is Layout.BUILD:
        return alias, (imports.add_inline(root, options.runtime_import, alias),)
    return alias, (imports.add_line(source, root, options.runtime_import, alias),)


def _calls(source: bytes, split: _Split, alias: str, options: Options) -> Iterable[Edit]:
    errors: dict[int, ErrorResult] = {}
    if options.errors:
        errors = _errors(source, split, options)
    edits = _written(source, split, alias, options, errors)
    ambiguous = {f.open for f in oneline.ambiguous(source, split.found, edits)} if errors else ()
    if ambiguous:
        errors = {body: error for body, error in errors.items() if body not in ambiguous}
        edits = _written(source, split, alias, options, errors)
    if options.layout is Layout.BUILD:
        return edits
    return oneline.revise(source, split.found, edits, oneline.break_lines)


def _errors(source: bytes, split: _Split, options: Options) -> dict[int, ErrorResult]:
    chosen = {f.open for f in split.chosen}
    found = results.find(source, split.found, options.package_names)
    return {body: result for body, result in found.items() if body in chosen}


def _written(
    source: bytes, split: _Split, alias: str, options: Options, errors: dict[int, ErrorResult]
) -> list[Edit]:
    """The edits for every chosen function, in the source's order."""
    edits: list[Edit] = []
    for function in split.chosen:
        error = errors.get(function.open)
        call = layout.call(alias, error.name if error else "")
        edits += error.edits if error else ()
        if options.layout is Layout.BUILD:
            edits.append(layout.on_brace_line(function, call))
        else:
            edits.append(layout.on_own_line(source, function, call))
    return edits
