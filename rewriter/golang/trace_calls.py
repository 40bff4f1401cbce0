"""Trace calls in function bodies: found, inserted and removed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from rewriter.edit import Edit, delete, insert
from rewriter.golang.functions import GoFunction
from rewriter.golang.tokens import COMMENT, REST_OF_LINE

_NAME = rb"[A-Za-z_\x80-\xff][\w\x80-\xff]*"
_CALL = re.compile(
    rb"\bdefer[ \t]+(%s)\.(?:Trace\(\)\(\)|Exit\(\1\.Enter\(\), &(%s)\))" % (_NAME, _NAME)
)
_KEEP = re.compile(rb"[ \t;]*//functrace:keep\b")
_ONLY_COMMENTS = re.compile(rb"[ \t]*(?:" + COMMENT + rb")+}")
_REST_OF_CALL_LINE = re.compile(rb"[ \t]*(?://functrace:oneline)?\r?\n")
_SEMICOLON = re.compile(rb"[ \t]*;")
_FIRST_INDENT = re.compile(rb"\s*\n([ \t]*)[^\s]")


@dataclass(frozen=True)
class TraceCall:
    """Trace call statement: ``defer functrace.Trace()()`` or its form with an error.

    Attributes:
        start, end: byte offsets of the statement.
        alias: alias of the import that it calls.
        body: offset of the ``{`` of the enclosing function body.
        keep: it was written by hand and is marked ``//functrace:keep``.
        error: the result in ``defer functrace.Exit(functrace.Enter(), &err)``, or ``""``.
        error_start: offset of that result's name in the call, or -1.
    """

    start: int
    end: int
    alias: str
    body: int
    keep: bool
    error: str
    error_start: int

    @property
    def alias_count(self) -> int:
        """Number of times that the call mentions its import."""
        return 2 if self.error else 1


def find(source: bytes, root: Node) -> Iterator[TraceCall]:
    """Yield the trace calls that are statements directly in a function's body."""
    for match in _CALL.finditer(source):
        node = root.descendant_for_byte_range(match.start(), match.end())
        body = _find_body(node, match.start(), match.end())
        if body is not None:
            yield TraceCall(
                start=match.start(),
                end=match.end(),
                alias=match[1].decode(),
                body=body.start_byte,
                keep=_KEEP.match(source, match.end()) is not None,
                error=(match[2] or b"").decode(),
                error_start=match.start(2),
            )


def _find_body(node: Node | None, start: int, end: int) -> Node | None:
    """Return the function body in which the bytes are a statement.

    None in strings, comments and inner blocks.
    """
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


def format_call(alias: str, error: str = "") -> bytes:
    """Return the statement to inject; ``error`` is the name of the error result, if any."""
    call = f"Exit({alias}.Enter(), &{error})" if error else "Trace()()"
    return f"defer {alias}.{call}".encode()


def insert_after_brace(function: GoFunction, call: bytes) -> Edit:
    """Insert the call directly after the brace, so that no line of the file moves."""
    return insert(function.open + 1, b" " + call + b";")


def insert_formatted(source: bytes, function: GoFunction, call: bytes) -> Edit:
    """Insert the call as gofmt formats it: on its own line if the body has several lines."""
    rest = REST_OF_LINE.match(source, function.open + 1)
    if rest and rest.end() <= function.close:
        indent = _choose_indent(source, function)
        return insert(rest.end(), indent + call + rest[1])
    if function.close == function.open + 1:
        return insert(function.open + 1, b" " + call + b" ")
    if _ONLY_COMMENTS.match(source, function.open + 1):
        return insert(function.open + 1, b" " + call)
    return insert_after_brace(function, call)


def _choose_indent(source: bytes, function: GoFunction) -> bytes:
    """Return one level more than the closing brace's indentation, in the file's own style."""
    line = source.rfind(b"\n", 0, function.close) + 1
    outer = source[line : function.close]
    if outer.strip():
        outer = b""
    first = _FIRST_INDENT.match(source, source.find(b"\n", function.open))
    inner = first[1] if first else b""
    return inner if len(inner) > len(outer) and inner.startswith(outer) else outer + b"\t"


def remove(source: bytes, call: TraceCall) -> Edit:
    """Remove an injected call with the white space and separators that came with it."""
    start, end = call.start, call.end
    line = source.rfind(b"\n", 0, start) + 1
    rest = _REST_OF_CALL_LINE.match(source, end)
    if rest and not source[line:start].strip():
        return delete(line, rest.end())
    if call.body + 2 == start and source[end : end + 2] == b" }":
        return delete(start - 1, end + 1)
    semicolon = _SEMICOLON.match(source, end)
    return delete(start - (call.body + 2 == start), semicolon.end() if semicolon else end)
