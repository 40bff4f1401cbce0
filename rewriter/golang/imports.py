"""Import of the runtime: found, inserted and removed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from rewriter.edit import Edit, delete, insert
from rewriter.golang import grammar
from rewriter.golang.aliases import BASE
from rewriter.golang.tokens import REST_OF_LINE

_ONE_COMMENT = re.compile(rb"[ \t]*(?://[^\r\n]*)?(\r?\n)")
_REST_BLANK = re.compile(rb"[ \t]*\r?\n")
_SEMICOLON = re.compile(rb"[ \t]*;[ \t]*")


@dataclass(frozen=True)
class Import:
    """Import spec: path, alias and position.

    Attributes:
        spec: offsets from name or path to the end of the path.
        declaration: offsets of the enclosing import declaration.
        is_single: the declaration has no parentheses.
    """

    path: str
    alias: str
    spec: tuple[int, int]
    declaration: tuple[int, int]
    is_single: bool


def find(root: Node) -> Iterator[Import]:
    """Yield the imports of a file in source order."""
    for declaration in root.children:
        if declaration.type != "import_declaration":
            continue
        is_single = all(child.type != "import_spec_list" for child in declaration.children)
        for spec in grammar.capture("(import_spec) @spec", declaration):
            path = spec.child_by_field_name("path")
            name = spec.child_by_field_name("name")
            literal = grammar.text(path)[1:-1].decode(errors="replace") if path else ""
            yield Import(
                path=literal,
                alias=grammar.text(name).decode() if name else guess_package_name(literal),
                spec=(spec.start_byte, spec.end_byte),
                declaration=(declaration.start_byte, declaration.end_byte),
                is_single=is_single,
            )


def guess_package_name(path: str) -> str:
    """Return the most likely name of the package at ``path``."""
    last = path.rpartition("/")[2]
    return path.split("/")[-2] if re.fullmatch(r"v\d+", last) and "/" in path else last


def find_runtimes(root: Node, path: str, unrelated: frozenset[str]) -> dict[str, Import]:
    """Map aliases to the imports of a functrace runtime.

    These are ``path`` and every package called functrace that is not in ``unrelated``.
    """
    return {i.alias: i for i in find(root) if _is_runtime(i, path, unrelated)}


def _is_runtime(imported: Import, path: str, unrelated: frozenset[str]) -> bool:
    if imported.alias in ("_", ".") or imported.path in unrelated:
        return False
    return imported.path == path or guess_package_name(imported.path) == BASE


def _format_spec(path: str, alias: str) -> bytes:
    name = "" if guess_package_name(path) == alias else f"{alias} "
    return f'{name}"{path}"'.encode()


def add_inline(root: Node, path: str, alias: str) -> Edit:
    """Insert the import on the line of the package clause, so that no line moves."""
    return insert(_get_package_end(root), f'; import {alias} "{path}"'.encode())


def add_line(source: bytes, root: Node, path: str, alias: str) -> Edit:
    """Insert the import on a line of its own if possible, else on the package's line."""
    edit = _add_to_block(source, root, path, alias)
    edit = edit or _add_after_imports(source, root, path, alias)
    return edit or add_inline(root, path, alias)


def get_package_name(root: Node) -> str:
    """Return the name in the package clause."""
    return grammar.text(_get_package_clause(root)).decode(errors="replace").split()[-1]


def _get_package_end(root: Node) -> int:
    return _get_package_clause(root).end_byte


def _get_package_clause(root: Node) -> Node:
    return next(child for child in root.children if child.type == "package_clause")


def _add_to_block(source: bytes, root: Node, path: str, alias: str) -> Edit | None:
    """Insert the import as a group of its own at the end of the first parenthesised block."""
    for node in root.children:
        if node.type == "import_declaration" and b"(" in grammar.text(node)[:20]:
            close = node.end_byte - 1
            line = source.rfind(b"\n", 0, close) + 1
            has_specs = bool(grammar.capture("(import_spec) @spec", node))
            if has_specs and line > node.start_byte and not source[line:close].strip():
                newline = _get_newline(source, line)
                return insert(line, newline + b"\t" + _format_spec(path, alias) + newline)
    return None


def _add_after_imports(source: bytes, root: Node, path: str, alias: str) -> Edit | None:
    """Insert the import after the last import, or in a paragraph after the package clause."""
    imports = [n for n in root.children if n.type == "import_declaration"]
    end = imports[-1].end_byte if imports else _get_package_end(root)
    rest = (_ONE_COMMENT if imports else REST_OF_LINE).match(source, end)
    if rest is None:
        return None
    blank = b"" if imports else rest[1]
    return insert(rest.end(), blank + b"import " + _format_spec(path, alias) + rest[1])


def _get_newline(source: bytes, line_start: int) -> bytes:
    return b"\r\n" if source[line_start - 2 : line_start] == b"\r\n" else b"\n"


def remove(source: bytes, root: Node, imported: Import) -> Edit:
    """Remove an import that was added here, even if it has been moved since."""
    if not imported.is_single:
        return _remove_spec(source, *imported.spec)
    start, end = imported.declaration
    package = _get_package_end(root)
    if source[package:start] == b"; ":
        return delete(package, end)
    line = _get_own_line(source, start, end)
    if line is None:
        return delete(start, end)
    clause = REST_OF_LINE.match(source, package)
    if clause and source[clause.end() : line[0]] == clause[1]:
        return delete(clause.end(), line[1])
    return delete(*line)


def _remove_spec(source: bytes, start: int, end: int) -> Edit:
    line = _get_own_line(source, start, end)
    if line is None:
        separator = _SEMICOLON.match(source, end)
        return delete(start, separator.end() if separator else end)
    newline = _get_newline(source, line[0])
    is_own_group = source[: line[0]].endswith(newline * 2)
    if is_own_group and source[line[1] :].lstrip(b" \t").startswith(b")"):
        return delete(line[0] - len(newline), line[1])
    return delete(*line)


def _get_own_line(source: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Return the line that contains only these bytes, or None."""
    line = source.rfind(b"\n", 0, start) + 1
    rest = _REST_BLANK.match(source, end)
    if rest is None or source[line:start].strip():
        return None
    return line, rest.end()
