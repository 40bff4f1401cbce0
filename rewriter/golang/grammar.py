"""tree-sitter's Go grammar, loaded once per process."""

from __future__ import annotations

from functools import cache

import tree_sitter_go
from tree_sitter import Language, Node, Parser, Query, QueryCursor, Tree


@cache
def _language() -> Language:
    return Language(tree_sitter_go.language())


@cache
def _parser() -> Parser:
    return Parser(_language())


@cache
def _query(pattern: str) -> Query:
    query: Query = Query(_language(), pattern)  # Any in the types of tree-sitter 0.25
    return query


def parse(source: bytes) -> Tree:
    """Return the tree of ``source``, which may contain error nodes."""
    return _parser().parse(source)


def capture(pattern: str, node: Node) -> list[Node]:
    """Return the nodes below ``node`` that ``pattern`` captures, in source order."""
    found = QueryCursor(_query(pattern)).captures(node)
    nodes = [n for group in found.values() for n in group]
    return sorted(nodes, key=lambda n: n.start_byte)


def text(node: Node) -> bytes:
    """Return the node's bytes."""
    return node.text or b""
