"""The import of the runtime: found, put in, taken out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from rewriter.edit import Edit, delete, insert
from rewriter.golang import grammar
from rewriter.golang.names import BASE
from rewriter.golang.tokens import REST_OF_LINE

_ONE_COMMENT = re.compile(rb"[ \t]*(?://[^\r\n]*)?(\r?\n)")
_BLANK_REST = re.compile(rb"[ \t]*\r?\n")
_SEMICOLON = re.compile(rb"[ \t]*;[ \t]*")


@dataclass(frozen=True)
class Import:
    """An import spec: its path, the name it goes by, and where it stands.

    Attributes:
        spec: bytes from name or path to the end of the path.
        declaration: bytes of the import declaration around it.
        alone: the declaration has no parentheses.
    """

    path: str
    alias: str
    spec: tuple[int, int]
    declaration: tuple[int, int]
    alone: bool


def find(root: Node) -> Iterator[Import]:
    """Yield the imports of a file in their order."""
    for declaration in root.children:
        if declaration.type != "import_declaration":
            continue
        alone = all(child.type != "import_spec_list" for child in declaration.children)
        for spec in grammar.captures("(import_spec) @spec", declaration):
            path = spec.child_by_field_name("path")
            name = spec.child_by_field_name("name")
            literal = grammar.text(path)[1:-1].decode(errors="replace") if path else ""
            yield Import(
                path=literal,
                alias=grammar.text(name).decode() if name else default_name(literal),
                spec=(spec.start_byte, spec.end_byte),
                declaration=(declaration.start_byte, declaration.end_byte),
                alone=alone,
            )


def default_name(path: str) -> str:
    """The name that a package at ``path`` most likely has."""
    last = path.rpartition("/")[2]
    return path.split("/")[-2] if re.fullmatch(r"v\d+", last) and "/" in path else last


def runtimes(root: Node, path: str, namesakes: frozenset[str]) -> dict[str, Import]:
    """Return the imports of a functrace runtime by their aliases.

    These are ``path`` and all that are called functrace, but for ``namesakes``.
    """
    return {i.alias: i for i in find(root) if _is_runtime(i, path, namesakes)}


def _is_runtime(imported: Import, path: str, namesakes: frozenset[str]) -> bool:
    if imported.alias in ("_", ".") or imported.path in namesakes:
        return False
    return imported.path == path or default_name(imported.path) == BASE


def _spec(path: str, alias: str) -> bytes:
    name = "" if default_name(path) == alias else f"{alias} "
    return f'{name}"{path}"'.encode()


def add_inline(root: Node, path: str, alias: str) -> Edit:
    """The import on the line of the package clause, so that no line moves."""
    return insert(_package_end(root), f'; import {alias} "{path}"'.encode())


def add_line(source: bytes, root: Node, path: str, alias: str) -> Edit:
    """The import where a person would put it; on the package's line if it has no line to itself."""
    edit = _in_block(source, root, path, alias)
    edit = edit or _behind_imports(source, root, path, alias)
    return edit or add_inline(root, path, alias)


def package_name(root: Node) -> str:
    """What the package clause says."""
    return grammar.text(_package_clause(root)).decode(errors="replace").split()[-1]


def _package_end(root: Node) -> int:
    return _package_clause(root).end_byte


def _package_clause(root: Node) -> Node:
    return next(child for child in root.children if child.type == "package_clause")


def _in_block(source: bytes, root: Node, path: str, alias: str) -> Edit | None:
    """A group of its own at the end of the first parenthesised block."""
    for node in root.children:
        if node.type == "import_declaration" and b"(" in grammar.text(node)[:20]:
            close = node.end_byte - 1
            line = source.rfind(b"\n", 0, close) + 1
            has_specs = bool(grammar.captures("(import_spec) @spec", node))
            if has_specs and line > node.start_byte and not source[line:close].strip():
                newline = _newline(source, line)
                return insert(line, newline + b"\t" + _spec(path, alias) + newline)
    return None


def _behind_imports(source: bytes, root: Node, path: str, alias: str) -> Edit | None:
    """A line of its own behind the last import, or in a paragraph behind the package clause."""
    imports = [n for n in root.children if n.type == "import_declaration"]
    behind = imports[-1].end_byte if imports else _package_end(root)
    rest = (_ONE_COMMENT if imports else REST_OF_LINE).match(source, behind)
    if rest is None:
        return None
    blank = b"" if imports else rest[1]
    return insert(rest.end(), blank + b"import " + _spec(path, alias) + rest[1])


def _newline(source: bytes, line_start: int) -> bytes:
    return b"\r\n" if source[line_start - 2 : line_start] == b"\r\n" else b"\n"


def remove(source: bytes, root: Node, imported: Import) -> Edit:
    """Take out what one of the functions above put in, wherever a person moved it since."""
    if not imported.alone:
        return _remove_spec(source, *imported.spec)
    start, end = imported.declaration
    package = _package_end(root)
    if source[package:start] == b"; ":
        return delete(package, end)
    line = _own_line(source, start, end)
    if line is None:
        return delete(start, end)
    clause = REST_OF_LINE.match(source, package)
    if clause and source[clause.end() : line[0]] == clause[1]:
        return delete(clause.end(), line[1])
    return delete(*line)


def _remove_spec(source: bytes, start: int, end: int) -> Edit:
    line = _own_line(source, start, end)
    if line is None:
        separator = _SEMICOLON.match(source, end)
        return delete(start, separator.end() if separator else end)
    newline = _newline(source, line[0])
    is_own_group = source[: line[0]].endswith(newline * 2)
    if is_own_group and source[line[1] :].lstrip(b" \t").startswith(b")"):
        return delete(line[0] - len(newline), line[1])
    return delete(*line)


def _own_line(source: bytes, start: int, end: int) -> tuple[int, int] | None:
    """The line that holds nothing but these bytes, or None."""
    line = source.rfind(b"\n", 0, start) + 1
    rest = _BLANK_REST.match(source, end)
    if rest is None or source[line:start].strip():
        return None
    return line, rest.end()
