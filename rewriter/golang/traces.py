"""Trace calls that a source already holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

_NAME = rb"[A-Za-z_\x80-\xff][\w\x80-\xff]*"
_CALL = re.compile(
    rb"\bdefer[ \t]+(%s)\.(?:Trace\(\)\(\)|Exit\(\1\.Enter\(\), &(%s)\))" % (_NAME, _NAME)
)
_KEEP = re.compile(rb"[ \t;]*//functrace:keep\b")


@dataclass(frozen=True)
class TraceCall:
    """``defer functrace.Trace()()``, or its like for an error, as a statement of a body.

    Attributes:
        start, end: the statement's bytes.
        alias: the name of the import that it calls.
        body: the offset of the ``{`` of the body it stands in.
        keep: it was written by hand and is marked ``//functrace:keep``.
        error: the result in ``defer functrace.Exit(functrace.Enter(), &err)``, or nothing.
        error_start: where its name stands in the call, or -1.
    """

    start: int
    end: int
    alias: str
    body: int
    keep: bool
    error: str
    error_start: int

    @property
    def mentions(self) -> int:
        """How often it names its import."""
        return 2 if self.error else 1


def find(source: bytes, root: Node) -> Iterator[TraceCall]:
    """Yield the trace calls that are statements directly in a function's body."""
    for match in _CALL.finditer(source):
        node = root.descendant_for_byte_range(match.start(), match.end())
        body = _body(node, match.start(), match.end())
        if body is not None:
            keep = _KEEP.match(source, match.end()) is not None
            yield TraceCall(
                start=match.start(),
                end=match.end(),
                alias=match[1].decode(),
                body=body.start_byte,
                keep=keep,
                error=(match[2] or b"").decode(),
                error_start=match.start(2),
            )


def _body(node: Node | None, start: int, end: int) -> Node | None:
    """The body in which the bytes are a statement; None in strings, comments and inner blocks."""
    if node is None or node.type != "defer_statement":
        return None
    if (node.start_byte, node.end_byte) != (start, end):
        return None
    block = node.parent
    if block is not None and block.type == "statement_list":
        block = block.parent
    owner = block.parent if block is not None else None
    if owner is None or owner.child_by_field_name("body") != block:
        return None
    functions = ("function_declaration", "method_declaration", "func_literal")
    return block if owner.type in functions else None
