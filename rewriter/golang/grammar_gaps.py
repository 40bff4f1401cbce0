"""Workarounds for Go syntax that tree-sitter's grammar does not support.

Both functions return a copy of the source with the same length and offsets. In the
*relaxed* copy the unsupported constructs are blanked; if it parses, the file is valid.
The *skeleton* keeps, based on Go's tokens, the package clause, imports, trace calls,
function heads and braces, and directives; functions are found in it if the grammar
cannot parse the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rewriter.golang.token_stream import TokenStream, read_tokens
from rewriter.golang.tokens import find_comments

_DIRECTIVE = b"//go:"
_SPACE, _SEMICOLON, _UNDERSCORE = b" ;_"


def relax(source: bytes) -> bytes:
    """Blank what tree-sitter-go 0.25 cannot parse, though Go can.

    These are the type parameters of methods (Go 1.27), and the arguments of ``new``
    (any expression since Go 1.26) and of ``make`` (which a package may redeclare):
    the grammar requires a type in both.

    Raises:
        SourceError: an invalid token or an unmatched bracket.
    """
    stream = read_tokens(source)
    copy = bytearray(source)
    for i, token in enumerate(stream.tokens):
        if token.text in (b"new", b"make") and stream.text(i + 1) == b"(":
            _blank(copy, stream.tokens[i + 1].end, stream.tokens[stream.partners[i + 1]].start)
            if copy[token.start] != _SPACE:
                copy[token.start] = _UNDERSCORE
    _blank_method_type_parameters(copy, stream)
    return bytes(copy)


def make_skeleton(source: bytes) -> bytes:
    """Keep what is needed to find functions, and blank the rest.

    Raises:
        SourceError: an invalid token or an unmatched bracket.
    """
    stream = read_tokens(source)
    copy = bytearray(re.sub(rb"[^\n]", b" ", source))
    ranges = list(_find_ranges_to_keep(stream))
    for _, last in ranges:
        if stream.text(last) != b"{" and last + 1 < len(stream.tokens):
            # What follows is blanked, so a semicolon separates the statements.
            start = stream.tokens[last + 1].start
            copy[start] = _SEMICOLON if copy[start] == _SPACE else copy[start]
    for first, last in ranges:
        start, end = stream.tokens[first].start, stream.tokens[last].end
        copy[start:end] = source[start:end]
    for start, comment in find_comments(source) if _DIRECTIVE in source else ():
        if comment.startswith(_DIRECTIVE):
            copy[start : start + len(comment)] = comment
    _blank_method_type_parameters(copy, stream)
    return bytes(copy)


def _blank(copy: bytearray, start: int, end: int) -> None:
    copy[start:end] = re.sub(rb"[^\n]", b" ", bytes(copy[start:end]))


def _blank_method_type_parameters(copy: bytearray, stream: TokenStream) -> None:
    for i in stream.statements():
        if stream.text(i) == b"func" and stream.text(i + 1) == b"(":
            name = stream.skip(i + 1)
            if stream.text(name + 1) == b"[":
                close = stream.partners[name + 1]
                _blank(copy, stream.tokens[name + 1].start, stream.tokens[close].end)


def _find_ranges_to_keep(stream: TokenStream) -> Iterator[tuple[int, int]]:
    """Yield the runs of tokens that the skeleton keeps, as first and last index."""
    heads = set(stream.statements())
    for i, token in enumerate(stream.tokens):
        if token.kind != "word":
            continue
        if token.text in (b"package", b"import") and i in heads:
            yield i, _find_end_of_statement(stream, i)
        elif token.text == b"func":
            yield from _keep_function(stream, i, is_declaration=i in heads)
        elif token.text == b"defer" and (call := _TRACE_CALL.match(_join_tokens(stream, i))):
            yield i, i + call[0].count(b" ")


def _find_end_of_statement(stream: TokenStream, i: int) -> int:
    while i < len(stream.tokens) and stream.tokens[i].kind != "end":
        i = stream.skip(i)
    return i - 1


def _join_tokens(stream: TokenStream, i: int) -> bytes:
    """Join as many tokens from ``i`` on as a trace call can have, separated by blanks."""
    return b" ".join(t.text for t in stream.tokens[i : i + 15])


_TRACE_CALL = re.compile(
    rb"defer (\S+) \. (?:Trace \( \) \( \)|Exit \( \1 \. Enter \( \) , & \S+ \))(?!\S)"
)


def _keep_function(
    stream: TokenStream, i: int, *, is_declaration: bool
) -> Iterator[tuple[int, int]]:
    """Yield the head and the closing brace of the function whose ``func`` is token ``i``."""
    at = i + 1
    if is_declaration:
        at = stream.skip(at) if stream.text(at) == b"(" else at
        at = stream.skip(at + 1) if stream.text(at + 1) == b"[" else at + 1
    elif _is_type(stream, i):
        return
    body = _skip_result(stream, stream.skip(at))
    if stream.text(body) == b"{":
        yield i, body
        yield stream.partners[body], stream.partners[body]
    elif is_declaration:
        yield i, min(body, len(stream.tokens)) - 1


def _is_type(stream: TokenStream, i: int) -> bool:
    """Return whether the ``func`` at ``i``, which is not a declaration, must be a type.

    No expression can begin after an operand. After ``]`` or ``chan`` comes an element
    type, and a brace after that opens a composite literal.
    """
    before = i - 1
    while stream.text(before) in (b"*", b"<-"):
        before -= 1
    previous = stream.tokens[before]
    if previous.text == b"chan":
        return True
    if before < i - 1:
        return previous.text == b"]" and _closes_type_bracket(stream, before)
    return previous.text in (b")", b"]", b"}") or (
        previous.kind == "word" and previous.text not in _BEFORE_EXPRESSION
    )


_BEFORE_EXPRESSION = frozenset(b"return go defer case range if for switch else select".split())


def _closes_type_bracket(stream: TokenStream, close: int) -> bool:
    """Return whether the ``]`` at ``close`` ends the bracket of an array, slice or map type."""
    opened = next(o for o, c in stream.partners.items() if c == close)
    before = opened - 1
    if stream.text(before) == b"]":
        return _closes_type_bracket(stream, before)
    is_operand = stream.is_word(before) and stream.text(before) not in _BEFORE_EXPRESSION | {b"map"}
    return not (is_operand or stream.text(before) in (b")", b"}"))


def _skip_result(stream: TokenStream, i: int) -> int:
    """Return the index after the result, if any, of a signature at ``i``."""
    if stream.text(i) == b"(":
        return stream.skip(i)
    return _skip_type(stream, i)


def _skip_type(stream: TokenStream, i: int) -> int:
    """Return the index after the type at ``i``, or ``i`` if there is none."""
    text = stream.text(i)
    if text in (b"*", b"<-", b"chan"):
        return _skip_type(stream, i + 1)
    if text == b"(":
        return stream.skip(i)
    if text == b"[":
        return _skip_type(stream, stream.skip(i))
    if text == b"map":
        return _skip_type(stream, stream.skip(i + 1))
    if text == b"func":
        return _skip_result(stream, stream.skip(i + 1))
    if text in (b"interface", b"struct"):
        return stream.skip(i + 1)
    if not stream.is_word(i):
        return i
    while stream.text(i + 1) == b".":
        i += 2
    return stream.skip(i + 1) if stream.text(i + 1) == b"[" else i + 1
