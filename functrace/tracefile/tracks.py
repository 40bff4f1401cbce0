"""Tracks (goroutines, threads and tasks), built from their records and pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

from functrace._native.row_types import GAP, STARTS
from functrace.tracefile import format as fmt
from functrace.tracefile.facts import decode
from functrace.tracefile.scan import Pieces, Rows

_Int64s = npt.NDArray[np.int64]
_HALF = 1 << fmt.RUN_BITS - 1


@dataclass(frozen=True, slots=True)
class Track:
    """Goroutine, thread or task. Indices are -1 where the trace does not contain them."""

    index: int
    id: int
    kind: str
    """goroutine, thread, task or unknown"""
    parent: int
    """index of the track that started this one"""
    parent_id: int
    starter: int
    """index of the function that started this track"""
    line: int
    """line that started this track, or 0"""
    start: int
    """nanoseconds after the start of the trace"""
    name: str


@dataclass(frozen=True, eq=False)
class Tracks(Sequence[Track]):
    """Tracks of a trace in the order of their starts, as columns; items are created on demand."""

    id: npt.NDArray[np.uint64]
    kind: npt.NDArray[np.uint8]
    parent: npt.NDArray[np.int32]
    parent_id: npt.NDArray[np.uint64]
    starter: npt.NDArray[np.int32]
    line: npt.NDArray[np.uint32]
    start: _Int64s
    """nanoseconds after the start of the trace"""
    start_ticks: _Int64s
    name_at: _Int64s
    name_bytes: npt.NDArray[np.uint16]
    data: memoryview

    def __len__(self) -> int:
        """Return the number of tracks."""
        return len(self.id)

    @overload
    def __getitem__(self, index: int) -> Track: ...

    @overload
    def __getitem__(self, index: slice) -> list[Track]: ...

    def __getitem__(self, index: int | slice) -> Track | list[Track]:
        """Return one track, or a list of tracks for a slice."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        return Track(
            index,
            int(self.id[index]),
            fmt.TRACK_KINDS[self.kind[index]],
            int(self.parent[index]),
            int(self.parent_id[index]),
            int(self.starter[index]),
            int(self.line[index]),
            int(self.start[index]),
            self.name(index),
        )

    def name(self, index: int) -> str:
        """Return the name of a track, or an empty string."""
        at = int(self.name_at[index])
        return decode(self.data[at : at + int(self.name_bytes[index])])

    def index_of(self, track_id: int) -> int:
        """Return the index of the track with an id of the language runtime, or -1."""
        found = np.flatnonzero(self.id == np.uint64(track_id))
        return int(found[0]) if len(found) else -1


@dataclass(frozen=True, eq=False)
class TrackIndex:
    """Tracks in the order of their starts, by the rows that describe them."""

    id: npt.NDArray[np.uint64]
    start: _Int64s
    """ticks after the start of the trace"""
    parent: npt.NDArray[np.int32]
    record: npt.NDArray[np.int32]
    """index of each track's first record, or -1"""
    of_piece: npt.NDArray[np.int32]
    """index of the track of each piece"""


def index_tracks(found: Pieces) -> TrackIndex:
    """Match pieces and records by track id.

    A parent that does not precede its child is ignored, so that no track is its own ancestor.
    """
    ids = _distinct(
        np.concatenate([_distinct(found.rows["track"]), _distinct(found.records["id"])])
    )
    of_piece = np.searchsorted(ids, found.rows["track"]).astype(np.int32)
    record = _first_records(ids, found.records)
    start = np.full(len(ids), fmt.TIME_LIMIT)
    np.minimum.at(start, of_piece, found.rows["first"])
    is_recorded = record >= 0
    start[is_recorded] = found.records["start"][record[is_recorded]]
    order = np.argsort(start, kind="stable")
    rank = np.empty(len(ids), np.int32)
    rank[order] = np.arange(len(ids), dtype=np.int32)
    parents = np.zeros(len(ids), np.uint64)
    parents[is_recorded] = found.records["parent"][record[is_recorded]]
    return TrackIndex(
        ids[order],
        start[order],
        _parents(ids, parents, rank)[order],
        record[order],
        rank[of_piece],
    )


def order_pieces(
    pieces: Rows, index: TrackIndex, *, has_runs: bool
) -> tuple[Rows, npt.NDArray[np.int64]]:
    """Return the pieces track by track, and the index of each track's first piece.

    The latter has one item more than there are tracks.
    """
    counts = np.bincount(index.of_piece, minlength=len(index.id))
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    order = np.argsort(index.of_piece, kind="stable")
    if not has_runs or not len(pieces):
        return pieces[order], first
    order, is_whole = _in_run_order(pieces, order, index.of_piece[order])
    pieces = pieces[order]
    pieces["flags"][~is_whole] |= GAP
    return pieces, first


def _in_run_order(
    pieces: Rows, order: _Int64s, tracks: npt.NDArray[np.int32]
) -> tuple[_Int64s, npt.NDArray[np.bool_]]:
    """Return the order of the runs by track and number, and whether none is missing before each.

    Args:
        pieces: the runs.
        order: their order by track, each track's in the order of the file.
        tracks: the tracks in that order.
    """
    starts = (pieces["flags"][order] & STARTS) != 0
    life, place = _places(pieces["run"][order], starts, tracks)
    is_same = np.diff(tracks) == 0
    lives, steps = np.diff(life), np.diff(place)
    if (is_same & ((lives < 0) | (lives == 0) & (steps < 0))).any():
        again = np.lexsort((place, life, tracks))
        order, starts = order[again], starts[again]
        is_same = np.diff(tracks) == 0  # the tracks are sorted already
        lives, steps = np.diff(life[again]), np.diff(place[again])
    starts[1:] |= is_same & (lives == 0) & (steps == 1)
    return order, starts


def _places(
    runs: npt.NDArray[np.uint32],
    starts: npt.NDArray[np.bool_],
    tracks: npt.NDArray[np.int32],
) -> tuple[npt.NDArray[np.int32], _Int64s]:
    """Return, for each run, which life of its track it belongs to, and its place in the order.

    A life begins with a track record. Numbers of runs are stored modulo 2^24.
    """
    begun = np.cumsum(starts, dtype=np.int32)
    before = np.concatenate([[0], np.cumsum(np.bincount(tracks, weights=starts))])
    life = np.maximum(begun - before.astype(np.int32)[tracks], 1)  # runs may precede the first
    step = np.zeros(len(runs), np.int64)
    np.subtract(runs[1:], runs[:-1], out=step[1:], dtype=np.int64)
    return life, np.cumsum((step + _HALF & fmt.RUN_MASK) - _HALF)


def _distinct(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return the distinct values, sorted. numpy.unique takes ten times as long since NumPy 2.3."""
    ordered = np.sort(values)
    is_new = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    return ordered[is_new]


def _first_records(ids: npt.NDArray[np.uint64], records: Rows) -> npt.NDArray[np.int32]:
    """Return the index of the first record of each track, or -1.

    Further records only continue the track.
    """
    found = np.full(len(ids), -1, np.int32)
    recorded, first = np.unique(records["id"], return_index=True)
    found[np.searchsorted(ids, recorded)] = first
    return found


def _parents(
    ids: npt.NDArray[np.uint64], parents: npt.NDArray[np.uint64], rank: npt.NDArray[np.int32]
) -> npt.NDArray[np.int32]:
    if not len(ids):
        return np.empty(0, np.int32)
    place = np.minimum(np.searchsorted(ids, parents), len(ids) - 1)
    found = (ids[place] == parents) & (rank[place] < rank)
    return np.where(found, rank[place], -1).astype(np.int32)
