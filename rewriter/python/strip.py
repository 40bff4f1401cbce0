"""Plan the removal of injected decorators from a Python file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rewriter.edit import Edit, delete
from rewriter.plan import Plan
from rewriter.python import directives, functions, import_lines, imports, layout, proof
from rewriter.python.errors import UNPROVEN, LeftAlone
from rewriter.python.functions import Def
from rewriter.python.names import TRACE
from rewriter.python.options import Options
from rewriter.python.proof import Injected
from rewriter.python.source import Source, parse

_REST_OF_DECORATOR = rb"[ \t\f]*(?:#[^\r\n]*)?(?:[\r\n]|\Z)"


def plan_strip(source: bytes, options: Options) -> Plan:
    """Return the edits that take every injected decorator and its import out.

    Injected is what goes by a name that inject may have chosen, ``_functrace_``,
    imported from the runtime; ``@functrace.trace`` is somebody's own and stays. So
    does a decorator marked ``# functrace: keep``, and an import that is used otherwise.

    Raises:
        SourceError: the running Python does not take the file.
    """
    if b"_functrace" not in source:
        return Plan()
    try:
        parsed = parse(source)
        found = find(parsed, options.runtime_import)
        if not found.edits:
            return Plan()
        _prove(parsed, found.edits, options.runtime_import)
        edits = parsed.in_raw(found.edits)
    except LeftAlone as left:
        return Plan(file_reason=left.reason)
    everything = functions.find(parsed.tree, lambda *_: None, lambdas=b"lambda" in source)
    return Plan(edits, tuple(f.function for f in everything if f.node in found.functions))


def _prove(before: Source, edits: list[Edit], runtime: str) -> None:
    after = proof.rewritten(before, edits)
    if after is None or not proof.is_same(
        before.tree, after.tree, proof.injected(before.tree, runtime)
    ):
        raise LeftAlone(UNPROVEN)


@dataclass
class Found:
    """What is to be taken out, and of which functions."""

    edits: list[Edit] = field(default_factory=list)
    functions: set[ast.AST] = field(default_factory=set)


def find(source: Source, runtime: str) -> Found:
    """What inject put in, without proof."""
    found = Found()
    if b"_functrace" not in source.text:
        return found
    kept = directives.read(source.text).keep
    runtimes = [*imports.find(source.tree, runtime)]
    for name in {imported.name for imported in runtimes}:
        gone: list[Edit] = []
        for node in _traces(source, name, Injected([name], runtime)):
            edits = [] if _is_kept(node, kept) else [*layout.take_out(source, node, name)]
            if edits:
                gone += edits
                found.functions.add(node.args[0] if isinstance(node, ast.Call) else node)
        found.edits += gone
        named = [imported for imported in runtimes if imported.name == name]
        if _is_unused(source, name, gone, len(named)):
            found.edits += (import_lines.remove(source, imported) for imported in named)
    return Found(list(_disjoint(found.edits)), found.functions)


def _disjoint(deletions: list[Edit]) -> Iterator[Edit]:
    """The same deletions; of imports on one line both may claim what joins them."""
    done = 0
    for deletion in sorted(deletions):
        if deletion.end > done:
            yield delete(max(done, deletion.start), deletion.end)
            done = deletion.end


def _traces(source: Source, name: str, injected: Injected) -> Iterator[Def | ast.Call]:
    """The functions that are decorated, and the calls around lambdas."""
    call = re.compile(rb"\b%s\.%s(?!%s)" % (name.encode(), TRACE.encode(), _REST_OF_DECORATOR))
    has_calls = call.search(source.text)
    for node in ast.walk(source.tree) if has_calls else functions.statements(source.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if any(map(injected.is_trace, node.decorator_list)):
                yield node
        elif isinstance(node, ast.Call) and injected.unwrapped(node) is not node:
            yield node


def _is_kept(node: Def | ast.Call, kept: set[int]) -> bool:
    lines = {node.lineno}
    if not isinstance(node, ast.Call):
        lines |= {d.lineno for d in node.decorator_list}
    return bool(kept & lines)


def _is_unused(source: Source, name: str, calls: list[Edit], imported: int) -> bool:
    """Whether nothing but the calls that go, and so many imports, mentions the name."""
    mention = re.compile(rb"\b%s\b" % name.encode())
    gone = sum(len(mention.findall(source.text, e.start, e.end)) for e in calls)
    return len(mention.findall(source.text)) == gone + imported
