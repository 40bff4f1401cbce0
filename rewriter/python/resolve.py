"""What the names in a decorator mean, as far as the file's own imports tell."""

from __future__ import annotations

import ast
from collections.abc import Iterable


class Names:
    """The imports of one file, wherever in it they stand."""

    def __init__(self, statements: Iterable[ast.stmt]) -> None:
        self._meanings: dict[str, str] = {}
        self._stars: list[str] = []
        assigned: list[ast.Assign] = []
        for node in statements:
            if isinstance(node, ast.Import):
                self._import(node)
            elif isinstance(node, ast.ImportFrom):
                self._import_from(node)
            elif isinstance(node, ast.Assign):
                assigned.append(node)
        for node in assigned:
            self._assign(node)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            first = alias.name.partition(".")[0]
            self._meanings[alias.asname or first] = alias.name if alias.asname else first

    def _import_from(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self._stars.append(module)
            else:
                self._meanings[alias.asname or alias.name] = f"{module}.{alias.name}"

    def _assign(self, node: ast.Assign) -> None:
        """``jit = numba.njit(cache=True)`` makes a decorator, too."""
        target = node.targets[0]
        value = dotted(node.value)
        if len(node.targets) > 1 or not isinstance(target, ast.Name) or value is None:
            return
        meaning = self._meanings.get(value.partition(".")[0])
        if meaning and target.id not in self._meanings:
            self._meanings[target.id] = self.meanings(node.value)[0]

    def meanings(self, node: ast.expr) -> tuple[str, ...]:
        """The dotted names that ``node`` may stand for, a call of it likewise."""
        name = dotted(node)
        if name is None:
            return ()
        first, dot, rest = name.partition(".")
        if first in self._meanings:
            return (f"{self._meanings[first]}{dot}{rest}",)
        return (name, *(f"{module}.{name}" for module in self._stars))


def dotted(node: ast.expr) -> str | None:
    """``a.b.c`` for that expression or a call of it, None for any other."""
    parts: list[str] = []
    while True:
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Name):
            return ".".join((node.id, *reversed(parts)))
        else:
            return None
