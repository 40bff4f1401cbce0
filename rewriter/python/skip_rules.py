"""Rules by which functions and files are skipped regardless of the filters."""

from __future__ import annotations

import ast
import re

from rewriter.filters import Location, compile_path_globs
from rewriter.python.compiling_decorators import COMPILING_DECORATORS
from rewriter.python.directives import Directives
from rewriter.python.functions import Def, PyFunction
from rewriter.python.imported_names import ImportedNames

_OVERLOADS = frozenset(("typing.overload", "typing_extensions.overload"))
_TYPE_CHECKING = frozenset(
    ("typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING", "TYPE_CHECKING")
)
_SKIP = "# functrace: skip"
# Syntax trees take 400 times the memory of their source, and Python's own compiler takes more than
# linear time for a large function.
MAX_BYTES = 4 << 20
# Go's convention, and what the compilers of protocol buffers and gRPC write.
# Source: https://go.dev/s/generatedcode
_GENERATED = re.compile(rb"#\s*(?:Code )?[Gg]enerated .*DO NOT EDIT[.!]?\s*")
_COMMENT_LINE = re.compile(rb"[ \t\f]*(#[^\r\n]*)?(?:\r\n|\r|\n|$)")


def get_file_skip_reason(source: bytes, location: Location, *, skip_generated: bool) -> str | None:
    """Return why the whole file is skipped, or None."""
    if len(source) > MAX_BYTES:
        return f"larger than {MAX_BYTES >> 20} MiB"
    if location.path.endswith(".pyi"):
        return "stub file"
    if skip_generated and any(map(_GENERATED.fullmatch, _list_header_comments(source))):
        return "generated"
    return None


def _list_header_comments(source: bytes) -> list[bytes]:
    """Return the comments before the first statement."""
    comments = []
    at = 3 if source.startswith(b"\xef\xbb\xbf") else 0
    while at < len(source) and (line := _COMMENT_LINE.match(source, at)):
        comments.append(line[1] or b"")
        at = line.end()
    return comments


class Rules:
    """Skip rules for the functions of one source."""

    def __init__(
        self, names: ImportedNames, directives: Directives, compiled: tuple[str, ...]
    ) -> None:
        self._names = names
        self._skip = directives.skip
        self._is_compiling = compile_path_globs((*COMPILING_DECORATORS, *compiled))

    def get_skip_reason(self, found: PyFunction) -> str | None:
        """Return why ``found`` is skipped, or None."""
        node = found.node
        if found.scope.skip_reason:
            return found.scope.skip_reason
        if isinstance(node, ast.Lambda):
            return _SKIP if found.scope.line in self._skip else None
        if reason := self._get_reason_with_body(node):
            return reason
        if self._is_overload(node):
            return "@overload"
        return "empty body" if all(map(_is_empty, node.body)) else None

    def get_inherited_reason(self, node: ast.AST, field: str) -> str | None:
        """Return why everything in one block of ``node`` is skipped, or None."""
        if isinstance(node, ast.If):
            return "in if TYPE_CHECKING" if self._is_for_types(node.test, field) else None
        if field == "body" and isinstance(
            node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        ):
            return self._get_reason_with_body(node)
        return None

    def _get_reason_with_body(self, node: Def | ast.ClassDef) -> str | None:
        """Return why ``node`` is skipped with everything in it, or None."""
        if self._skip and self._skip & {node.lineno, *(d.lineno for d in node.decorator_list)}:
            return _SKIP
        for decorator in node.decorator_list:
            for name in self._names.resolve(decorator):
                if self._is_compiling(name):
                    return f"compiled by @{name}"
        return None

    def _is_overload(self, node: Def) -> bool:
        names = (n for d in node.decorator_list for n in self._names.resolve(d))
        return any(n in _OVERLOADS for n in names)

    def _is_for_types(self, test: ast.expr, field: str) -> bool:
        is_negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
        if isinstance(test, ast.UnaryOp) and is_negated:
            test = test.operand
        if isinstance(test, ast.Call) or field != ("orelse" if is_negated else "body"):
            return False
        return any(name in _TYPE_CHECKING for name in self._names.resolve(test))


def _is_empty(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return True  # a docstring, or ...
    return isinstance(statement, ast.Pass)
