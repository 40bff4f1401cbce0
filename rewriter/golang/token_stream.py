"""Token stream of a Go file with bracket pairs and statement boundaries.

It needs no grammar, so it reads files that are newer than tree-sitter's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rewriter.golang.tokens import Token, match_brackets, tokenize


@dataclass(frozen=True)
class TokenStream:
    """Tokens of a file; ``partners`` maps the index of an opening bracket to its closing one."""

    tokens: list[Token]
    partners: dict[int, int]

    def text(self, i: int) -> bytes:
        """Return the text of token ``i``, or nothing past the last token."""
        return self.tokens[i].text if i < len(self.tokens) else b""

    def is_word(self, i: int) -> bool:
        """Return whether token ``i`` exists and is a name or a keyword."""
        return i < len(self.tokens) and self.tokens[i].kind == "word"

    def skip(self, i: int) -> int:
        """Return the index after token ``i`` and, if it is a bracket, after its partner."""
        return self.partners.get(i, i) + 1

    def statements(self, first: int = 0, last: int | None = None) -> Iterator[int]:
        """Yield the index of the first token of each statement, by default at top level."""
        i = first
        last = len(self.tokens) if last is None else last
        while i < last:
            yield i
            while i < last and self.tokens[i].kind != "end":
                i = self.skip(i)
            i += 1


def read_tokens(source: bytes) -> TokenStream:
    """Return the token stream of ``source``.

    Raises:
        SourceError: an invalid token, or a bracket without a partner.
    """
    tokens = list(tokenize(source))
    return TokenStream(tokens, match_brackets(source, tokens))
