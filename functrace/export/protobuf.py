"""Protocol buffers: one field after the other, and columns of fields, all rows of one at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from functrace._native.reader import array, engine

Bytes = npt.NDArray[np.uint8]
Int64s = npt.NDArray[np.int64]

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


class Cells(NamedTuple):
    """A field of many rows."""

    bytes: Bytes
    """a row for each row, or one for all"""
    sizes: Int64s | None
    """how many of a row's bytes count; None: all"""


class Rows:
    """Messages of the same form, a row for each, put together field by field.

    Args:
        count: how many rows there are.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._columns: list[Cells] = []
        self.sizes: Int64s = np.zeros(count, np.int64)
        """bytes of each row so far"""

    def add(self, value: bytes) -> None:
        """The same bytes in every row."""
        self._add(Cells(np.frombuffer(value, np.uint8).reshape(1, -1), None))

    def add_varints(self, values: Int64s) -> None:
        """A number in each row, none of them negative."""
        self._add(varints(values))

    def add_choice(self, choices: Sequence[bytes], chosen: npt.NDArray[np.integer[Any]]) -> None:
        """In each row one of a few values, by its index; there is one at least."""
        sizes = np.array([len(choice) for choice in choices], np.int64)
        table = np.zeros((len(choices), max(int(sizes.max()), 1)), np.uint8)
        for row, choice in zip(table, choices, strict=True):
            row[: len(choice)] = np.frombuffer(choice, np.uint8)
        self._add(Cells(table.take(chosen, 0), sizes.take(chosen)))

    def add_message(self, field: int, rows: Rows) -> None:
        """In each row a message, of as many rows."""
        self.add(tag(field, _LENGTH))
        self.add_varints(rows.sizes)
        self._columns += rows._columns
        self.sizes = self.sizes + rows.sizes

    def encode(self) -> bytes:
        """All rows, one behind the other."""
        packed: bytes = engine().pack([_column(cells) for cells in self._columns], self._count)
        return packed

    def _add(self, cells: Cells) -> None:
        self._columns.append(cells)
        width = cells.bytes.shape[1]
        self.sizes = self.sizes + (width if cells.sizes is None else cells.sizes)


def varints(values: Int64s) -> Cells:
    """Return the varints of numbers none of which is negative."""
    numbers = np.ascontiguousarray(values, np.int64)
    cells, sizes = engine().varints(array(numbers))
    return Cells(np.frombuffer(cells, np.uint8).reshape(-1, 10), np.frombuffer(sizes, np.int64))


def _column(cells: Cells) -> tuple[object, ...]:
    rows, width = cells.bytes.shape
    step = width if rows > 1 or cells.sizes is not None else 0
    return array(cells.bytes), array(cells.sizes), width, step
