"""Detection, insertion and removal of the import of the runtime."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from rewriter.edit import Edit, delete, insert
from rewriter.python.aliases import is_alias
from rewriter.python.parse import NEWLINE, ParsedSource, count_header_lines

_CONTINUED = rb"(?:[ \t\f]*\\" + NEWLINE + rb")*"
_REST = re.compile(rb"(?:[ \t\f;]|\\" + NEWLINE + rb")*(?:#[^\r\n]*)?" + NEWLINE)
_REST_BLANK = re.compile(_CONTINUED + rb"[ \t\f]*(?:" + NEWLINE + rb"|(?=#)|\Z)")
_TRAILING_SEMICOLON = re.compile(rb"[ \t\f]*;" + _CONTINUED + rb"(?=[ \t\f]*(?:[#\r\n]|\Z))")
_SEPARATOR = re.compile(rb"[ \t\f]*;(?:[ \t\f]|\\" + NEWLINE + rb")*")
_COMMENTS = re.compile(rb"(?:[ \t\f]*#[^\r\n]*" + NEWLINE + rb")+(?=[ \t\f]*" + NEWLINE + rb")")


@dataclass(frozen=True)
class Import:
    """Import of the runtime at module level, under an alias that inject may have chosen.

    Attributes:
        index: index of the statement in the module.
    """

    node: ast.Import
    alias: ast.alias
    index: int

    @property
    def alias_name(self) -> str:
        """Name by which the file refers to the runtime."""
        return self.alias.asname or ""


def find(tree: ast.Module, path: str) -> Iterator[Import]:
    """Yield the imports that inject added, or that look the same."""
    for index, node in enumerate(tree.body):
        if isinstance(node, ast.Import):
            injected = [a for a in node.names if a.name == path and is_alias(a.asname)]
            if len(injected) == 1:
                yield Import(node, injected[0], index)


def count_prologue(tree: ast.Module) -> int:
    """Return how many statements must stay first: docstring and ``__future__`` imports."""
    count = 1 if ast.get_docstring(tree, clean=False) is not None else 0
    while count < len(tree.body) and _is_future(tree.body[count]):
        count += 1
    return count


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__" and not node.level


def add(source: ParsedSource, path: str, alias: str) -> Edit:
    """Insert the import before the first statement that may follow it.

    It gets a line of its own, above any import that comes first. If a semicolon joins
    a statement to a ``__future__`` import, it is inserted on that line.
    """
    code = f"import {path} as {alias}".encode()
    first = count_prologue(source.tree)
    following = source.tree.body[first]
    if first:
        rest = _REST.match(source.text, source.get_end(source.tree.body[first - 1]))
        if rest is None:
            return insert(source.get_start(following), code + b"; ")
        start = rest.end()
    else:
        start = source.line_starts[count_header_lines(source.text)]
    if isinstance(following, (ast.Import, ast.ImportFrom)):
        start = _find_start_with_comment(source, following, start)
    elif not first and (comments := _COMMENTS.match(source.text, start)):
        start = comments.end()
    return insert(start, code + source.get_newline(start))


def _find_start_with_comment(source: ParsedSource, node: ast.stmt, limit: int) -> int:
    """Return the start of the line of ``node``, or of the comment directly above it."""
    line = node.lineno - 1
    while source.line_starts[line] > limit:
        above = source.text[source.line_starts[line - 1] : source.line_starts[line]]
        if not above.lstrip(b" \t\f").startswith(b"#"):
            break
        line -= 1
    return source.line_starts[line]


def remove(source: ParsedSource, imported: Import) -> Edit:
    """Remove an import that :func:`add` inserted, even if it has been moved since."""
    node = imported.node
    if len(node.names) > 1:
        return _remove_alias(source, imported)
    start, end = source.get_start(node), source.get_end(node)
    body, i = source.tree.body, imported.index
    if i + 1 < len(body) and _SEPARATOR.fullmatch(source.text, end, source.get_start(body[i + 1])):
        return delete(start, source.get_start(body[i + 1]))
    semicolon = _TRAILING_SEMICOLON.match(source.text, end)
    end = semicolon.end() if semicolon else end
    if i and _SEPARATOR.fullmatch(source.text, source.get_end(body[i - 1]), start):
        return delete(source.get_end(body[i - 1]), end)
    rest = _REST_BLANK.match(source.text, end)
    return delete(start, rest.end() if rest else end)


def _remove_alias(source: ParsedSource, imported: Import) -> Edit:
    aliases = imported.node.names
    i = aliases.index(imported.alias)
    if i:
        return delete(source.get_end(aliases[i - 1]), source.get_end(imported.alias))
    return delete(source.get_start(imported.alias), source.get_start(aliases[1]))
