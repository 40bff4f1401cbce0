"""The functions of a file, with what is around each."""

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
    """What is around a node.

    Attributes:
        prefix: the functions and classes around it, before a name: ``Class.method.``.
        qualprefix: the same as Python spells it: ``Class.method.<locals>.``.
        around: the names of each of them, in both spellings.
        in_function: whether one of them is a function.
        line: where the statement around it starts.
        reason: why nothing in it is instrumented, if so.
    """

    prefix: str = ""
    qualprefix: str = ""
    around: tuple[str, ...] = ()
    in_function: bool = False
    line: int = 0
    reason: str | None = None

    def inside(self, name: str, line: int, reason: str | None, *, local: bool) -> Scope:
        """The scope in a class of that name, or a function: ``local``."""
        plain, qualified = self.prefix + name, self.qualprefix + name
        return Scope(
            prefix=f"{plain}.",
            qualprefix=f"{qualified}.<locals>." if local else f"{qualified}.",
            around=(*self.around, plain, qualified),
            in_function=self.in_function or local,
            line=line,
            reason=reason,
        )


@dataclass(frozen=True)
class Slot:
    """Where in the tree an expression hangs."""

    parent: ast.AST
    field: str
    index: int | None

    def put(self, node: ast.expr) -> None:
        """Hang ``node`` there."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


@dataclass(frozen=True)
class PyFunction:
    """A ``def`` or a lambda.

    Attributes:
        function: its name, ``Class.method`` or ``outer.inner``, and lines from its ``def``.
        node: its node.
        scope: what is around it.
        slot: where it hangs.
    """

    function: Function
    node: Def | ast.Lambda
    scope: Scope
    slot: Slot

    @property
    def qualname(self) -> str:
        """Its ``__qualname__``: ``outer.<locals>.inner``."""
        return self.scope.qualprefix + _name(self.node)


# Why nothing in a class, function or branch is instrumented: a node, the name of one of its
# fields.
Inherited = Callable[[ast.AST, str], "str | None"]


def find(tree: ast.Module, inherited: Inherited, *, lambdas: bool) -> list[PyFunction]:
    """Every function in its order; lambdas if ``lambdas``."""
    found = [
        PyFunction(_function(node, scope), node, scope, slot)
        for node, scope, slot in _walk(tree, inherited, lambdas=lambdas)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
    ]
    return sorted(found, key=lambda f: (f.node.lineno, f.node.col_offset))


def statements(tree: ast.Module) -> list[ast.stmt]:
    """Every statement, in no order that matters."""
    found: list[ast.stmt] = []
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        for field in _blocks(node._fields):
            children = getattr(node, field)
            stack += children
            found += (c for c in children if isinstance(c, ast.stmt))
    return found


def _function(node: Def | ast.Lambda, scope: Scope) -> Function:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    return Function(scope.prefix + _name(node), node.lineno, lines)


def _name(node: Def | ast.Lambda) -> str:
    return "<lambda>" if isinstance(node, ast.Lambda) else node.name


@cache
def _blocks(fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f for f in fields if f in _BLOCKS)


def _walk(
    tree: ast.Module, inherited: Inherited, *, lambdas: bool
) -> Iterator[tuple[ast.AST, Scope, Slot]]:
    """Every node where there is a function; with a stack, as nesting may be deep."""
    stack: list[tuple[ast.AST, Scope, Slot]] = [(tree, Scope(), Slot(tree, "", None))]
    while stack:
        node, scope, slot = stack.pop()
        if isinstance(node, ast.stmt):
            scope = scope if not lambdas else replace(scope, line=node.lineno)
        yield node, scope, slot
        for field in node._fields if lambdas else _blocks(node._fields):
            children = getattr(node, field, None)
            if not isinstance(children, (list, ast.AST)):
                continue
            inner = _inside(node, field, scope, inherited)
            if isinstance(children, ast.AST):
                stack.append((children, inner, Slot(node, field, None)))
                continue
            stack += (
                (child, inner, Slot(node, field, i))
                for i, child in enumerate(children)
                if isinstance(child, ast.AST)
            )


def _inside(node: ast.AST, field: str, scope: Scope, inherited: Inherited) -> Scope:
    """The scope of what hangs at one field of ``node``."""
    if field in _ANNOTATIONS:
        return replace(scope, reason=scope.reason or "in an annotation")
    if type(node).__name__ in _FORMATTED:
        return replace(scope, reason=scope.reason or "in an f-string")
    reason = scope.reason or inherited(node, field)
    if field == "body" and isinstance(node, ast.ClassDef):
        return scope.inside(node.name, scope.line, reason, local=False)
    if field == "body" and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        return scope.inside(_name(node), scope.line, reason, local=True)
    return scope if reason == scope.reason else replace(scope, reason=reason)
