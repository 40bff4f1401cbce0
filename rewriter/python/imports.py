"""The import of the runtime: found, put in, taken out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from rewriter.edit import Edit, delete, insert
from rewriter.python import names
from rewriter.python.proof import Injected
from rewriter.python.source import NEWLINE, Source, header_lines

_CONTINUED = rb"(?:[ \t\f]*\\" + NEWLINE + rb")*"
_REST = re.compile(rb"(?:[ \t\f;]|\\" + NEWLINE + rb")*(?:#[^\r\n]*)?" + NEWLINE)
_BLANK_REST = re.compile(_CONTINUED + rb"[ \t\f]*(?:" + NEWLINE + rb"|(?=#)|\Z)")
_NEEDLESS = re.compile(rb"[ \t\f]*;" + _CONTINUED + rb"(?=[ \t\f]*(?:[#\r\n]|\Z))")
_JOINT = re.compile(rb"[ \t\f]*;(?:[ \t\f]|\\" + NEWLINE + rb")*")
_COMMENTS = re.compile(rb"(?:[ \t\f]*#[^\r\n]*" + NEWLINE + rb")+(?=[ \t\f]*" + NEWLINE + rb")")


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


def injected(tree: ast.Module, path: str) -> Injected:
    """What of a tree is not the program's own."""
    return Injected((i.name for i in find(tree, path)), path)


def prologue(tree: ast.Module) -> int:
    """How many statements must stay first: the docstring and every ``__future__`` import."""
    count = 1 if ast.get_docstring(tree, clean=False) is not None else 0
    while count < len(tree.body) and _is_future(tree.body[count]):
        count += 1
    return count


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__" and not node.level


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
