"""Plan the injection of decorators into a Python file."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from rewriter import select
from rewriter.edit import Edit, apply
from rewriter.plan import Plan
from rewriter.python import concrete, imports, layout, names, proof, skip, strip
from rewriter.python.choose import Choice, choose
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
    if reason or not may_hold_functions(source, options):
        return Plan(file_reason=reason)
    try:
        parsed = parse(source)
        choice = choose(parsed.tree, parsed.text, options)
        edits = _proven(parsed, choice, options) if choice.chosen else ()
    except LeftAlone as left:
        return Plan(file_reason=left.reason)
    functions = tuple(f.function for f in choice.chosen)
    return Plan(edits, functions, choice.traced, choice.skipped)


def file_reason(source: bytes, options: Options) -> str | None:
    """Why the file as a whole is left alone, as far as its bytes tell."""
    reason = skip.file_reason(source, options.place, skip_generated=options.skip_generated)
    return reason or select.file_reason(options.selection, options.place)


def may_hold_functions(source: bytes, options: Options) -> bool:
    """Whether it is worth the parsing."""
    return b"def" in source or (options.lambdas and b"lambda" in source)


def name_for(tree: ast.Module, text: bytes, choice: Choice, options: Options) -> tuple[str, bool]:
    """What the runtime is to be called, and whether an import must be added for that."""
    taken = names.mentioned(text)
    first = min(f.node.lineno for f in choice.chosen)
    for imported in imports.find(tree, options.runtime_import):
        name = imported.name
        uses = text.count(name.encode())
        if imported.node.lineno < first and uses == 1 + text.count(f"{name}.trace".encode()):
            return name, False
    return names.free(taken), True


def _proven(source: Source, choice: Choice, options: Options) -> tuple[Edit, ...]:
    """The edits by the positions of ``ast``; if they are not proven, by those of libcst."""
    name, is_new = name_for(source.tree, source.text, choice, options)
    added = [imports.add(source, options.runtime_import, name)] if is_new else []
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
        source.tree, after.tree, imports.injected(after.tree, runtime)
    ):
        return False
    back = apply(after.text, strip.find(after, runtime).edits)
    return back == apply(source.text, strip.find(source, runtime).edits)
