"""Protocol buffer encoder for single fields and, vectorised, for many rows of a message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from functrace._native.engine import array, engine

Bytes = npt.NDArray[np.uint8]
Int64s = npt.NDArray[np.int64]

_VARINT, _FIXED64, _LENGTH = 0, 1, 2


def varint(value: int) -> bytes:
    """Encode an integer of up to 64 bits; negative ones in two's complement."""
    value &= 0xFFFF_FFFF_FFFF_FFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(field: int, wire: int = _VARINT) -> bytes:
    """Encode the tag that precedes a field's value."""
    return varint(field << 3 | wire)


def number(field: int, value: int) -> bytes:
    """Encode an integer, bool or enum field."""
    return tag(field) + varint(value)


def fixed64(field: int, value: int) -> bytes:
    """Encode a fixed64 field."""
    return tag(field, _FIXED64) + value.to_bytes(8, "little")


def data(field: int, value: bytes) -> bytes:
    """Encode a bytes field or an already encoded message."""
    return tag(field, _LENGTH) + varint(len(value)) + value


def text(field: int, value: str) -> bytes:
    """Encode a string field."""
    return data(field, value.encode("utf-8", "replace"))


def packed(field: int, values: Iterable[int]) -> bytes:
    """Encode a packed repeated integer field."""
    return data(field, b"".join(map(varint, values)))


class Cells(NamedTuple):
    """One field of many rows."""

    bytes: Bytes
    """one row per message, or one for all"""
    sizes: Int64s | None
    """number of valid bytes per row; None: all"""


class Rows:
    """Messages with the same fields, one per row, built field by field.

    Args:
        count: the number of rows.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._columns: list[Cells] = []
        self.sizes: Int64s = np.zeros(count, np.int64)
        """bytes of each row so far"""

    def add(self, value: bytes) -> None:
        """Append the same bytes to every row."""
        self._add(Cells(np.frombuffer(value, np.uint8).reshape(1, -1), None))

    def add_varints(self, values: Int64s) -> None:
        """Append a non-negative integer to each row."""
        self._add(varints(values))

    def add_choice(self, choices: Sequence[bytes], chosen: npt.NDArray[np.integer[Any]]) -> None:
        """Append to each row one of ``choices``, which must not be empty, by index."""
        sizes = np.array([len(choice) for choice in choices], np.int64)
        table = np.zeros((len(choices), max(int(sizes.max()), 1)), np.uint8)
        for row, choice in zip(table, choices, strict=True):
            row[: len(choice)] = np.frombuffer(choice, np.uint8)
        self._add(Cells(table.take(chosen, 0), sizes.take(chosen)))

    def add_message(self, field: int, rows: Rows) -> None:
        """Append to each row the message in the same row of ``rows``."""
        self.add(tag(field, _LENGTH))
        self.add_varints(rows.sizes)
        self._columns += rows._columns
        self.sizes = self.sizes + rows.sizes

    def encode(self) -> bytes:
        """Return all rows, concatenated."""
        packed: bytes = engine().pack([_column(cells) for cells in self._columns], self._count)
        return packed

    def _add(self, cells: Cells) -> None:
        self._columns.append(cells)
        width = cells.bytes.shape[1]
        self.sizes = self.sizes + (width if cells.sizes is None else cells.sizes)


def varints(values: Int64s) -> Cells:
    """Encode non-negative integers as varints."""
    numbers = np.ascontiguousarray(values, np.int64)
    cells, sizes = engine().varints(array(numbers))
    return Cells(np.frombuffer(cells, np.uint8).reshape(-1, 10), np.frombuffer(sizes, np.int64))


def _column(cells: Cells) -> tuple[object, ...]:
    rows, width = cells.bytes.shape
    step = width if rows > 1 or cells.sizes is not None else 0
    return array(cells.bytes), array(cells.sizes), width, step
