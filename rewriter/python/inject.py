"""Plan the injection of decorators into a Python file."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from rewriter import select
from rewriter.edit import Edit, apply
from rewriter.plan import Plan
from rewriter.python import concrete, import_lines, layout, proof, strip
from rewriter.python.choose import Choice, choose, file_reason, may_hold_functions, name_for
from rewriter.python.errors import UNPROVEN, LeftAlone
from rewriter.python.options import Options
from rewriter.python.source import Source, parse


def plan_inject(source: bytes, options: Options) -> Plan:
    """Return the edits that put a decorator above every function asked for.

    A function that has one keeps it, so a second run changes nothing. What the
    edits make is proven to be the same program, from which strip gives back the
    very bytes; a file for which that cannot be proven is left alone.

    Raises:
        SourceError: the running Python does not take the file.
    """
    reason = file_reason(source, options)
    matched = select.matched(options.selection, options.place)
    if reason or not may_hold_functions(source, options):
        return Plan(matched=matched, file_reason=reason)
    try:
        parsed = parse(source)
        choice = choose(parsed.tree, parsed.text, options)
        edits = _proven(parsed, choice, options) if choice.chosen else ()
    except LeftAlone as left:
        return Plan(matched=matched, file_reason=left.reason)
    functions = tuple(f.function for f in choice.chosen)
    return Plan(edits, functions, choice.traced, choice.skipped, choice.matched)


def _proven(source: Source, choice: Choice, options: Options) -> tuple[Edit, ...]:
    """The edits by the positions of ``ast``; if they are not proven, by those of libcst."""
    name, is_new = name_for(source.tree, source.text, choice, options.runtime_import)
    added = [import_lines.add(source, options.runtime_import, name)] if is_new else []
    edits = [*added, *_decorators(source, choice, name, {})]
    if not _is_proven(source, edits, options):
        edits = [*added, *_decorators(source, choice, name, concrete.starts(source))]
        if not _is_proven(source, edits, options):
            raise LeftAlone(UNPROVEN)
    return source.in_raw(edits)


def _decorators(
    source: Source, choice: Choice, name: str, starts: dict[ast.AST, int]
) -> Iterator[Edit]:
    for found in choice.chosen:
        at = starts.get(found.node, source.start(found.node))
        yield from layout.put_in(source, found, name, at)


def _is_proven(source: Source, edits: list[Edit], options: Options) -> bool:
    """Whether ``edits`` change nothing but what is ours, and strip takes that out again."""
    after = proof.rewritten(source, edits)
    runtime = options.runtime_import
    if after is None or not proof.is_same(
        source.tree, after.tree, proof.injected(after.tree, runtime)
    ):
        return False
    back = apply(after.text, strip.find(after, runtime).edits)
    return back == apply(source.text, strip.find(source, runtime).edits)
