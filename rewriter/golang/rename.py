"""Rename of one declaration, by which a build puts another function in its place."""

from __future__ import annotations

from tree_sitter import Node

from rewriter.golang.parse import parse

_DECLARATIONS = frozenset(("function_declaration", "method_declaration"))


def rename_function(source: bytes, name: str, new: str, receiver: str = "") -> bytes | None:
    """Return the file with the declaration of ``name`` renamed, or None if it does not declare it.

    Args:
        source: a valid Go file.
        name: of a function, or of a method if ``receiver`` is given.
        new: the new name.
        receiver: the type of the receiver, such as ``*Transport``.
    """
    nodes = parse(source, is_known_valid=True).children
    found = [node for node in nodes if _is(node, name) and _receiver(node) == receiver]
    if len(found) != 1 or found[0].child_by_field_name("body") is None:
        return None
    declared = found[0].child_by_field_name("name")
    assert declared is not None
    return source[: declared.start_byte] + new.encode() + source[declared.end_byte :]


def _is(node: Node, name: str) -> bool:
    if node.type not in _DECLARATIONS:
        return False
    declared = node.child_by_field_name("name")
    return declared is not None and declared.text == name.encode()


def _receiver(node: Node) -> str:
    """Return the type of a method's receiver, or ``""`` for a function."""
    receiver = node.child_by_field_name("receiver")
    if receiver is None or receiver.text is None:
        return ""
    return receiver.text.decode().strip("()").split()[-1]
