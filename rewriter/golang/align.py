"""Column alignment of functions on neighbouring lines, as gofmt does it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Function to align: head, body with braces, and trailing comment if any."""

    head: bytes
    body: bytes
    comment: bytes = b""

    def split_lines(self) -> Iterator[list[bytes]]:
        """Yield the cells of each line; only a body on one line has a cell of its own."""
        first, *rest = self.body.split(b"\n")
        comment = [self.comment] if self.comment else []
        if not rest:
            yield [self.head, first, *comment]
            return
        yield [self.head + b" " + first]
        yield from ([line] for line in rest[:-1])
        yield [rest[-1], *comment]


def render(rows: Sequence[Row]) -> bytes:
    """Return the rows as gofmt formats them."""
    lines = [line for row in rows for line in row.split_lines()]
    return b"\n".join(_align(lines))


def _align(lines: list[list[bytes]]) -> Iterator[bytes]:
    """Join the cells of each line.

    A column is a block of neighbouring lines that all have a further cell; it is
    one blank wider than its widest cell. Source: text/tabwriter.
    """
    for is_column, group in itertools.groupby(lines, key=lambda cells: len(cells) > 1):
        block = list(group)
        if not is_column:
            yield from (cells[0] for cells in block)
            continue
        widths = [len(cells[0].decode(errors="replace")) for cells in block]
        rest = _align([cells[1:] for cells in block])
        for cells, width, tail in zip(block, widths, rest, strict=True):
            yield cells[0] + b" " * (max(widths) - width + 1) + tail
