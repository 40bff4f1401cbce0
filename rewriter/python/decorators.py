"""Decorators, and calls around lambdas: inserted and removed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from rewriter.edit import Edit, delete, insert
from rewriter.python.aliases import TRACE
from rewriter.python.functions import Def, PyFunction
from rewriter.python.parse import NEWLINE, ParsedSource

_REST = re.compile(rb"[ \t\f]*(?:" + NEWLINE + rb"[ \t\f]*)?")


def add(source: ParsedSource, found: PyFunction, alias: str, start: int) -> Iterator[Edit]:
    """Yield the edits that decorate the function at offset ``start``."""
    code = f"{alias}.{TRACE}".encode()
    if isinstance(found.node, ast.Lambda):
        yield insert(start, code + b"(")
        yield insert(source.get_end(found.node), b")")
    else:
        indent = source.get_indent(found.node.lineno)
        yield insert(start, b"@" + code + source.get_newline(start) + indent)


def remove(source: ParsedSource, node: Def | ast.Call, alias: str) -> Iterator[Edit]:
    """Yield the edits that remove every such decorator, or the call around a lambda."""
    code = f"{alias}.{TRACE}".encode()
    if isinstance(node, ast.Call):
        call, argument = source.get_start(node), node.args[0]
        if source.text.startswith(code, call):
            yield delete(call, source.get_start(argument))
            yield delete(source.get_end(argument), source.get_end(node))
        return
    for decorator in node.decorator_list:
        start, end = source.get_start(decorator), source.get_end(decorator)
        if source.text[start - 1 : end] == b"@" + code:
            rest = _REST.match(source.text, end)
            yield delete(start - 1, rest.end() if rest else end)
