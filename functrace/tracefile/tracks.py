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
    start_ticks: _Int64s
    name_at: _Int64s
    name_bytes: _Int64s
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


@dataclass(frozen=True)
class TrackOrder:
    """Tracks in the order of their starts, with pieces grouped by track."""

    records: Rows
    """one record for each track; kind 0 if the file contains none"""
    parent: npt.NDArray[np.int32]
    pieces: Rows
    piece_of: _Int64s
    """index of each track's first piece; one item more than there are tracks"""


def order_tracks(found: Pieces, *, has_runs: bool) -> TrackOrder:
    """Match pieces and records by track id.

    A parent that does not precede its child is ignored, so that no track is its own ancestor.
    """
    ids, of_piece = np.unique(
        np.concatenate([found.rows["track"], found.records["id"]]), return_inverse=True
    )
    records = _first_records(ids, found, of_piece[: len(found.rows)])
    order = np.lexsort((ids, records["start"]))
    rank = np.empty(len(ids), np.int64)
    rank[order] = np.arange(len(ids))
    track_of_piece = rank[of_piece[: len(found.rows)]]
    by_track = np.argsort(track_of_piece, kind="stable")
    pieces = found.rows[by_track]
    if has_runs:
        pieces = _in_run_order(pieces, track_of_piece[by_track])
    counts = np.bincount(track_of_piece, minlength=len(ids))
    return TrackOrder(
        records[order],
        _parents(ids, records, rank)[order],
        np.ascontiguousarray(pieces),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
    )


def _in_run_order(pieces: Rows, tracks: _Int64s) -> Rows:
    """Return the runs of each track in the order of their numbers, and flag missing ones.

    Args:
        pieces: the runs, track by track, each track's in the order of the file.
        tracks: the track of each.
    """
    if not len(pieces):
        return pieces
    starts = (pieces["flags"] & STARTS) != 0
    begun = np.cumsum(starts)
    before = np.concatenate([[0], np.cumsum(np.bincount(tracks, weights=starts))]).astype(np.int64)
    life = np.maximum(begun - before[tracks], 1)  # runs may come before the first track record
    runs = pieces["run"].astype(np.int64)
    step = runs - np.roll(runs, 1)
    place = np.cumsum((step + _HALF & fmt.RUN_MASK) - _HALF)
    order = np.lexsort((place, life, tracks))
    pieces, place, life, tracks = pieces[order], place[order], life[order], tracks[order]
    is_next = np.concatenate(
        [[False], (np.diff(place) == 1) & (np.diff(life) == 0) & (np.diff(tracks) == 0)]
    )
    is_whole = is_next | ((pieces["flags"] & STARTS) != 0)
    pieces["flags"][~is_whole] |= GAP
    return pieces


def _first_records(
    ids: npt.NDArray[np.uint64], found: Pieces, of_piece: npt.NDArray[np.intp]
) -> Rows:
    """Return the first record of each track; repeated records only continue the track."""
    records = np.zeros(len(ids), found.records.dtype)
    records["id"] = ids
    records["start"] = fmt.TIME_LIMIT
    np.minimum.at(records["start"], of_piece, found.rows["first"])
    recorded, first = np.unique(found.records["id"], return_index=True)
    records[np.searchsorted(ids, recorded)] = found.records[first]
    return records


def _parents(ids: npt.NDArray[np.uint64], records: Rows, rank: _Int64s) -> npt.NDArray[np.int32]:
    if not len(ids):
        return np.empty(0, np.int32)
    place = np.minimum(np.searchsorted(ids, records["parent"]), len(ids) - 1)
    found = (ids[place] == records["parent"]) & (rank[place] < rank)
    return np.where(found, rank[place], -1).astype(np.int32)
