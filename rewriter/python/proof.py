"""Proof that a rewritten source is the same program."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from rewriter.edit import Edit, apply
from rewriter.errors import SourceError
from rewriter.python import imports
from rewriter.python import source as sources
from rewriter.python.names import TRACE
from rewriter.python.source import Source


def rewritten(before: Source, edits: Iterable[Edit]) -> Source | None:
    """The source after ``edits``, parsed and compiled; None if the edits made it invalid.

    Raises:
        SourceError: it never was valid.
        LeftAlone: it is beyond what Python can compile.
    """
    try:
        after = sources.parse(apply(before.raw, before.in_raw(edits)))
        sources.check(after.tree)
    except SourceError:
        sources.check(before.tree)
        return None
    return after


def is_same(one: ast.AST, other: ast.AST, injected: Injected) -> bool:
    """Whether two trees are equal but for what is injected.

    Lists of the same length must be equal as they are: nothing of ours moves.
    """
    stack: list[tuple[object, object]] = [(one, other)]
    while stack:
        x, y = stack.pop()
        if isinstance(x, ast.Call) or isinstance(y, ast.Call):
            x, y = injected.unwrapped(x), injected.unwrapped(y)
        if x.__class__ is not y.__class__:
            return False
        if isinstance(x, ast.AST):
            stack += [
                (a, b)
                for f in x._fields  # names, None, contexts and operators mostly are one object
                if (a := getattr(x, f, None)) is not (b := getattr(y, f, None))
            ]
        elif isinstance(x, list) and isinstance(y, list):
            if len(x) != len(y):
                x, y = injected.without(x), injected.without(y)
            if len(x) != len(y):
                return False
            stack += zip(x, y, strict=True)
        elif x != y:
            return False
    return True


def injected(tree: ast.Module, path: str) -> Injected:
    """What of a tree is not the program's own."""
    return Injected((i.name for i in imports.find(tree, path)), path)


class Injected:
    """What inject puts into a tree, where it calls the runtime by one of ``names``."""

    def __init__(self, names: Iterable[str], runtime: str) -> None:
        self._names = frozenset(names)
        self._runtime = runtime

    def without(self, nodes: list[object]) -> list[object]:
        """A list of statements, decorators or names to import without what is injected."""
        if not nodes or not self._names:
            return nodes
        return [n for n in nodes if not (self.is_trace(n) or self._is_import(n))]

    def unwrapped(self, node: object) -> object:
        """The lambda in an injected call, any other node as it is."""
        if isinstance(node, ast.Call) and len(node.args) == 1 and self.is_trace(node.func):
            return node.args[0] if isinstance(node.args[0], ast.Lambda) else node
        return node

    def is_trace(self, node: object) -> bool:
        """Whether ``node`` is ``_functrace_.trace``."""
        return (
            isinstance(node, ast.Attribute)
            and node.attr == TRACE
            and isinstance(node.value, ast.Name)
            and node.value.id in self._names
        )

    def _is_import(self, node: object) -> bool:
        if isinstance(node, ast.Import):
            return all(map(self._is_import, node.names))
        return (
            isinstance(node, ast.alias)
            and node.asname in self._names
            and node.name == self._runtime
        )
