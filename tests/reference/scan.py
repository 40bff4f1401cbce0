"""The reference implementation of functrace/_native/reader/scan.c."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from functrace._native.row_types import (
    CHUNK,
    COUNTED,
    LISTS,
    PIECE,
    STARTS,
    TIMED,
    TRACK_RECORD,
)
from functrace.tracefile import format as fmt
from functrace.tracefile.header import Header
from functrace.tracefile.scan import Chunks, Pieces, in_sequence

Row = tuple[int, ...]
_WORD = fmt.WORD.unpack_from


def find_chunks(data: memoryview, overwritten: bool) -> Chunks:
    rows, gaps, cut = chunks(data, overwritten)
    return Chunks(in_sequence(np.array(rows, CHUNK)), gaps, cut)


def find_pieces(data: memoryview, header: Header, chunks: Any) -> Pieces:
    found = pieces(data, header, chunks)
    return Pieces(
        np.array(found.pieces, PIECE),
        np.array(found.records, TRACK_RECORD),
        found.events,
        found.first,
        found.last,
        found.invalid_words,
        found.truncated,
        found.words_without_track,
        found.tracks_without_id,
    )


def chunks(data: memoryview, overwritten: bool) -> tuple[list[Row], int, int]:
    """The chunks in file order, the number of gaps between them, the number that are cut off.

    A chunk may have been reserved and never begun, so a zero ends the contents only where no
    chunk comes within the longest chunk's length. Where old chunks are overwritten, zeros end
    nothing.
    """
    found: list[Row] = []
    gaps = cut = 0
    at = end = fmt.HEADER_BYTES
    nonsense = False
    while at < len(data) and (overwritten or at - end <= fmt.CHUNK_LIMIT):
        chunk = read_head(data[at : at + fmt.CHUNK.size])
        if chunk is None:
            nonsense |= _is_nonsense(data[at : at + fmt.CHUNK.size + 8])
            at += fmt.CHUNK_STEP
            continue
        gaps += nonsense
        nonsense = False
        kind, size, opened, sequence, track, base = chunk
        cut += size > len(data) - at
        size = min(size, len(data) - at)
        found.append((at, sequence, track, base, size, kind, opened, 0))
        at = end = at + size
    return found, gaps + nonsense, cut


def _is_nonsense(head: memoryview) -> bool:
    """Whether there is something, and it is no chunk.

    A head's first word is stored last, and the words behind it after that: a process that was
    killed in between has begun no chunk.
    """
    return any(head[:8]) or any(head[fmt.CHUNK.size :])


def read_head(head: memoryview) -> Row | None:
    """Kind, size, open calls, sequence number, track and base; None where no chunk begins."""
    if len(head) < fmt.CHUNK.size:
        return None
    magic, *rest = fmt.CHUNK.unpack(head)
    kind, size, _opened, sequence, _track, _base = rest
    sensible = (
        magic == fmt.CHUNK_MAGIC
        and kind in (fmt.FACTS, fmt.EVENTS)
        and fmt.CHUNK_STEP <= size <= fmt.CHUNK_LIMIT
        and size % fmt.CHUNK_STEP == 0
        and sequence > 0
    )
    return tuple(rest) if sensible else None


@dataclass
class Found:
    """What the chunks of events hold."""

    pieces: list[Row] = field(default_factory=list)
    records: list[Row] = field(default_factory=list)
    events: int = 0
    timed: int = 0
    first: int = 0
    last: int = 0
    invalid_words: int = 0
    truncated: int = 0
    words_without_track: int = 0
    tracks_without_id: int = 0


@dataclass
class _Piece:
    track: int
    offset: int
    base: int
    first: int
    open: int = 0
    run: int = 0
    flags: int = 0

    def note_time(self, time: int) -> None:
        self.first = min(self.first, time) if self.flags & TIMED else time
        self.flags |= TIMED


def pieces(data: memoryview, header: Header, chunks: Any) -> Found:
    """Split the chunks of events, given in the order of their sequence numbers, into runs."""
    start = header.start
    found = Found()
    for chunk in chunks.tolist():
        offset, _sequence, track, base, size, kind, opened, _padding = chunk
        if kind == fmt.EVENTS:
            at = offset + fmt.CHUNK.size
            piece = _Piece(0, at, base, fmt.ticks_since(base, start))
            if header.version == 1:
                piece.track, piece.open, piece.flags = track, opened, COUNTED
            _Scanner(data, header, found, piece).scan(at, offset + size)
    return found


@dataclass
class _Scanner:
    data: memoryview
    header: Header
    found: Found
    piece: _Piece

    @property
    def start(self) -> int:
        return self.header.start

    def scan(self, at: int, end: int) -> None:
        base = self.piece.base
        while at + 8 <= end:
            (word,) = _WORD(self.data, at)
            if word == 0:
                break
            kind = word & 3
            if kind == fmt.RECORD:
                if fmt.record_size(word) > end - at:
                    self.found.truncated += 1
                    break
                base = self._record(at, word, base)
                at += fmt.record_size(word)
                continue
            if kind:
                self._note(fmt.ticks_since(base + (word >> 22), self.start))
                self.found.events += 1
            else:
                self.found.invalid_words += 1
            at += 8
        self._end_piece(at)

    def _note(self, time: int) -> None:
        found = self.found
        self.piece.note_time(time)
        found.first = min(found.first, time) if found.timed else time
        found.last = max(found.last, time) if found.timed else time
        found.timed += 1

    def _record(self, at: int, word: int, base: int) -> int:
        kind, size = fmt.record_type(word), fmt.record_bytes(word)
        if kind == fmt.BASE and size >= fmt.WORD.size:
            (base,) = _WORD(self.data, at + 8)
        elif kind in (fmt.OPEN, fmt.INHERITED) and size >= fmt.OPEN_PAYLOAD.size:
            self.piece.note_time(fmt.ticks_since(_WORD(self.data, at + 8)[0], self.start))
            if kind == fmt.OPEN:
                self.piece.flags |= LISTS
        elif kind in (fmt.SUSPENDED, fmt.RESUMED):
            self._note(fmt.ticks_since(base + (word >> 24), self.start))
        elif kind == fmt.TRACK:
            self._begin_track(at, word, base)
        elif kind == fmt.SWITCH and self.header.version > 1:
            self._switch_track(at, word, base)
        return base

    def _begin_track(self, at: int, word: int, base: int) -> None:
        is_again = word >> 24 & fmt.TRACK_AGAIN
        track = self._track_record(at, word, self.piece.track if is_again else None)
        if is_again and track:
            return
        self._end_piece(at)
        self.piece = self._piece_behind(at, word, base)
        if track:
            self.piece.track, self.piece.flags = track, STARTS

    def _switch_track(self, at: int, word: int, base: int) -> None:
        self._end_piece(at)
        self.piece = self._piece_behind(at, word, base)
        track = _WORD(self.data, at + 8)[0] if fmt.record_bytes(word) >= fmt.WORD.size else 0
        if not track:
            self.found.tracks_without_id += 1
            return
        value = word >> 24
        self.piece.track, self.piece.flags = track, COUNTED
        self.piece.run = value & fmt.RUN_MASK
        self.piece.open = value >> fmt.RUN_BITS & fmt.RUN_OPEN_LIMIT

    def _piece_behind(self, at: int, word: int, base: int) -> _Piece:
        return _Piece(0, at + fmt.record_size(word), base, fmt.ticks_since(base, self.start))

    def _track_record(self, at: int, word: int, current: int | None) -> int:
        """The track that is described, which is the current one if there is one; 0 if it is bad."""
        head = fmt.TRACK_PAYLOAD
        size = fmt.record_bytes(word) - head.size
        number = _WORD(self.data, at + 8)[0] if size >= 0 else 0
        if not number or current not in (None, number):
            self.found.tracks_without_id += 1
            return 0
        track, parent, ticks, starter, line = head.unpack_from(self.data, at + 8)
        kind = word >> 24 & fmt.KIND_MASK
        self.found.records.append(
            (
                track,
                parent,
                fmt.ticks_since(ticks, self.start),
                at + 8 + head.size,
                size,
                kind if kind < len(fmt.TRACK_KINDS) else 0,
                starter,
                line,
            )
        )
        return int(track)

    def _end_piece(self, at: int) -> None:
        piece = self.piece
        words = (at - piece.offset) // 8
        if words and not piece.track:
            self.found.words_without_track += words
        elif words or (piece.track and (piece.flags & STARTS or piece.run)):
            self.found.pieces.append(
                (
                    piece.track,
                    piece.offset,
                    piece.base,
                    piece.first,
                    words,
                    piece.open,
                    piece.run,
                    piece.flags,
                )
            )
