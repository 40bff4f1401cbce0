"""The import of the runtime: put in, and taken out."""

from __future__ import annotations

import ast
import re

from rewriter.edit import Edit, delete, insert
from rewriter.python.imports import Import, prologue
from rewriter.python.source import NEWLINE, Source, header_lines

_CONTINUED = rb"(?:[ \t\f]*\\" + NEWLINE + rb")*"
_REST = re.compile(rb"(?:[ \t\f;]|\\" + NEWLINE + rb")*(?:#[^\r\n]*)?" + NEWLINE)
_BLANK_REST = re.compile(_CONTINUED + rb"[ \t\f]*(?:" + NEWLINE + rb"|(?=#)|\Z)")
_NEEDLESS = re.compile(rb"[ \t\f]*;" + _CONTINUED + rb"(?=[ \t\f]*(?:[#\r\n]|\Z))")
_JOINT = re.compile(rb"[ \t\f]*;(?:[ \t\f]|\\" + NEWLINE + rb")*")
_COMMENTS = re.compile(rb"(?:[ \t\f]*#[^\r\n]*" + NEWLINE + rb")+(?=[ \t\f]*" + NEWLINE + rb")")


def add(source: Source, path: str, name: str) -> Edit:
    """The import before the first statement that may follow it.

    On a line of its own, above an import if that is what comes first; on the line of a
    ``__future__`` import where a semicolon joins something to it.
    """
    code = f"import {path} as {name}".encode()
    first = prologue(source.tree)
    following = source.tree.body[first]
    if first:
        behind = _REST.match(source.text, source.end(source.tree.body[first - 1]))
        if behind is None:
            return insert(source.start(following), code + b"; ")
        at = behind.end()
    else:
        at = source.lines[header_lines(source.text)]
    if isinstance(following, (ast.Import, ast.ImportFrom)):
        at = _above(source, following, at)
    elif not first and (comments := _COMMENTS.match(source.text, at)):
        at = comments.end()
    return insert(at, code + source.newline(at))


def _above(source: Source, node: ast.stmt, limit: int) -> int:
    """The start of the line of ``node``, or of the comment directly above it."""
    line = node.lineno - 1
    while source.lines[line] > limit:
        above = source.text[source.lines[line - 1] : source.lines[line]]
        if not above.lstrip(b" \t\f").startswith(b"#"):
            break
        line -= 1
    return source.lines[line]


def remove(source: Source, imported: Import) -> Edit:
    """Take out what :func:`add` put in, wherever a person moved it since."""
    node = imported.node
    if len(node.names) > 1:
        return _remove_alias(source, imported)
    start, end = source.start(node), source.end(node)
    body, i = source.tree.body, imported.index
    if i + 1 < len(body) and _JOINT.fullmatch(source.text, end, source.start(body[i + 1])):
        return delete(start, source.start(body[i + 1]))
    needless = _NEEDLESS.match(source.text, end)
    end = needless.end() if needless else end
    if i and _JOINT.fullmatch(source.text, source.end(body[i - 1]), start):
        return delete(source.end(body[i - 1]), end)
    rest = _BLANK_REST.match(source.text, end)
    return delete(start, rest.end() if rest else end)


def _remove_alias(source: Source, imported: Import) -> Edit:
    aliases = imported.node.names
    i = aliases.index(imported.alias)
    if i:
        return delete(source.end(aliases[i - 1]), source.end(imported.alias))
    return delete(source.start(imported.alias), source.start(aliases[1]))
