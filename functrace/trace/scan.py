"""The chunks of a file, and the pieces of tracks in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace._native.reader import array, engine, octets
from functrace._native.tables import CHUNK, PIECE, TRACK_RECORD
from functrace.trace import format as fmt

Rows = npt.NDArray[Any]


@dataclass(frozen=True)
class Chunks:
    """A file's chunks in the order of their sequence numbers, and what was no chunk."""

    rows: Rows
    gaps: int
    cut: int


@dataclass(frozen=True)
class Pieces:
    """The pieces of tracks in a file's chunks, the records that begin tracks, and counts."""

    rows: Rows
    records: Rows
    events: int
    first: int
    last: int
    stray: int
    cut: int
    trackless: int
    bad_tracks: int


def find_chunks(data: memoryview, overwritten: bool) -> Chunks:
    """Return the chunks of a whole file."""
    rows, gaps, cut = engine().chunks(octets(data), fmt.HEADER_BYTES, overwritten)
    return Chunks(in_sequence(np.frombuffer(rows, CHUNK)), gaps, cut)


def find_pieces(data: memoryview, start: int, chunks: Rows) -> Pieces:
    """Return the pieces in chunks of a file whose clock begins at start."""
    rows, records, *counts = engine().pieces(octets(data), start, array(chunks))
    return Pieces(np.frombuffer(rows, PIECE), np.frombuffer(records, TRACK_RECORD), *counts)


def in_sequence(rows: Rows) -> Rows:
    """Return chunks in the order of their sequence numbers."""
    return np.ascontiguousarray(rows[np.argsort(rows["sequence"], kind="stable")])
