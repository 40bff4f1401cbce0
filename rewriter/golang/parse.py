"""A tree that can be trusted, or a clear error: never edits from a tree with an error in it."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from rewriter.errors import SourceError
from rewriter.golang import grammar, lag
from rewriter.golang.tokens import error_at

_PACKAGE, _IMPORT, _DECLARATION = 1, 2, 3
_RANKS = {
    "package_clause": _PACKAGE,
    "import_declaration": _IMPORT,
    "function_declaration": _DECLARATION,
    "method_declaration": _DECLARATION,
    "var_declaration": _DECLARATION,
    "const_declaration": _DECLARATION,
    "type_declaration": _DECLARATION,
}


def parse(source: bytes, *, vouched: bool = False) -> Node:
    """Return the root of a tree of ``source`` in which every function has its place.

    Where the grammar lags the language the tree is that of the skeleton of the
    source: its functions' bodies hold nothing but literals and trace calls.

    Args:
        source: a Go file.
        vouched: a Go toolchain accepts the file, so what the grammar does not
            know is not an error.

    Raises:
        SourceError: the file is no valid Go, or beyond what can be parsed here.
    """
    if b"\0" in source:
        raise error_at(source, source.index(b"\0"), "a NUL byte: this is no Go source")
    root = grammar.parse(source).root_node
    if not root.has_error:
        return _ordered(source, root)
    if not vouched and grammar.parse(lag.relaxed(source)).root_node.has_error:
        raise _first_error(source, root)
    try:
        outline = grammar.parse(lag.skeleton(source)).root_node
    except RecursionError:
        raise _first_error(source, root) from None
    if outline.has_error:
        raise _first_error(source, root)
    return _ordered(source, outline, whole=False)


def _ordered(source: bytes, root: Node, *, whole: bool = True) -> Node:
    """The root itself; the grammar alone would let its parts stand in any order.

    If it is not that of the ``whole`` source, literals stand in for declarations.
    """
    rank = 0
    for child in root.children:
        if not child.is_named or child.type == "comment":
            continue
        here = _RANKS.get(child.type, 0 if whole else _DECLARATION)
        if here < rank or (here == rank == _PACKAGE):
            raise _unexpected(source, child)
        if rank == 0 and here != _PACKAGE:
            raise error_at(source, child.start_byte, "no package clause")
        rank = here
    if rank == 0:
        raise error_at(source, 0, "no package clause")
    return root


def _first_error(source: bytes, root: Node) -> SourceError:
    node = next(_errors(root), root)
    if node.is_missing:
        return error_at(source, node.start_byte, f"expected {node.type!r}")
    return _unexpected(source, node)


def _unexpected(source: bytes, node: Node) -> SourceError:
    found = source[node.start_byte : node.end_byte].split(b"\n")[0][:40]
    return error_at(source, node.start_byte, f"unexpected {found.decode(errors='replace')!r}")


def _errors(node: Node) -> Iterator[Node]:
    """The error nodes below ``node``, innermost first where they nest."""
    cursor = node.walk()
    while True:
        here = cursor.node
        if here is not None and (here.is_missing or (here.is_error and not _has_inner(here))):
            yield here
        if here is not None and here.has_error and cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def _has_inner(node: Node) -> bool:
    return any(child.has_error for child in node.children)
