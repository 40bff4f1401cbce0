"""Where the call goes in a body, in either layout, and how it comes out again."""

from __future__ import annotations

import re

from rewriter.edit import Edit, delete, insert
from rewriter.golang.functions import GoFunction
from rewriter.golang.tokens import COMMENT, REST_OF_LINE
from rewriter.golang.traces import TraceCall

_NOTHING_BUT_COMMENTS = re.compile(rb"[ \t]*(?:" + COMMENT + rb")+}")
_REST_OF_CALL_LINE = re.compile(rb"[ \t]*(?://functrace:oneline)?\r?\n")
_SEMICOLON = re.compile(rb"[ \t]*;")
_FIRST_INDENT = re.compile(rb"\s*\n([ \t]*)[^\s]")


def call(alias: str, error: str = "") -> bytes:
    """The injected statement; ``error`` is the name of the result that it watches, if any."""
    watched = f"Exit({alias}.Enter(), &{error})"
    return f"defer {alias}.{watched if error else 'Trace()()'}".encode()


def on_brace_line(function: GoFunction, call: bytes) -> Edit:
    """Directly behind the brace, so that no line of the file moves."""
    return insert(function.open + 1, b" " + call + b";")


def on_own_line(source: bytes, function: GoFunction, call: bytes) -> Edit:
    """On a line of its own where the body has several, else as gofmt writes a short body."""
    rest = REST_OF_LINE.match(source, function.open + 1)
    if rest and rest.end() <= function.close:
        indent = _indent(source, function)
        return insert(rest.end(), indent + call + rest[1])
    if function.close == function.open + 1:
        return insert(function.open + 1, b" " + call + b" ")
    if _NOTHING_BUT_COMMENTS.match(source, function.open + 1):
        return insert(function.open + 1, b" " + call)
    return on_brace_line(function, call)


def _indent(source: bytes, function: GoFunction) -> bytes:
    """One step more than the closing brace, in the file's own kind of white space."""
    line = source.rfind(b"\n", 0, function.close) + 1
    outer = source[line : function.close]
    if outer.strip():
        outer = b""
    first = _FIRST_INDENT.match(source, source.find(b"\n", function.open))
    inner = first[1] if first else b""
    return inner if len(inner) > len(outer) and inner.startswith(outer) else outer + b"\t"


def remove(source: bytes, trace: TraceCall) -> Edit:
    """Take an injected call out with all that came with it."""
    start, end = trace.start, trace.end
    line = source.rfind(b"\n", 0, start) + 1
    rest = _REST_OF_CALL_LINE.match(source, end)
    if rest and not source[line:start].strip():
        return delete(line, rest.end())
    if trace.body + 2 == start and source[end : end + 2] == b" }":
        return delete(start - 1, end + 1)
    behind = _SEMICOLON.match(source, end)
    return delete(start - (trace.body + 2 == start), behind.end() if behind else end)
