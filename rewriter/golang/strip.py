"""Plan for the removal of trace calls from a Go file."""

from __future__ import annotations

from rewriter.golang import error_results, functions, imports, one_line_bodies, trace_calls
from rewriter.golang.aliases import BASE
from rewriter.golang.imports import Import
from rewriter.golang.options import Options
from rewriter.golang.parse import parse
from rewriter.golang.tokens import tokenize
from rewriter.golang.trace_calls import TraceCall
from rewriter.plan import Plan


def plan_strip(source: bytes, options: Options) -> Plan:
    """Return the edits that remove every injected trace call and its import.

    A call marked ``//functrace:keep`` stays, and so does an import with other uses.
    An import without uses, which Go rejects, is removed.

    Raises:
        SourceError: the file is not valid Go, or cannot be parsed here.
    """
    if not _may_have_runtime(source, options.runtime_import):
        return Plan()
    root = parse(source, is_known_valid=options.is_known_valid)
    runtimes = imports.find_runtimes(root, options.runtime_import, options.unrelated_packages)
    calls = [c for c in trace_calls.find(source, root) if c.alias in runtimes]
    injected = [c for c in calls if not c.keep]
    called = {c.alias for c in injected}
    unused = [
        i
        for i in runtimes.values()
        if (i.alias in called or i.path == options.runtime_import)
        and _is_unused(source, i, injected)
    ]
    if not injected and not unused:
        return Plan()
    bodies = {c.body for c in injected}
    found = functions.find(source, root, closures=True)
    edits = [imports.remove(source, root, i) for i in unused]
    removed_calls = [trace_calls.remove(source, c) for c in injected]
    removed_names = error_results.remove_names(source, found, injected)
    removals = sorted((*removed_calls, *removed_names), key=lambda e: e.start)
    edits += one_line_bodies.revise(source, found, removals, one_line_bodies.join_lines)
    return Plan(tuple(edits), tuple(f.function for f in found if f.open in bodies))


def _may_have_runtime(source: bytes, runtime_import: str) -> bool:
    return f'{BASE}"'.encode() in source or f'"{runtime_import}"'.encode() in source


def _is_unused(source: bytes, runtime: Import, injected: list[TraceCall]) -> bool:
    """Return whether only the injected calls use the import."""
    alias = runtime.alias.encode()
    removed = sum(c.alias_count for c in injected if c.alias == runtime.alias)
    if source.count(alias) == removed + source.count(alias, *runtime.spec):
        return True
    words = [t.text for t in tokenize(source)]
    triples = zip([b"", *words], words, words[1:], strict=False)
    uses = sum(w == alias and after == b"." and before != b"." for before, w, after in triples)
    return uses == removed
