"""Functions that must be left alone whatever the filters say, and files likewise."""

from __future__ import annotations

import ast
import re

from rewriter.python.compiled import COMPILED
from rewriter.python.directives import Directives
from rewriter.python.functions import Def, PyFunction
from rewriter.python.resolve import Names
from rewriter.select import Place, matcher

_OVERLOADS = frozenset(("typing.overload", "typing_extensions.overload"))
_CHECKING = frozenset(("typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING", "TYPE_CHECKING"))
_SKIP = "# functrace: skip"
# Syntax trees take 400 times the memory of their source, and Python's own compiler takes more than
# linear time for a large function.
MAX_BYTES = 4 << 20
_TYPES_ONLY = "in if TYPE_CHECKING"
# Go's convention, and what the compilers of protocol buffers and gRPC write.
# Source: https://go.dev/s/generatedcode
_GENERATED = re.compile(rb"#\s*(?:Code )?[Gg]enerated .*DO NOT EDIT[.!]?\s*")
_COMMENT_LINE = re.compile(rb"[ \t\f]*(#[^\r\n]*)?(?:\r\n|\r|\n|$)")


def file_reason(source: bytes, place: Place, *, skip_generated: bool) -> str | None:
    """Why the file as a whole is left alone, or None."""
    if len(source) > MAX_BYTES:
        return f"larger than {MAX_BYTES >> 20} MiB"
    if place.path.endswith(".pyi"):
        return "stub file"
    if skip_generated and any(map(_GENERATED.fullmatch, _header(source))):
        return "generated"
    return None


def _header(source: bytes) -> list[bytes]:
    """The comments before the first statement."""
    comments = []
    at = 3 if source.startswith(b"\xef\xbb\xbf") else 0
    while at < len(source) and (line := _COMMENT_LINE.match(source, at)):
        comments.append(line[1] or b"")
        at = line.end()
    return comments


class Rules:
    """Why functions of one source are left alone."""

    def __init__(self, names: Names, directives: Directives, compiled: tuple[str, ...]) -> None:
        self._names = names
        self._skip = directives.skip
        self._is_compiled = matcher((*COMPILED, *compiled))

    def reason(self, found: PyFunction) -> str | None:
        """Why ``found`` is left alone, or None."""
        node = found.node
        if found.scope.reason:
            return found.scope.reason
        if isinstance(node, ast.Lambda):
            return _SKIP if found.scope.line in self._skip else None
        return self._said(node) or self._overload(node) or _empty(node)

    def inherited(self, node: ast.AST, field: str) -> str | None:
        """Why nothing in one block of ``node`` is instrumented, or None."""
        if isinstance(node, ast.If):
            return _TYPES_ONLY if self._is_for_types(node.test, field) else None
        if field == "body" and isinstance(
            node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        ):
            return self._said(node)
        return None

    def _said(self, node: Def | ast.ClassDef) -> str | None:
        """The reason that holds for all that is in ``node``, too."""
        if self._skip and self._skip & {node.lineno, *(d.lineno for d in node.decorator_list)}:
            return _SKIP
        for decorator in node.decorator_list:
            for name in self._names.meanings(decorator):
                if self._is_compiled(name):
                    return f"compiled by @{name}"
        return None

    def _overload(self, node: Def) -> str | None:
        meanings = (m for d in node.decorator_list for m in self._names.meanings(d))
        return "@overload" if any(m in _OVERLOADS for m in meanings) else None

    def _is_for_types(self, test: ast.expr, field: str) -> bool:
        is_negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
        if isinstance(test, ast.UnaryOp) and is_negated:
            test = test.operand
        if isinstance(test, ast.Call) or field != ("orelse" if is_negated else "body"):
            return False
        return any(name in _CHECKING for name in self._names.meanings(test))


def _empty(node: Def) -> str | None:
    return "empty body" if all(map(_does_nothing, node.body)) else None


def _does_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return True  # a docstring, or ...
    return isinstance(statement, ast.Pass)
