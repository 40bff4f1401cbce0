"""Parsed Python source: its tree and the byte offsets of the tree's positions."""

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
from rewriter.errors import ENCODING, TOO_DEEP, SkipFile, SourceError

# No enclosing expression may match the two bytes of one line end as two line ends.
NEWLINE = rb"(?:\r\n|\r(?!\n)|\n)"
_NEWLINE = re.compile(NEWLINE)
_BOM = codecs.BOM_UTF8
# Source: https://peps.python.org/pep-0263/
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"^[ \t\f]*(?:#.*)?$")
_SPLIT_INDENT = re.compile(rb"[ \t\f]*\\" + NEWLINE)


@dataclass(frozen=True)
class ParsedSource:
    """Source file with its syntax tree.

    Attributes:
        raw: bytes of the file.
        text: ``raw`` in UTF-8, in which Python counts columns; mostly ``raw`` itself.
        codec: encoding of ``raw`` if it is not UTF-8.
        tree: syntax tree by Python's own parser.
        line_starts: offset of each line in ``text``.
    """

    raw: bytes
    text: bytes
    codec: str | None
    tree: ast.Module
    line_starts: tuple[int, ...]

    def get_start(self, node: ast.expr | ast.stmt | ast.alias) -> int:
        """Return the offset of ``node``; for a function, of its ``def`` or ``async``."""
        return self.line_starts[node.lineno - 1] + node.col_offset

    def get_end(self, node: ast.expr | ast.stmt | ast.alias) -> int:
        """Return the offset after ``node``."""
        if node.end_lineno is None or node.end_col_offset is None:
            raise AssertionError("node without an end position")
        return self.line_starts[node.end_lineno - 1] + node.end_col_offset

    def get_newline(self, offset: int) -> bytes:
        """Return the line end at ``offset``, or of the first line if that line has none."""
        found = _NEWLINE.search(self.text, offset) or _NEWLINE.search(self.text)
        return found[0] if found else b"\n"

    def get_indent(self, line: int) -> bytes:
        """Return the indentation of the statement that starts on ``line``."""
        first = line - 1
        while first and _SPLIT_INDENT.fullmatch(
            self.text, self.line_starts[first - 1], self.line_starts[first]
        ):
            first -= 1  # a backslash in the indentation: only what is before the first one counts
        found = re.compile(rb"[ \t\f]*").match(self.text, self.line_starts[first])
        return found[0].rpartition(b"\f")[2] if found else b""  # a form feed resets the column

    def to_raw_edits(self, edits: Iterable[Edit]) -> tuple[Edit, ...]:
        """Convert edits of ``text`` to edits of ``raw``.

        Raises:
            SkipFile: the encoding is ambiguous, so that bytes would change.
        """
        if self.codec is None:
            return tuple(edits)
        edits = tuple(edits)
        cuts = sorted({0, len(self.text), *(e.start for e in edits), *(e.end for e in edits)})
        at = {0: 0}
        for start, end in pairwise(cuts):
            piece = _encode(self.text[start:end], self.codec)
            at[end] = at[start] + len(piece)
            if self.raw[at[start] : at[end]] != piece:
                raise SkipFile(ENCODING)
        return tuple(Edit(at[e.start], at[e.end], _encode(e.text, self.codec)) for e in edits)


def _encode(text: bytes, codec: str) -> bytes:
    try:
        return text.decode().encode(codec)
    except UnicodeError:
        raise SkipFile(ENCODING) from None


def parse(raw: bytes) -> ParsedSource:
    """Parse a file as the running Python does.

    Raises:
        SourceError: the file is invalid.
        SkipFile: the parser or this rewriter cannot process the file.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = _parse_tree(raw)
    text, codec = to_utf8(raw), _find_codec(raw)
    first = len(_BOM) if raw.startswith(_BOM) else 0
    line_starts = (first, *(m.end() for m in _NEWLINE.finditer(text)))
    return ParsedSource(raw, text, codec, tree, line_starts)


def to_utf8(raw: bytes) -> bytes:
    """Return a valid source in UTF-8, in which Python counts columns.

    Raises:
        SkipFile: its codec fails although Python's parser accepted the file.
    """
    codec = _find_codec(raw)
    try:
        return raw if codec is None else raw.decode(codec).encode()
    except UnicodeError:
        raise SkipFile(ENCODING) from None


def _parse_tree(raw: bytes) -> ast.Module:
    if b"\0" in raw:  # the error differs between Python versions
        raise SourceError("a null byte", *_locate(raw, raw.index(b"\0")))
    try:
        return ast.parse(raw)
    except SyntaxError as error:
        raise _convert(error) from None
    except UnicodeDecodeError as error:  # Python does not locate it
        raise SourceError(f"not valid {error.encoding}", *_locate_undecodable(raw)) from None
    except (RecursionError, MemoryError):
        raise SkipFile(TOO_DEEP) from None


def _locate_undecodable(raw: bytes) -> tuple[int, int]:
    """Return line and column of the first byte that is not UTF-8."""
    valid = raw.decode(errors="ignore").encode()
    at = next((i for i, (a, b) in enumerate(zip(raw, valid, strict=False)) if a != b), len(valid))
    return _locate(raw, at)


def _locate(raw: bytes, offset: int) -> tuple[int, int]:
    """Return line and column of the byte at ``offset``."""
    lines = _NEWLINE.split(raw[:offset])
    return len(lines), len(lines[-1]) + 1


def check_compiles(tree: ast.Module) -> None:
    """Compile ``tree`` for errors that the parser does not find: ``return`` outside a function.

    Raises:
        SourceError: the tree is invalid.
        SkipFile: the tree is nested too deeply.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(tree, "<source>", "exec", dont_inherit=True)
    except SyntaxError as error:
        raise _convert(error) from None
    except (RecursionError, MemoryError):
        raise SkipFile(TOO_DEEP) from None


def _convert(error: SyntaxError) -> SourceError:
    return SourceError(error.msg, max(error.lineno or 1, 1), _count_column_bytes(error))


def _count_column_bytes(error: SyntaxError) -> int:
    """Return the column in bytes: the parser of Python >= 3.13 counts characters."""
    offset = max(error.offset or 1, 1)
    if sys.version_info < (3, 13) or error.text is None:
        return offset
    before = error.text[: offset - 1]
    return len(before.encode(errors="surrogatepass")) + offset - len(before)


def _find_codec(raw: bytes) -> str | None:
    """Return the encoding that the file declares, None for UTF-8."""
    for line in _get_header(raw):
        cookie = _COOKIE.match(line)
        if cookie:
            name = codecs.lookup(cookie[1].decode()).name
            return None if name in ("utf-8", "utf-8-sig") else name
    return None


def count_header_lines(raw: bytes) -> int:
    """Return the number of lines that must stay first: ``#!`` and the encoding declaration."""
    last = 0
    for i, line in enumerate(_get_header(raw)):
        if _COOKIE.match(line) or (i == 0 and line.startswith(b"#!")):
            last = i + 1
    return last


def _get_header(raw: bytes) -> list[bytes]:
    """Return the lines that can declare an encoding: two, or one if the first is code."""
    lines = _NEWLINE.split(raw.removeprefix(_BOM), maxsplit=2)[:2]
    return lines if _BLANK.match(lines[0]) else lines[:1]
