"""A file's chunks, and the pieces of tracks in them: in C where that is built, else in Python."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace import _native
from functrace.trace import format as fmt
from functrace.trace import scan_python
from functrace.trace.tables import CHUNK, PIECE, TRACK_RECORD

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


class _NativeChunks(ctypes.Structure):
    _fields_ = (("items", _native.Array), ("gaps", ctypes.c_uint64), ("cut", ctypes.c_uint64))


class _NativePieces(ctypes.Structure):
    _fields_ = (
        ("items", _native.Array),
        ("tracks", _native.Array),
        ("events", ctypes.c_uint64),
        ("timed", ctypes.c_uint64),
        ("first", ctypes.c_int64),
        ("last", ctypes.c_int64),
        ("stray", ctypes.c_uint64),
        ("cut", ctypes.c_uint64),
        ("trackless", ctypes.c_uint64),
        ("bad_tracks", ctypes.c_uint64),
    )


def find_chunks(data: memoryview, overwritten: bool) -> Chunks:
    """The chunks of a whole file."""
    library = _native.library()
    if library is None:
        rows, gaps, cut = scan_python.chunks(data, overwritten)
        return Chunks(_by_sequence(np.array(rows, CHUNK)), gaps, cut)
    out = _NativeChunks()
    try:
        _native.check(
            library.functrace_chunks(
                ctypes.c_void_p(_native.address(np.frombuffer(data, np.uint8))),
                ctypes.c_uint64(len(data)),
                ctypes.c_uint64(fmt.HEADER_BYTES),
                ctypes.c_int(overwritten),
                ctypes.byref(out),
            )
        )
        return Chunks(_by_sequence(out.items.copied(CHUNK)), out.gaps, out.cut)
    finally:
        library.functrace_release_chunks(ctypes.byref(out))


def find_pieces(data: memoryview, start: int, chunks: Rows) -> Pieces:
    """The pieces in chunks of a file whose clock begins at start."""
    library = _native.library()
    if library is None:
        return _python_pieces(scan_python.pieces(data, start, chunks))
    out = _NativePieces()
    try:
        _native.check(
            library.functrace_pieces(
                ctypes.c_void_p(_native.address(np.frombuffer(data, np.uint8))),
                ctypes.c_uint64(start),
                ctypes.c_void_p(_native.address(chunks)),
                ctypes.c_uint64(len(chunks)),
                ctypes.byref(out),
            )
        )
        counts = (getattr(out, field.name) for field in fields(Pieces)[2:])
        return Pieces(out.items.copied(PIECE), out.tracks.copied(TRACK_RECORD), *counts)
    finally:
        library.functrace_release_pieces(ctypes.byref(out))


def _by_sequence(rows: Rows) -> Rows:
    return np.ascontiguousarray(rows[np.argsort(rows["sequence"], kind="stable")])


def _python_pieces(found: scan_python.Found) -> Pieces:
    return Pieces(
        np.array(found.pieces, PIECE),
        np.array(found.records, TRACK_RECORD),
        found.events,
        found.first,
        found.last,
        found.stray,
        found.cut,
        found.trackless,
        found.bad_tracks,
    )
