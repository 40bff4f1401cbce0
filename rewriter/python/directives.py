"""Directives: comments with instructions for functrace."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field

from rewriter.python.parse import count_header_lines

_DIRECTIVE = re.compile(r"#\s*functrace:\s*(skip-file|skip|keep)(?![-\w])")
_NO_CODE = frozenset(
    (tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER, tokenize.NL)
)


@dataclass
class Directives:
    """Directives in one file.

    Attributes:
        skip_file: whether ``# functrace: skip-file`` is at the start of a line.
        skip: first lines of the statements that have ``# functrace: skip`` on one of their
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
    """Read the directives of a source that Python can parse."""
    found = Directives()
    if b"functrace:" not in text:
        return found
    above: set[str] = set()  # directives in the comment lines directly above
    statement: int | None = None  # first line of the logical line that contains the token
    header = count_header_lines(text)  # inject adds the import between these and a function
    for token, is_first_on_line in _tokenize(text):
        words = set(_DIRECTIVE.findall(token.string)) if token.type == tokenize.COMMENT else set()
        if token.type == tokenize.NEWLINE:
            statement = None
        elif token.type == tokenize.COMMENT and statement is None:
            above |= words if token.start[0] > header else set()
            found.skip_file |= "skip-file" in words and token.start[1] == 0
        elif words and statement is not None:
            found._add(words, statement)
        elif token.type == tokenize.NL and statement is None and is_first_on_line:
            above = set()  # a blank line
        elif token.type not in _NO_CODE and statement is None:
            statement = token.start[0]
            found._add(above, statement)
            above = set()
    return found


def _tokenize(text: bytes) -> Iterator[tuple[tokenize.TokenInfo, bool]]:
    """Yield the tokens, each with whether it is the first on its line."""
    lines = text.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    line = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(lines).readline):
            yield token, token.start[0] != line
            line = token.end[0]
    except (tokenize.TokenError, SyntaxError):
        return  # the tokenizer of Python <= 3.11 supports less than the parser
