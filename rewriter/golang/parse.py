"""Parser that returns a syntax tree without errors, or raises a clear error."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from rewriter.errors import SourceError
from rewriter.golang import grammar, grammar_gaps
from rewriter.golang.tokens import make_error

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


def parse(source: bytes, *, is_known_valid: bool = False) -> Node:
    """Return the root of a tree of ``source`` that contains every function.

    If the grammar does not support the file's syntax, the tree is that of its
    skeleton, in which function bodies contain only literals and trace calls.

    Args:
        source: a Go file.
        is_known_valid: a Go toolchain accepts the file, so syntax that the grammar does not
            support is not an error.

    Raises:
        SourceError: the file is not valid Go, or cannot be parsed here.
    """
    if b"\0" in source:
        raise make_error(source, source.index(b"\0"), "NUL byte in Go source")
    root = grammar.parse(source).root_node
    if not root.has_error:
        return _check_order(source, root)
    if not is_known_valid and grammar.parse(grammar_gaps.relax(source)).root_node.has_error:
        raise _make_first_error(source, root)
    try:
        skeleton = grammar.parse(grammar_gaps.make_skeleton(source)).root_node
    except RecursionError:
        raise _make_first_error(source, root) from None
    if skeleton.has_error:
        raise _make_first_error(source, root)
    return _check_order(source, skeleton, is_whole=False)


def _check_order(source: bytes, root: Node, *, is_whole: bool = True) -> Node:
    """Return ``root`` if its declarations are in order, which the grammar does not check.

    In the tree of a skeleton (not ``is_whole``) literals may take the place of declarations.
    """
    rank = 0
    for child in root.children:
        if not child.is_named or child.type == "comment":
            continue
        here = _RANKS.get(child.type, 0 if is_whole else _DECLARATION)
        if here < rank or (here == rank == _PACKAGE):
            raise _make_unexpected_error(source, child)
        if rank == 0 and here != _PACKAGE:
            raise make_error(source, child.start_byte, "no package clause")
        rank = here
    if rank == 0:
        raise make_error(source, 0, "no package clause")
    return root


def _make_first_error(source: bytes, root: Node) -> SourceError:
    node = next(_find_errors(root), root)
    if node.is_missing:
        return make_error(source, node.start_byte, f"expected {node.type!r}")
    return _make_unexpected_error(source, node)


def _make_unexpected_error(source: bytes, node: Node) -> SourceError:
    found = source[node.start_byte : node.end_byte].split(b"\n")[0][:40]
    return make_error(source, node.start_byte, f"unexpected {found.decode(errors='replace')!r}")


def _find_errors(node: Node) -> Iterator[Node]:
    """Yield the innermost error nodes below ``node``."""
    cursor = node.walk()
    while True:
        here = cursor.node
        if here is not None and (here.is_missing or (here.is_error and not _has_inner_error(here))):
            yield here
        if here is not None and here.has_error and cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def _has_inner_error(node: Node) -> bool:
    return any(child.has_error for child in node.children)
