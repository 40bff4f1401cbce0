"""Functions of a Python file with their enclosing scopes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from rewriter.plan import Function

Def = ast.FunctionDef | ast.AsyncFunctionDef
_BLOCKS = frozenset(("body", "orelse", "finalbody", "handlers", "cases"))
_FORMATTED = frozenset(("JoinedStr", "TemplateStr"))
_ANNOTATIONS = frozenset(("annotation", "returns", "type_params"))


@dataclass(frozen=True)
class Scope:
    """Scope that encloses a node.

    Attributes:
        prefix: prefix of names in it: ``Class.method.``.
        in_function: whether one of these is a function.
        line: first line of the enclosing statement.
        skip_reason: why everything in it is skipped, if so.
    """

    prefix: str = ""
    in_function: bool = False
    line: int = 0
    skip_reason: str | None = None

    def enter(self, name: str, line: int, reason: str | None, *, is_function: bool) -> Scope:
        """Return the scope inside a class or function of that name."""
        return Scope(
            prefix=f"{self.prefix}{name}.",
            in_function=self.in_function or is_function,
            line=line,
            skip_reason=reason,
        )


@dataclass(frozen=True)
class Slot:
    """Position of a node in its parent."""

    parent: ast.AST
    field: str
    index: int | None

    def set(self, node: ast.expr) -> None:
        """Replace the node at this position."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


@dataclass(frozen=True)
class PyFunction:
    """Function: a ``def`` or a lambda.

    Attributes:
        function: name (``Class.method``, ``outer.inner``) and lines from its ``def``.
        node: node in the tree.
        scope: enclosing scope.
        slot: position in the parent node.
    """

    function: Function
    node: Def | ast.Lambda
    scope: Scope
    slot: Slot


# Returns why everything in a class, function or branch is skipped, given a node and a field name.
ReasonGetter = Callable[[ast.AST, str], "str | None"]


def find(tree: ast.Module, get_reason: ReasonGetter, *, lambdas: bool) -> list[PyFunction]:
    """Return every function in source order, lambdas only if ``lambdas``."""
    found = [
        PyFunction(_make_function(node, scope), node, scope, slot)
        for node, scope, slot in _walk(tree, get_reason, lambdas=lambdas)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    ]
    return sorted(found, key=lambda f: (f.node.lineno, f.node.col_offset))


def list_statements(tree: ast.Module) -> list[ast.stmt]:
    """Return every statement, in no particular order."""
    found: list[ast.stmt] = []
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        for field in _list_blocks(node._fields):
            children = getattr(node, field)
            stack += children
            found += (c for c in children if isinstance(c, ast.stmt))
    return found


def _make_function(node: Def | ast.Lambda, scope: Scope) -> Function:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    return Function(scope.prefix + _get_name(node), node.lineno, lines)


def _get_name(node: Def | ast.Lambda) -> str:
    return "<lambda>" if isinstance(node, ast.Lambda) else node.name


@cache
def _list_blocks(fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f for f in fields if f in _BLOCKS)


def _walk(
    tree: ast.Module, get_reason: ReasonGetter, *, lambdas: bool
) -> Iterator[tuple[ast.AST, Scope, Slot]]:
    """Yield every node that may be a function, without recursion since nesting may be deep."""
    stack: list[tuple[ast.AST, Scope, Slot]] = [(tree, Scope(), Slot(tree, "", None))]
    while stack:
        node, scope, slot = stack.pop()
        if lambdas and isinstance(node, ast.stmt):
            scope = replace(scope, line=node.lineno)
        yield node, scope, slot
        for field in node._fields if lambdas else _list_blocks(node._fields):
            children = getattr(node, field, None)
            if not isinstance(children, (list, ast.AST)):
                continue
            inner = _enter_field(node, field, scope, get_reason)
            if isinstance(children, ast.AST):
                stack.append((children, inner, Slot(node, field, None)))
                continue
            stack += (
                (child, inner, Slot(node, field, i))
                for i, child in enumerate(children)
                if isinstance(child, ast.AST)
            )


def _enter_field(node: ast.AST, field: str, scope: Scope, get_reason: ReasonGetter) -> Scope:
    """Return the scope of the children in one field of ``node``."""
    if field in _ANNOTATIONS:
        return replace(scope, skip_reason=scope.skip_reason or "in an annotation")
    if type(node).__name__ in _FORMATTED:
        return replace(scope, skip_reason=scope.skip_reason or "in an f-string")
    reason = scope.skip_reason or get_reason(node, field)
    if field == "body" and isinstance(node, ast.ClassDef):
        return scope.enter(node.name, scope.line, reason, is_function=False)
    if field == "body" and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        return scope.enter(_get_name(node), scope.line, reason, is_function=True)
    return scope if reason == scope.skip_reason else replace(scope, skip_reason=reason)
