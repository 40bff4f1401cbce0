"""Plan the removal of trace calls from a Go file."""

from __future__ import annotations

from rewriter.golang import functions, imports, layout, oneline, results, traces
from rewriter.golang.imports import Import
from rewriter.golang.names import BASE
from rewriter.golang.options import Options
from rewriter.golang.parse import parse
from rewriter.golang.tokens import tokenize
from rewriter.golang.traces import TraceCall
from rewriter.plan import Plan


def plan_strip(source: bytes, options: Options) -> Plan:
    """Return the edits that take every injected trace call and its import out.

    A call marked ``//functrace:keep`` stays, and so does an import that is
    used otherwise; one that nothing uses, which Go refuses, goes.

    Raises:
        SourceError: the file is no valid Go, or beyond what can be parsed here.
    """
    if not _may_hold_any(source, options.runtime_import):
        return Plan()
    root = parse(source, vouched=options.vouched)
    runtimes = imports.runtimes(root, options.runtime_import, options.namesakes)
    calls = [c for c in traces.find(source, root) if c.alias in runtimes]
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
    calls_out = [layout.remove(source, c) for c in injected]
    names_out = results.remove(source, found, injected)
    taken_out = sorted((*calls_out, *names_out), key=lambda e: e.start)
    edits += oneline.revise(source, found, taken_out, oneline.join_lines)
    return Plan(tuple(edits), tuple(f.function for f in found if f.open in bodies))


def _may_hold_any(source: bytes, runtime_import: str) -> bool:
    return f'{BASE}"'.encode() in source or f'"{runtime_import}"'.encode() in source


def _is_unused(source: bytes, runtime: Import, injected: list[TraceCall]) -> bool:
    """Whether nothing but the injected calls names the import."""
    alias = runtime.alias.encode()
    gone = sum(c.mentions for c in injected if c.alias == runtime.alias)
    if source.count(alias) == gone + source.count(alias, *runtime.spec):
        return True
    words = [t.text for t in tokenize(source)]
    uses = zip([b"", *words], words, words[1:], strict=False)
    return sum(w == alias and after == b"." and before != b"." for before, w, after in uses) == gone
