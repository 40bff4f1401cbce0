"""Scan of a trace file for chunks and pieces of tracks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace._native.engine import array, engine, octets
from functrace._native.row_types import CHUNK, PIECE, TRACK_RECORD
from functrace.tracefile import format as fmt
from functrace.tracefile.header import Header

Rows = npt.NDArray[Any]


@dataclass(frozen=True)
class Chunks:
    """Chunks in the order of their sequence numbers, and counts of gaps and truncated chunks."""

    rows: Rows
    gaps: int
    truncated: int


@dataclass(frozen=True)
class Pieces:
    """Pieces of tracks, track records, time range, and counts of events and anomalies."""

    rows: Rows
    records: Rows
    events: int
    first: int
    last: int
    invalid_words: int
    truncated: int
    words_without_track: int
    tracks_without_id: int

    def without_records(self) -> Pieces:
        """Return the same without the track records."""
        return replace(self, records=self.records[:0].copy())

    def without_rows(self) -> Pieces:
        """Return the same without the pieces."""
        return replace(self, rows=self.rows[:0].copy())


def find_chunks(data: memoryview, overwritten: bool) -> Chunks:
    """Return the chunks of a complete file."""
    rows, gaps, truncated = engine().chunks(octets(data), fmt.HEADER_BYTES, overwritten)
    return Chunks(in_sequence(np.frombuffer(rows, CHUNK)), gaps, truncated)


def find_pieces(data: memoryview, header: Header, chunks: Rows) -> Pieces:
    """Return the pieces in the chunks of a file."""
    rows, records, *counts = engine().pieces(
        octets(data), header.start, header.version, array(chunks)
    )
    return Pieces(np.frombuffer(rows, PIECE), np.frombuffer(records, TRACK_RECORD), *counts)


def in_sequence(rows: Rows) -> Rows:
    """Return chunks in the order of their sequence numbers."""
    return np.ascontiguousarray(rows[np.argsort(rows["sequence"], kind="stable")])
