"""Protocol buffers: one field after the other, and columns of fields, all rows of one at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.integer[Any]]

_VARINT, _FIXED64, _LENGTH = 0, 1, 2


def varint(value: int) -> bytes:
    """A number of up to 64 bits; negative ones as their two's complement."""
    value &= 0xFFFF_FFFF_FFFF_FFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(field: int, wire: int = _VARINT) -> bytes:
    """What stands before a field's value."""
    return varint(field << 3 | wire)


def number(field: int, value: int) -> bytes:
    """An integer, a flag or an enumeration's value."""
    return tag(field) + varint(value)


def fixed64(field: int, value: int) -> bytes:
    """A fixed64."""
    return tag(field, _FIXED64) + value.to_bytes(8, "little")


def data(field: int, value: bytes) -> bytes:
    """Bytes, or a message that is already encoded."""
    return tag(field, _LENGTH) + varint(len(value)) + value


def text(field: int, value: str) -> bytes:
    """A string."""
    return data(field, value.encode("utf-8", "replace"))


def packed(field: int, values: Iterable[int]) -> bytes:
    """Several integers in one field."""
    return data(field, b"".join(map(varint, values)))


class Rows:
    """Messages of the same form, a row for each, put together field by field.

    Args:
        count: how many rows there are.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._columns: list[tuple[Bytes, Integers]] = []
        self.sizes: npt.NDArray[np.int64] = np.zeros(count, np.int64)
        """bytes of each row so far"""

    def add(self, value: bytes) -> None:
        """The same bytes in every row."""
        cells = np.broadcast_to(np.frombuffer(value, np.uint8), (self._count, len(value)))
        self._add(cells, np.full(self._count, len(value)))

    def add_varints(self, values: Integers) -> None:
        """A number in each row, none of them negative."""
        self._add(*varints(values))

    def add_choice(self, choices: Sequence[bytes], chosen: Integers) -> None:
        """In each row one of a few values, by its index; there is one at least."""
        sizes = np.array([len(choice) for choice in choices])
        table = np.zeros((len(choices), max(int(sizes.max()), 1)), np.uint8)
        for row, choice in zip(table, choices, strict=True):
            row[: len(choice)] = np.frombuffer(choice, np.uint8)
        self._add(table[chosen], sizes[chosen])

    def add_rows(self, rows: Rows) -> None:
        """In each row a message's fields."""
        self._columns += rows._columns
        self.sizes = self.sizes + rows.sizes

    def encode(self) -> bytes:
        """All rows, one behind the other."""
        if not self._columns:
            return b""
        cells = np.concatenate([cells for cells, _ in self._columns], axis=1)
        used = np.concatenate(
            [np.arange(cells.shape[1]) < sizes[:, None] for cells, sizes in self._columns], axis=1
        )
        encoded: Bytes = cells[used]
        return encoded.tobytes()

    def _add(self, cells: Bytes, sizes: Integers) -> None:
        self._columns.append((cells, sizes))
        self.sizes = self.sizes + sizes


def varints(values: Integers) -> tuple[Bytes, Integers]:
    """A row of bytes for each number, and how many of them count."""
    rest = values.astype(np.uint64)
    width = max(-(-int(rest.max(initial=1)).bit_length() // 7), 1)
    cells = np.empty((len(rest), width), np.uint8)
    sizes = np.ones(len(rest), np.int64)
    for column in range(width):
        cells[:, column] = rest & np.uint64(0x7F)
        rest >>= np.uint64(7)
        more = rest > 0
        cells[:, column] |= more.astype(np.uint8) << np.uint8(7)
        sizes += more
    return cells, sizes
