"""The reference implementation of functrace/_native/reader/scan.c."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from functrace._native.row_types import CHUNK, PIECE, TRACK_RECORD
from functrace.tracefile import format as fmt
from functrace.tracefile.scan import Chunks, Pieces, in_sequence

Row = tuple[int, ...]
_WORD = fmt.WORD.unpack_from


def find_chunks(data: memoryview, overwritten: bool) -> Chunks:
    rows, gaps, cut = chunks(data, overwritten)
    return Chunks(in_sequence(np.array(rows, CHUNK)), gaps, cut)


def find_pieces(data: memoryview, start: int, chunks: Any) -> Pieces:
    found = pieces(data, start, chunks)
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
    begins: int = 0
    untimed: int = 1

    def note_time(self, time: int) -> None:
        self.first = time if self.untimed else min(self.first, time)
        self.untimed = 0


def pieces(data: memoryview, start: int, chunks: Any) -> Found:
    """Split the chunks of events, given in the order of their sequence numbers, at new tracks."""
    found = Found()
    for chunk in chunks.tolist():
        offset, _sequence, track, base, size, kind, opened, _padding = chunk
        if kind == fmt.EVENTS:
            at = offset + fmt.CHUNK.size
            piece = _Piece(track, at, base, fmt.ticks_since(base, start), opened, 1)
            _Scanner(data, start, found, piece).scan(at, offset + size)
    return found


@dataclass
class _Scanner:
    data: memoryview
    start: int
    found: Found
    piece: _Piece

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
        elif kind in (fmt.SUSPENDED, fmt.RESUMED):
            self._note(fmt.ticks_since(base + (word >> 24), self.start))
        elif kind == fmt.TRACK:
            self._begin_track(at, word, base)
        return base

    def _begin_track(self, at: int, word: int, base: int) -> None:
        self._end_piece(at)
        track = self._track_record(at, word)
        first = fmt.ticks_since(base, self.start)
        self.piece = _Piece(track, at + fmt.record_size(word), base, first)

    def _track_record(self, at: int, word: int) -> int:
        head = fmt.TRACK_PAYLOAD
        size = fmt.record_bytes(word) - head.size
        if size < 0 or _WORD(self.data, at + 8)[0] == 0:
            self.found.tracks_without_id += 1
            return 0
        track, parent, ticks, starter, line = head.unpack_from(self.data, at + 8)
        kind = word >> 24
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
        elif words:
            self.found.pieces.append(
                (
                    piece.track,
                    piece.offset,
                    piece.base,
                    piece.first,
                    words,
                    piece.open,
                    piece.begins,
                    piece.untimed,
                )
            )
