"""Comments that tell functrace what to do."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field

from rewriter.python.source import header_lines

_DIRECTIVE = re.compile(r"#\s*functrace:\s*(skip-file|skip|keep)(?![-\w])")
_NO_CODE = frozenset(
    (tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER, tokenize.NL)
)


@dataclass
class Directives:
    """What the comments of one file say.

    Attributes:
        skip_file: ``# functrace: skip-file``, at the start of a line.
        skip: the first lines of the statements that have ``# functrace: skip`` on one of their
            lines or directly above.
        keep: likewise for ``# functrace: keep``.
    """

    skip_file: bool = False
    skip: set[int] = field(default_factory=set)
    keep: set[int] = field(default_factory=set)

    def _add(self, words: set[str], line: int) -> None:
        self.skip |= {line} if "skip" in words else set()
        self.keep |= {line} if "keep" in words else set()


def read(text: bytes) -> Directives:
    """Read a source that Python's parser takes."""
    found = Directives()
    if b"functrace:" not in text:
        return found
    above: set[str] = set()  # said by the comment lines directly above
    inside: int | None = None  # where the logical line around a token starts
    first = header_lines(text)  # the import comes between those lines and a function below
    for token, is_own_line in _tokens(text):
        words = set(_DIRECTIVE.findall(token.string)) if token.type == tokenize.COMMENT else set()
        if token.type == tokenize.NEWLINE:
            inside = None
        elif token.type == tokenize.COMMENT and inside is None:
            above |= words if token.start[0] > first else set()
            found.skip_file |= "skip-file" in words and token.start[1] == 0
        elif words and inside is not None:
            found._add(words, inside)
        elif token.type == tokenize.NL and inside is None and is_own_line:
            above = set()  # a blank line
        elif token.type not in _NO_CODE and inside is None:
            inside = token.start[0]
            found._add(above, inside)
            above = set()
    return found


def _tokens(text: bytes) -> Iterator[tuple[tokenize.TokenInfo, bool]]:
    """The tokens, each with whether it is the first of its line."""
    lines = text.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    line = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(lines).readline):
            yield token, token.start[0] != line
            line = token.end[0]
    except (tokenize.TokenError, SyntaxError):
        return  # the tokenizer of Python <= 3.11 knows less than the parser
