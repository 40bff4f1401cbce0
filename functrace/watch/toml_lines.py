"""Line numbers of the keys in a TOML file, which tomllib does not give."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TypeAlias

import tree_sitter
import tree_sitter_toml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Path: TypeAlias = tuple["str | int", ...]
"""Keys from the top of the file to a value; a number is an index in an array of tables."""

_KEYS = ("bare_key", "quoted_key", "dotted_key")


def find_lines(text: str) -> dict[Path, int]:
    """Return the line of each table and key of a valid TOML file, counted from 1."""
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
    root = parser.parse(text.encode()).root_node
    lines: dict[Path, int] = {}
    lengths: dict[Path, int] = {}
    for node in root.named_children:
        if node.type == "pair":
            _add_pair((), node, lines)
        elif node.type in ("table", "table_array_element"):
            header = _key_of(node)
            path = _resolved(header, lengths, is_element=node.type == "table_array_element")
            _add(path, node, lines)
            for pair in node.named_children:
                if pair.type == "pair":
                    _add_pair(path, pair, lines)
    return lines


def _resolved(header: Path, lengths: dict[Path, int], *, is_element: bool) -> Path:
    """Return the path of a table's header, with the index of the last element of each array."""
    path: Path = ()
    for depth, part in enumerate(header, 1):
        path = (*path, part)
        if is_element and depth == len(header):
            lengths[path] = lengths.get(path, 0) + 1
        if path in lengths:
            path = (*path, lengths[path] - 1)
    return path


def _add_pair(path: Path, pair: tree_sitter.Node, lines: dict[Path, int]) -> None:
    path = (*path, *_key_of(pair))
    _add(path, pair, lines)
    value = pair.named_children[-1]
    if value.type == "inline_table":
        for inner in value.named_children:
            if inner.type == "pair":
                _add_pair(path, inner, lines)
    elif value.type == "array":
        tables = (each for each in value.named_children if each.type == "inline_table")
        for index, table in enumerate(tables):
            _add((*path, index), table, lines)
            for inner in table.named_children:
                if inner.type == "pair":
                    _add_pair((*path, index), inner, lines)


def _add(path: Path, node: tree_sitter.Node, lines: dict[Path, int]) -> None:
    for length in range(1, len(path) + 1):
        lines.setdefault(path[:length], node.start_point[0] + 1)


def _key_of(node: tree_sitter.Node) -> Path:
    key = next(child for child in node.named_children if child.type in _KEYS)
    return tuple(_parts(key))


def _parts(key: tree_sitter.Node) -> Iterator[str]:
    if key.type == "dotted_key":
        for child in key.named_children:
            yield from _parts(child)
    elif key.text is not None:
        yield from tomllib.loads(f"{key.text.decode()} = 0")
