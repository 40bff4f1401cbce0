"""The import of the runtime: where it is, and where it goes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from rewriter.python import names


@dataclass(frozen=True)
class Import:
    """An import of the runtime under a name of ours, at module level.

    Attributes:
        index: which statement of the module it is.
    """

    node: ast.Import
    alias: ast.alias
    index: int

    @property
    def name(self) -> str:
        """What the file calls the runtime."""
        return self.alias.asname or ""


def find(tree: ast.Module, path: str) -> Iterator[Import]:
    """The imports that inject put in, or would take for its own."""
    for index, node in enumerate(tree.body):
        if isinstance(node, ast.Import):
            ours = [a for a in node.names if a.name == path and names.is_ours(a.asname)]
            if len(ours) == 1:
                yield Import(node, ours[0], index)


def prologue(tree: ast.Module) -> int:
    """How many statements must stay first: the docstring and every ``__future__`` import."""
    count = 1 if ast.get_docstring(tree, clean=False) is not None else 0
    while count < len(tree.body) and _is_future(tree.body[count]):
        count += 1
    return count


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__" and not node.level
