"""Plan for the removal of injected decorators from a Python file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rewriter.edit import Edit, delete
from rewriter.errors import UNPROVEN, SkipFile
from rewriter.plan import Plan
from rewriter.python import decorators, directives, functions, imports, proof
from rewriter.python.aliases import TRACE
from rewriter.python.functions import Def
from rewriter.python.options import Options
from rewriter.python.parse import ParsedSource, parse
from rewriter.python.proof import Injected

_REST_OF_DECORATOR = rb"[ \t\f]*(?:#[^\r\n]*)?(?:[\r\n]|\Z)"


def plan_strip(source: bytes, options: Options) -> Plan:
    """Return the edits that remove every injected decorator and its import.

    A decorator counts as injected if it uses an alias that inject may have chosen, such as
    ``_functrace_``; ``@functrace.trace`` was written by hand and stays. So do a decorator
    marked ``# functrace: keep`` and an import with other uses.

    Raises:
        SourceError: the running Python rejects the file.
    """
    if b"_functrace" not in source:
        return Plan()
    try:
        parsed = parse(source)
        removals = find_removals(parsed, options.runtime_import)
        if not removals.edits:
            return Plan()
        _prove(parsed, removals.edits, options.runtime_import)
        edits = parsed.to_raw_edits(removals.edits)
    except SkipFile as skip:
        return Plan(file_skip_reason=skip.reason)
    found = functions.find(parsed.tree, lambda *_: None, lambdas=b"lambda" in source)
    return Plan(edits, tuple(f.function for f in found if f.node in removals.functions))


def _prove(before: ParsedSource, edits: list[Edit], runtime: str) -> None:
    after = proof.apply_and_parse(before, edits)
    if after is None or not proof.is_same(
        before.tree, after.tree, proof.find_injected(before.tree, runtime)
    ):
        raise SkipFile(UNPROVEN)


@dataclass
class Removals:
    """Edits that remove injected code, and the functions that they affect."""

    edits: list[Edit] = field(default_factory=list)
    functions: set[ast.AST] = field(default_factory=set)


def find_removals(source: ParsedSource, runtime: str) -> Removals:
    """Find the injected code, without a proof."""
    found = Removals()
    if b"_functrace" not in source.text:
        return found
    kept = directives.read(source.text).keep
    runtimes = [*imports.find(source.tree, runtime)]
    for alias in {imported.alias_name for imported in runtimes}:
        removed: list[Edit] = []
        for node in _find_traces(source, alias, Injected([alias], runtime)):
            edits = [] if _is_kept(node, kept) else [*decorators.remove(source, node, alias)]
            if edits:
                removed += edits
                found.functions.add(node.args[0] if isinstance(node, ast.Call) else node)
        found.edits += removed
        with_alias = [imported for imported in runtimes if imported.alias_name == alias]
        if _is_unused(source, alias, removed, len(with_alias)):
            found.edits += (imports.remove(source, imported) for imported in with_alias)
    return Removals(list(_make_disjoint(found.edits)), found.functions)


def _make_disjoint(deletions: list[Edit]) -> Iterator[Edit]:
    """Trim overlaps: imports on one line may both delete their separator."""
    done = 0
    for deletion in sorted(deletions):
        if deletion.end > done:
            yield delete(max(done, deletion.start), deletion.end)
            done = deletion.end


def _find_traces(source: ParsedSource, alias: str, injected: Injected) -> Iterator[Def | ast.Call]:
    """Yield the decorated functions, and the calls around lambdas."""
    call = re.compile(rb"\b%s\.%s(?!%s)" % (alias.encode(), TRACE.encode(), _REST_OF_DECORATOR))
    has_calls = call.search(source.text)
    for node in ast.walk(source.tree) if has_calls else functions.list_statements(source.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if any(map(injected.is_trace, node.decorator_list)):
                yield node
        elif isinstance(node, ast.Call) and injected.unwrap(node) is not node:
            yield node


def _is_kept(node: Def | ast.Call, kept: set[int]) -> bool:
    lines = {node.lineno}
    if not isinstance(node, ast.Call):
        lines |= {d.lineno for d in node.decorator_list}
    return bool(kept & lines)


def _is_unused(source: ParsedSource, alias: str, calls: list[Edit], import_count: int) -> bool:
    """Return whether only the removed calls and the imports mention the alias."""
    mention = re.compile(rb"\b%s\b" % alias.encode())
    removed = sum(len(mention.findall(source.text, e.start, e.end)) for e in calls)
    return len(mention.findall(source.text)) == removed + import_count
