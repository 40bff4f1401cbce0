"""Tokenizer for Go that also reads syntax which tree-sitter's grammar does not support.

Source: https://go.dev/ref/spec#Lexical_elements. Its purpose is to distinguish code from
strings and comments, so numbers and operators are split coarsely.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rewriter.errors import SourceError

_TOKEN = re.compile(
    rb"""
      (?P<space>[ \t\r]+ | //[^\n]* | \xef\xbb\xbf)
    | (?P<newline>\n)
    | (?P<comment>/\*.*?\*/)
    | (?P<literal>`[^`]*` | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)+'
        | \.?[0-9](?:[eEpP][+-]|[\w.])*)
    | (?P<word>[A-Za-z_\x80-\xff][\w\x80-\xff]*)
    | (?P<op><- | \.\.\. | \+\+ | -- | [^\w\s"'`])
    """,
    re.VERBOSE | re.DOTALL,
)

# A block comment with the blanks after it, and what can follow the code on a line.
COMMENT = rb"/\*[^*]*\*+(?:[^*/][^*]*\*+)*/[ \t]*"
REST_OF_LINE = re.compile(rb"[ \t]*(?:" + COMMENT + rb")*(?://[^\r\n]*)?(\r?\n)")

_CLOSERS = {b"(": b")", b"[": b"]", b"{": b"}"}
# A newline after one of these ends the statement.
_ENDS_STATEMENT = frozenset((b")", b"]", b"}", b"++", b"--"))
_CONTINUES = frozenset(
    b"case chan const default defer else for func go goto if import interface map package range "
    b"select struct switch type var".split()
)


@dataclass(frozen=True)
class Token:
    """Token of kind ``word``, ``literal``, ``op`` or ``end`` (of a statement)."""

    kind: str
    text: bytes
    start: int
    end: int


def tokenize(source: bytes) -> Iterator[Token]:
    """Yield the tokens of ``source``, including the semicolons that newlines imply.

    Raises:
        SourceError: an invalid token, such as an unterminated string.
    """
    at = 0
    last: Token | None = None
    for match in _scan(source):
        kind, start, at = str(match.lastgroup), match.start(), match.end()
        breaks = kind == "newline" or (kind == "comment" and b"\n" in match[0])
        if breaks and last is not None and _ends_statement(last):
            last = Token("end", b"\n", start, start)
            yield last
        elif kind in ("word", "literal", "op"):
            last = Token("end" if match[0] == b";" else kind, match[0], start, at)
            yield last
    if at < len(source):
        raise make_error(source, at, "not a Go token")


def find_comments(source: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield offset and text of every comment up to the first invalid token."""
    for match in _scan(source):
        if match[0][:2] in (b"//", b"/*"):
            yield match.start(), match[0]


def find_first_code(source: bytes) -> int:
    """Return the offset of the first token that is not a comment."""
    starts = (m.start() for m in _scan(source) if m.lastgroup in ("literal", "word", "op"))
    return next(starts, len(source))


def _scan(source: bytes) -> Iterator[re.Match[bytes]]:
    at = 0
    while match := _TOKEN.match(source, at):
        yield match
        at = match.end()


def _ends_statement(token: Token) -> bool:
    if token.kind == "word":
        return token.text not in _CONTINUES
    return token.kind == "literal" or token.text in _ENDS_STATEMENT


def match_brackets(source: bytes, tokens: list[Token]) -> dict[int, int]:
    """Map the index of every opening bracket among ``tokens`` to that of its closing one.

    Raises:
        SourceError: a bracket has no partner.
    """
    partners: dict[int, int] = {}
    stack: list[int] = []
    for i, token in enumerate(tokens):
        if token.kind != "op":
            continue
        if token.text in _CLOSERS:
            stack.append(i)
        elif token.text in _CLOSERS.values():
            if not stack or _CLOSERS[tokens[stack[-1]].text] != token.text:
                raise make_error(source, token.start, f"unexpected {token.text.decode()}")
            partners[stack.pop()] = i
    if stack:
        opened = tokens[stack[-1]]
        raise make_error(source, opened.start, f"{opened.text.decode()} is never closed")
    return partners


def make_error(source: bytes, offset: int, message: str) -> SourceError:
    """Return a source error with the line and column of ``offset``."""
    line_start = source.rfind(b"\n", 0, offset) + 1
    return SourceError(message, source.count(b"\n", 0, offset) + 1, offset - line_start + 1)
