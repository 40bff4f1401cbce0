"""Proof that a rewritten source is the same program."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from rewriter.edit import Edit, apply
from rewriter.errors import SourceError
from rewriter.python import imports
from rewriter.python.aliases import TRACE
from rewriter.python.parse import ParsedSource, check_compiles, parse


def apply_and_parse(before: ParsedSource, edits: Iterable[Edit]) -> ParsedSource | None:
    """Return the source after ``edits``, or None if they made it invalid.

    Raises:
        SourceError: the source was invalid before.
        SkipFile: Python cannot compile the source.
    """
    try:
        after = parse(apply(before.raw, before.to_raw_edits(edits)))
        check_compiles(after.tree)
    except SourceError:
        check_compiles(before.tree)
        return None
    return after


def is_same(one: ast.AST, other: ast.AST, injected: Injected) -> bool:
    """Return whether two trees are equal except for injected nodes.

    Lists of the same length must be equal with all nodes: injection does not move nodes.
    """
    stack: list[tuple[object, object]] = [(one, other)]
    while stack:
        x, y = stack.pop()
        if isinstance(x, ast.Call) or isinstance(y, ast.Call):
            x, y = injected.unwrap(x), injected.unwrap(y)
        if x.__class__ is not y.__class__:
            return False
        if isinstance(x, ast.AST):
            stack += [
                (a, b)
                for f in x._fields  # names, None, contexts and operators are mostly identical
                if (a := getattr(x, f, None)) is not (b := getattr(y, f, None))
            ]
        elif isinstance(x, list) and isinstance(y, list):
            if len(x) != len(y):
                x, y = injected.remove_from(x), injected.remove_from(y)
            if len(x) != len(y):
                return False
            stack += zip(x, y, strict=True)
        elif x != y:
            return False
    return True


def find_injected(tree: ast.Module, path: str) -> Injected:
    """Return what counts as injected in a tree."""
    return Injected((i.alias_name for i in imports.find(tree, path)), path)


class Injected:
    """Nodes that inject adds to a tree which imports the runtime under ``aliases``."""

    def __init__(self, aliases: Iterable[str], runtime: str) -> None:
        self._aliases = frozenset(aliases)
        self._runtime = runtime

    def remove_from(self, nodes: list[object]) -> list[object]:
        """Return a list of statements, decorators or imported names without injected nodes."""
        if not nodes or not self._aliases:
            return nodes
        return [n for n in nodes if not (self.is_trace(n) or self._is_import(n))]

    def unwrap(self, node: object) -> object:
        """Return the lambda in an injected call, or any other node itself."""
        if isinstance(node, ast.Call) and len(node.args) == 1 and self.is_trace(node.func):
            return node.args[0] if isinstance(node.args[0], ast.Lambda) else node
        return node

    def is_trace(self, node: object) -> bool:
        """Return whether ``node`` is ``_functrace_.trace``."""
        return (
            isinstance(node, ast.Attribute)
            and node.attr == TRACE
            and isinstance(node.value, ast.Name)
            and node.value.id in self._aliases
        )

    def _is_import(self, node: object) -> bool:
        if isinstance(node, ast.Import):
            return all(map(self._is_import, node.names))
        return (
            isinstance(node, ast.alias)
            and node.asname in self._aliases
            and node.name == self._runtime
        )
