"""gofmt's alignment of functions on neighbouring lines."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One function: head, body with its braces, trailing comment or nothing."""

    head: bytes
    body: bytes
    comment: bytes = b""

    def lines(self) -> Iterator[list[bytes]]:
        """The row's lines as cells; only a body on one line is a cell of its own."""
        first, *rest = self.body.split(b"\n")
        comment = [self.comment] if self.comment else []
        if not rest:
            yield [self.head, first, *comment]
            return
        yield [self.head + b" " + first]
        yield from ([line] for line in rest[:-1])
        yield [rest[-1], *comment]


def render(rows: Sequence[Row]) -> bytes:
    """The rows as gofmt writes them, a line each and more for a broken body."""
    lines = [line for row in rows for line in row.lines()]
    return b"\n".join(_aligned(lines))


def _aligned(lines: list[list[bytes]]) -> Iterator[bytes]:
    """Join the cells of each line.

    A column is a block of neighbouring lines that all have a further cell behind
    it, as wide as its widest cell and a blank. Source: text/tabwriter.
    """
    for is_column, group in itertools.groupby(lines, key=lambda cells: len(cells) > 1):
        block = list(group)
        if not is_column:
            yield from (cells[0] for cells in block)
            continue
        widths = [len(cells[0].decode(errors="replace")) for cells in block]
        rest = _aligned([cells[1:] for cells in block])
        for cells, width, tail in zip(block, widths, rest, strict=True):
            yield cells[0] + b" " * (max(widths) - width + 1) + tail
