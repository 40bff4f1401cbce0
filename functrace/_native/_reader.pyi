"""The compiled trace reader, functrace/_native/reader/.

Arrays come as (address, bytes, size of an item), or None; whoever calls keeps them alive. Rows are
returned as bytearrays for numpy.frombuffer, laid out as functrace._native.tables defines.
"""

from typing import TypeAlias

Array: TypeAlias = tuple[int, int, int] | None
Source: TypeAlias = tuple[Array, int, Array, Array, Array, Array, int, int]
Column: TypeAlias = tuple[Array, Array, int, int]

VERSION: int

def layout() -> list[tuple[str, str, int, int, int]]:
    """Return struct, field, size of the struct, offset and size of the field, for every field."""

def chunks(data: Array, at: int, overwritten: bool, /) -> tuple[bytearray, int, int]:
    """Return the chunks of a file from an offset on, the number of gaps, and of chunks cut off."""

def pieces(
    data: Array, start: int, chunks: Array, /
) -> tuple[bytearray, bytearray, int, int, int, int, int, int, int]:
    """Return the pieces and track records in chunks, then the counts of trace.scan.Pieces."""

def fold(
    source: Source,
    wanted: Array,
    histogram_of: Array,
    row_of: Array,
    asked: Array,
    since: int,
    until: int,
    node_limit: int,
    row_limit: int,
    row_duration: int,
    rows_failed_only: int,
    rows_around: int,
    rows_before: int,
    asked_since: int,
    asked_until: int,
    /,
) -> tuple[bytearray, bytearray, bytearray, tuple[int, ...]]:
    """Return nodes, blocks, rows, and the counts of analysis.request.Counters."""

class Events:
    """A walk over a trace that returns a block of rows at a time.

    Args:
        source: the trace.
        caller: by track, the call in which its chain goes on; filled in as the walk proceeds.
        whole: calls, not entries and exits.
        owner: what the arrays belong to, kept alive.
    """

    def __new__(cls, source: Source, caller: Array, whole: bool, owner: object, /) -> Events: ...
    def next(self, count: int, /) -> bytearray:
        """Return about that many rows; none at the end."""

def pack(columns: list[Column], rows: int, /) -> bytes:
    """Return rows of the cells of each column, one after the other.

    A column is its cells, the bytes of each that count (None: all), the width of a cell, and the
    distance between two rows' cells (0: all rows have the same).
    """

def varints(values: Array, /) -> tuple[bytearray, bytearray]:
    """Return the varint of each number in a cell of 10 bytes, and the size of each."""
