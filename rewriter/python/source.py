"""A parsed source: its tree, and where the tree's positions are in its bytes."""

from __future__ import annotations

import ast
import codecs
import re
import sys
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from rewriter.edit import Edit
from rewriter.errors import SourceError
from rewriter.python.errors import ENCODING, TOO_DEEP, LeftAlone

# No expression around it may take the two bytes of one line's end for the ends of two.
NEWLINE = rb"(?:\r\n|\r(?!\n)|\n)"
_NEWLINE = re.compile(NEWLINE)
_BOM = codecs.BOM_UTF8
# Source: https://peps.python.org/pep-0263/
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"^[ \t\f]*(?:#.*)?$")
_SPLIT_INDENT = re.compile(rb"[ \t\f]*\\" + NEWLINE)


@dataclass(frozen=True)
class Source:
    """One file.

    Attributes:
        raw: the file's bytes.
        text: the same in UTF-8, in which Python counts columns; mostly ``raw`` itself.
        codec: the encoding of ``raw`` where that is not UTF-8.
        tree: what Python's own parser makes of it.
        lines: where each line starts in ``text``.
    """

    raw: bytes
    text: bytes
    codec: str | None
    tree: ast.Module
    lines: tuple[int, ...]

    def start(self, node: ast.expr | ast.stmt | ast.alias) -> int:
        """Where ``node`` starts; for a function, its ``def`` or ``async``."""
        return self.lines[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt | ast.alias) -> int:
        """The offset behind ``node``."""
        if node.end_lineno is None or node.end_col_offset is None:
            raise AssertionError("the parser gives every node its end")
        return self.lines[node.end_lineno - 1] + node.end_col_offset

    def newline(self, at: int) -> bytes:
        """How the line around ``at`` ends; where it does not, how the file's first line does."""
        found = _NEWLINE.search(self.text, at) or _NEWLINE.search(self.text)
        return found[0] if found else b"\n"

    def indent(self, line: int) -> bytes:
        """The indentation of the statement that starts on ``line``."""
        first = line - 1
        while first and _SPLIT_INDENT.fullmatch(
            self.text, self.lines[first - 1], self.lines[first]
        ):
            first -= 1  # a backslash in the indentation: what is before the first one counts
        found = re.compile(rb"[ \t\f]*").match(self.text, self.lines[first])
        return found[0].rpartition(b"\f")[2] if found else b""  # a form feed counts from 0 again

    def in_raw(self, edits: Iterable[Edit]) -> tuple[Edit, ...]:
        """Edits of ``text`` as edits of ``raw``.

        Raises:
            LeftAlone: the encoding has more than one way to write something.
        """
        if self.codec is None:
            return tuple(edits)
        edits = tuple(edits)
        cuts = sorted({0, len(self.text), *(e.start for e in edits), *(e.end for e in edits)})
        at = {0: 0}
        for start, end in pairwise(cuts):
            piece = _encoded(self.text[start:end], self.codec)
            at[end] = at[start] + len(piece)
            if self.raw[at[start] : at[end]] != piece:
                raise LeftAlone(ENCODING)
        return tuple(Edit(at[e.start], at[e.end], _encoded(e.text, self.codec)) for e in edits)


def _encoded(text: bytes, codec: str) -> bytes:
    try:
        return text.decode().encode(codec)
    except UnicodeError:
        raise LeftAlone(ENCODING) from None


def parse(raw: bytes) -> Source:
    """Parse a file as the running Python would.

    Raises:
        SourceError: it would refuse the file.
        LeftAlone: the file is beyond what its parser, or this rewriter, can do.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = _tree(raw)
    text, codec = in_utf8(raw), _codec(raw)
    first = len(_BOM) if raw.startswith(_BOM) else 0
    lines = (first, *(m.end() for m in _NEWLINE.finditer(text)))
    return Source(raw, text, codec, tree, lines)


def in_utf8(raw: bytes) -> bytes:
    """A valid source in the encoding in which Python counts columns.

    Raises:
        LeftAlone: its codec is stranger than Python's parser minds.
    """
    codec = _codec(raw)
    try:
        return raw if codec is None else raw.decode(codec).encode()
    except UnicodeError:
        raise LeftAlone(ENCODING) from None


def _tree(raw: bytes) -> ast.Module:
    if b"\0" in raw:  # each Python refuses it in a way of its own
        raise SourceError("a null byte", *_place(raw, raw.index(b"\0")))
    try:
        return ast.parse(raw)
    except SyntaxError as error:
        raise SourceError(error.msg, max(error.lineno or 1, 1), _column(error)) from None
    except UnicodeDecodeError as error:  # Python fails to say where a syntax error is
        raise SourceError(f"not valid {error.encoding}", *_undecodable(raw)) from None
    except (RecursionError, MemoryError):
        raise LeftAlone(TOO_DEEP) from None


def _undecodable(raw: bytes) -> tuple[int, int]:
    """Line and column of the first byte that is no UTF-8."""
    valid = raw.decode(errors="ignore").encode()
    at = next((i for i, (a, b) in enumerate(zip(raw, valid, strict=False)) if a != b), len(valid))
    return _place(raw, at)


def _place(raw: bytes, at: int) -> tuple[int, int]:
    """Line and column of the byte at ``at``."""
    lines = _NEWLINE.split(raw[:at])
    return len(lines), len(lines[-1]) + 1


def check(tree: ast.Module) -> None:
    """Compile ``tree``, which finds what the parser does not: ``return`` outside a function.

    Raises:
        SourceError: Python refuses it.
        LeftAlone: it is too deep.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(tree, "<source>", "exec", dont_inherit=True)
    except SyntaxError as error:
        raise SourceError(error.msg, max(error.lineno or 1, 1), _column(error)) from None
    except (RecursionError, MemoryError):
        raise LeftAlone(TOO_DEEP) from None


def _column(error: SyntaxError) -> int:
    """The column in bytes; from Python 3.13 on its parser, not its compiler, counts characters."""
    offset = max(error.offset or 1, 1)
    if sys.version_info < (3, 13) or error.text is None:
        return offset
    before = error.text[: offset - 1]
    return len(before.encode(errors="surrogatepass")) + offset - len(before)


def _codec(raw: bytes) -> str | None:
    """The encoding that the file names, None for UTF-8."""
    for line in _header(raw):
        cookie = _COOKIE.match(line)
        if cookie:
            name = codecs.lookup(cookie[1].decode()).name
            return None if name in ("utf-8", "utf-8-sig") else name
    return None


def header_lines(raw: bytes) -> int:
    """How many lines nothing may stand above: the ``#!`` line, and what names the encoding."""
    last = 0
    for i, line in enumerate(_header(raw)):
        if _COOKIE.match(line) or (i == 0 and line.startswith(b"#!")):
            last = i + 1
    return last


def _header(raw: bytes) -> list[bytes]:
    """The first two lines, in which an encoding may be named; one if that is code."""
    lines = _NEWLINE.split(raw.removeprefix(_BOM), maxsplit=2)[:2]
    return lines if _BLANK.match(lines[0]) else lines[:1]
