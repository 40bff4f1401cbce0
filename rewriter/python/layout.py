"""The decorator and the call around a lambda: written, and taken out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from rewriter.edit import Edit, delete, insert
from rewriter.python.functions import Def, PyFunction
from rewriter.python.names import TRACE
from rewriter.python.source import NEWLINE, Source

_REST = re.compile(rb"[ \t\f]*(?:" + NEWLINE + rb"[ \t\f]*)?")


def put_in(source: Source, found: PyFunction, name: str, at: int) -> Iterator[Edit]:
    """The decorator directly above the ``def`` at ``at``, or the call around a lambda."""
    code = f"{name}.{TRACE}".encode()
    if isinstance(found.node, ast.Lambda):
        yield insert(at, code + b"(")
        yield insert(source.end(found.node), b")")
    else:
        indent = source.indent(found.node.lineno)
        yield insert(at, b"@" + code + source.newline(at) + indent)


def take_out(source: Source, node: Def | ast.Call, name: str) -> Iterator[Edit]:
    """Every such decorator of a function, or the call around a lambda."""
    code = f"{name}.{TRACE}".encode()
    if isinstance(node, ast.Call):
        call, argument = source.start(node), node.args[0]
        if source.text.startswith(code, call):
            yield delete(call, source.start(argument))
            yield delete(source.end(argument), source.end(node))
        return
    for decorator in node.decorator_list:
        start, end = source.start(decorator), source.end(decorator)
        if source.text[start - 1 : end] == b"@" + code:
            rest = _REST.match(source.text, end)
            yield delete(start - 1, rest.end() if rest else end)
