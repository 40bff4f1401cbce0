"""A file as tokens that know their brackets and statements: a reading that no grammar limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rewriter.golang.tokens import Token, brackets, tokenize


@dataclass(frozen=True)
class Code:
    """A file's tokens and the partner of every opening bracket among them, by index."""

    tokens: list[Token]
    partners: dict[int, int]

    def text(self, i: int) -> bytes:
        """The text of token ``i``, or nothing behind the last."""
        return self.tokens[i].text if i < len(self.tokens) else b""

    def is_word(self, i: int) -> bool:
        """Whether token ``i`` is there and a name or a keyword."""
        return i < len(self.tokens) and self.tokens[i].kind == "word"

    def after(self, i: int) -> int:
        """The index behind token ``i``, and behind all that it brackets."""
        return self.partners.get(i, i) + 1

    def statements(self, first: int = 0, last: int | None = None) -> Iterator[int]:
        """The index of the first token of every statement; by default of the top level's."""
        i = first
        last = len(self.tokens) if last is None else last
        while i < last:
            yield i
            while i < last and self.tokens[i].kind != "end":
                i = self.after(i)
            i += 1


def read(source: bytes) -> Code:
    """The tokens of ``source``.

    Raises:
        SourceError: the source does not even consist of tokens, or a bracket has no partner.
    """
    tokens = list(tokenize(source))
    return Code(tokens, brackets(source, tokens))
