"""Resolution of the names in decorators by means of the file's own imports."""

from __future__ import annotations

import ast
from collections.abc import Iterable


class ImportedNames:
    """Names that a file imports, anywhere in it."""

    def __init__(self, statements: Iterable[ast.stmt]) -> None:
        self._full_names: dict[str, str] = {}
        self._star_modules: list[str] = []
        assignments: list[ast.Assign] = []
        for node in statements:
            if isinstance(node, ast.Import):
                self._add_import(node)
            elif isinstance(node, ast.ImportFrom):
                self._add_import_from(node)
            elif isinstance(node, ast.Assign):
                assignments.append(node)
        for node in assignments:
            self._add_assignment(node)

    def _add_import(self, node: ast.Import) -> None:
        for alias in node.names:
            first = alias.name.partition(".")[0]
            self._full_names[alias.asname or first] = alias.name if alias.asname else first

    def _add_import_from(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self._star_modules.append(module)
            else:
                self._full_names[alias.asname or alias.name] = f"{module}.{alias.name}"

    def _add_assignment(self, node: ast.Assign) -> None:
        """Add a decorator made by an assignment such as ``jit = numba.njit(cache=True)``."""
        target = node.targets[0]
        value = _format_dotted(node.value)
        if len(node.targets) > 1 or not isinstance(target, ast.Name) or value is None:
            return
        if value.partition(".")[0] in self._full_names and target.id not in self._full_names:
            self._full_names[target.id] = self.resolve(node.value)[0]

    def resolve(self, node: ast.expr) -> tuple[str, ...]:
        """Return the dotted names that ``node``, or the function that it calls, may refer to."""
        name = _format_dotted(node)
        if name is None:
            return ()
        first, dot, rest = name.partition(".")
        if first in self._full_names:
            return (f"{self._full_names[first]}{dot}{rest}",)
        return (name, *(f"{module}.{name}" for module in self._star_modules))


def _format_dotted(node: ast.expr) -> str | None:
    """Return ``a.b.c`` for that expression or a call of it, None for any other."""
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
