"""Sources that are newer than tree-sitter's grammar: same-length copies that it can parse.

Two copies serve two ends. The *relaxed* copy has the constructs blanked in which
the grammar is known to lag; that it parses says that the file is valid. The
*skeleton* keeps the package clause, the imports, the trace calls, the heads and
braces of functions and the directives, as Go's own tokens tell them; from it
functions are found where the whole is beyond the grammar. Offsets are the
original's in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rewriter.golang.code import Code
from rewriter.golang.code import read as code_of
from rewriter.golang.tokens import comments

_DIRECTIVE = b"//go:"
_SPACE, _SEMICOLON, _UNDERSCORE = b" ;_"


def relaxed(source: bytes) -> bytes:
    """Blank what tree-sitter-go 0.25 cannot parse, though Go can.

    That is a method's type parameters (Go 1.27), and the arguments of ``new``,
    which may be an expression since Go 1.26, and of ``make``, which a package
    may declare anew: the grammar insists on a type in both.

    Raises:
        SourceError: the source does not even consist of tokens.
    """
    code = code_of(source)
    copy = bytearray(source)
    for i, token in enumerate(code.tokens):
        if token.text in (b"new", b"make") and code.text(i + 1) == b"(":
            _blank(copy, code.tokens[i + 1].end, code.tokens[code.partners[i + 1]].start)
            if copy[token.start] != _SPACE:
                copy[token.start] = _UNDERSCORE
    _blank_method_type_parameters(copy, code)
    return bytes(copy)


def skeleton(source: bytes) -> bytes:
    """Keep what functions are found by, and blank the rest.

    Raises:
        SourceError: the source does not even consist of tokens.
    """
    code = code_of(source)
    copy = bytearray(re.sub(rb"[^\n]", b" ", source))
    kept = list(_kept(code))
    for _, last in kept:
        if code.text(last) != b"{" and last + 1 < len(code.tokens):
            # What came behind is blanked, so a semicolon keeps the statements apart.
            start = code.tokens[last + 1].start
            copy[start] = _SEMICOLON if copy[start] == _SPACE else copy[start]
    for first, last in kept:
        start, end = code.tokens[first].start, code.tokens[last].end
        copy[start:end] = source[start:end]
    for start, comment in comments(source) if _DIRECTIVE in source else ():
        if comment.startswith(_DIRECTIVE):
            copy[start : start + len(comment)] = comment
    _blank_method_type_parameters(copy, code)
    return bytes(copy)


def _blank(copy: bytearray, start: int, end: int) -> None:
    copy[start:end] = re.sub(rb"[^\n]", b" ", bytes(copy[start:end]))


def _blank_method_type_parameters(copy: bytearray, code: Code) -> None:
    for i in code.statements():
        if code.text(i) == b"func" and code.text(i + 1) == b"(":
            name = code.after(i + 1)
            if code.text(name + 1) == b"[":
                close = code.partners[name + 1]
                _blank(copy, code.tokens[name + 1].start, code.tokens[close].end)


def _kept(code: Code) -> Iterator[tuple[int, int]]:
    """The runs of tokens that the skeleton keeps, as first and last index."""
    heads = set(code.statements())
    for i, token in enumerate(code.tokens):
        if token.kind != "word":
            continue
        if token.text in (b"package", b"import") and i in heads:
            yield i, _end_of_statement(code, i)
        elif token.text == b"func":
            yield from _function(code, i, declared=i in heads)
        elif token.text == b"defer" and (call := _TRACE_CALL.match(_joined(code, i))):
            yield i, i + call[0].count(b" ")


def _end_of_statement(code: Code, i: int) -> int:
    while i < len(code.tokens) and code.tokens[i].kind != "end":
        i = code.after(i)
    return i - 1


def _joined(code: Code, i: int) -> bytes:
    """As many tokens from ``i`` on as a trace call may have, a blank between them."""
    return b" ".join(t.text for t in code.tokens[i : i + 15])


_TRACE_CALL = re.compile(
    rb"defer (\S+) \. (?:Trace \( \) \( \)|Exit \( \1 \. Enter \( \) , & \S+ \))(?!\S)"
)


def _function(code: Code, i: int, *, declared: bool) -> Iterator[tuple[int, int]]:
    """The head and the closing brace of the function whose ``func`` is token ``i``."""
    at = i + 1
    if declared:
        at = code.after(at) if code.text(at) == b"(" else at
        at = code.after(at + 1) if code.text(at + 1) == b"[" else at + 1
    elif _is_type(code, i):
        return
    body = _after_result(code, code.after(at))
    if code.text(body) == b"{":
        yield i, body
        yield code.partners[body], code.partners[body]
    elif declared:
        yield i, min(body, len(code.tokens)) - 1


def _is_type(code: Code, i: int) -> bool:
    """Whether the ``func`` at ``i``, no declaration, can be nothing but a type.

    Behind an operand no expression can begin, and behind ``]`` or ``chan`` an
    element type stands, whose following brace opens a composite literal.
    """
    before = i - 1
    while code.text(before) in (b"*", b"<-"):
        before -= 1
    previous = code.tokens[before]
    if previous.text == b"chan":
        return True
    if before < i - 1:
        return previous.text == b"]" and _is_element_of_type(code, before)
    return previous.text in (b")", b"]", b"}") or (
        previous.kind == "word" and previous.text not in _BEFORE_EXPRESSION
    )


_BEFORE_EXPRESSION = frozenset(b"return go defer case range if for switch else select".split())


def _is_element_of_type(code: Code, close: int) -> bool:
    """Whether the ``]`` at ``close`` ends the bracket of an array, slice or map type."""
    opened = next(o for o, c in code.partners.items() if c == close)
    before = opened - 1
    if code.text(before) == b"]":
        return _is_element_of_type(code, before)
    operand = code.is_word(before) and code.text(before) not in _BEFORE_EXPRESSION | {b"map"}
    return not (operand or code.text(before) in (b")", b"}"))


def _after_result(code: Code, i: int) -> int:
    """The index behind the result that a signature may have at ``i``."""
    if code.text(i) == b"(":
        return code.after(i)
    return _after_type(code, i)


def _after_type(code: Code, i: int) -> int:
    """The index behind the type at ``i``, or ``i`` if none stands there."""
    text = code.text(i)
    if text in (b"*", b"<-", b"chan"):
        return _after_type(code, i + 1)
    if text == b"(":
        return code.after(i)
    if text == b"[":
        return _after_type(code, code.after(i))
    if text == b"map":
        return _after_type(code, code.after(i + 1))
    if text == b"func":
        return _after_result(code, code.after(i + 1))
    if text in (b"interface", b"struct"):
        return code.after(i + 1)
    if not code.is_word(i):
        return i
    while code.text(i + 1) == b".":
        i += 2
    return code.after(i + 1) if code.text(i + 1) == b"[" else i + 1
