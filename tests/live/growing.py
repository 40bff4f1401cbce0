"""A trace of version 2 that is written again, step by step, as recorders write
(docs/trace-format.md, "Order of stores"): chunks begin in their order, each after all earlier words
of its writer, a word is stored after its payload, and writers are late with what they have read the
clock for."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

_HEADER, _HEAD = 4096, 40
_FACTS = 1
_TRACK, _SWITCH = 2, 10
_AGAIN = 1 << 8
_TIMED = (7, 8)
_REQUEST = 11


@dataclass
class Chunk:
    offset: int
    size: int
    kind: int
    sequence: int
    writer: int
    base: int
    before: Unit | None = None
    """the last unit of its writer in earlier chunks"""


@dataclass
class Unit:
    """A word with its payload."""

    chunk: Chunk
    at: int
    size: int
    time: int
    track: int = 0
    run: int = 0
    before: tuple[Unit, ...] = ()
    """the last unit before it of its writer, and of its track"""
    stored: bool = False


class Growing:
    """A file that becomes the trace given.

    Args:
        path: of the file, which has a header and the facts from the beginning.
        trace: all of it.
        random: what is drawn from.
    """

    def __init__(self, path: Path, trace: bytes, random: Random) -> None:
        self._path = path
        self._trace = trace
        self._random = random
        self._chunks = sorted(_chunks(trace), key=lambda chunk: chunk.sequence)
        units = [unit for chunk in self._chunks for unit in _units(trace, chunk)]
        _find_tracks(trace, units)
        self._units = sorted(units, key=lambda unit: (unit.time, unit.run))
        _find_order(units, self._units)
        self._done = 0
        path.write_bytes(trace[:_HEADER])
        for unit in self._units:
            if unit.chunk.kind == _FACTS:
                self._store(unit)

    @property
    def is_whole(self) -> bool:
        return self._done == len(self._units)

    def step(self, most: int) -> None:
        """Store what was to be stored at the last step, and some of what comes next."""
        for unit in self._units[: self._done]:
            self._store(unit)
        until = self._done + self._random.randint(1, most)
        late: set[int] = set()
        for unit in self._units[self._done : until]:
            if unit.chunk.writer not in late and self._random.random() < 0.9:
                self._store(unit)
            elif unit.chunk.writer not in late:
                late.add(unit.chunk.writer)
                self._write(unit.at + 8, unit.size - 8)
        self._done = min(until, len(self._units))

    def finish(self) -> None:
        for unit in self._units:
            self._store(unit)
        self._path.write_bytes(self._trace)

    def _store(self, unit: Unit | None) -> None:
        """Store a unit, after what must be in the file before it."""
        if unit is None or unit.stored:
            return
        unit.stored = True
        for earlier in unit.before:
            self._store(earlier)
        while self._chunks and self._chunks[0].sequence <= unit.chunk.sequence:
            chunk = self._chunks.pop(0)
            self._store(chunk.before)
            self._reserve(chunk.offset + chunk.size)
            self._write(chunk.offset, _HEAD)
        self._write(unit.at + 8, unit.size - 8)
        self._write(unit.at, 8)

    def _reserve(self, size: int) -> None:
        """The file may be longer than what is in use."""
        with self._path.open("r+b") as file:
            if file.seek(0, 2) < size:
                file.truncate(min(size + 512 * self._random.randint(0, 20), len(self._trace)))

    def _write(self, at: int, size: int) -> None:
        with self._path.open("r+b") as file:
            file.seek(at)
            file.write(self._trace[at : at + size])


def _chunks(trace: bytes) -> Iterator[Chunk]:
    at = _HEADER
    while at + _HEAD <= len(trace):
        magic, kind, size, _, sequence, writer, base = struct.unpack_from("<4sIIIQQQ", trace, at)
        if magic == b"CHNK":
            yield Chunk(at, size, kind, sequence, writer, base)
            at += size
        else:
            at += 512


def _units(trace: bytes, chunk: Chunk) -> list[Unit]:
    """Those of a chunk; what has no time of its own has that of what comes next."""
    found = []
    at, base, time = chunk.offset + _HEAD, chunk.base, -1
    untimed: list[Unit] = []
    while at < chunk.offset + chunk.size:
        (word,) = struct.unpack_from("<Q", trace, at)
        if not word:
            break
        kind = word >> 2 & 63 if word & 3 == 3 else 0
        size = 8 + -(-(word >> 8 & 0xFFFF) // 8) * 8 if word & 3 == 3 else 8
        unit = Unit(chunk, at, size, time)
        found.append(unit)
        if kind != _REQUEST or untimed:  # a request's is that of the entry before it
            untimed.append(unit)
        if kind == 1:
            (base,) = struct.unpack_from("<Q", trace, at + 8)
        elif kind in (0, *_TIMED) and chunk.kind != _FACTS:
            time = base + (word >> (24 if kind else 22))
            for each in untimed:
                each.time = time
            untimed = []
        at += size
    return found


def _find_tracks(trace: bytes, units: list[Unit]) -> None:
    """A track or a switch record begins a run."""
    track = run = 0
    for unit in units:
        (word,) = struct.unpack_from("<Q", trace, unit.at)
        if unit.at == unit.chunk.offset + _HEAD:
            track = run = 0
        kind = word >> 2 & 63 if word & 3 == 3 and unit.chunk.kind != _FACTS else 0
        if kind == _SWITCH or (kind == _TRACK and not word >> 24 & _AGAIN):
            (track,) = struct.unpack_from("<Q", trace, unit.at + 8)
            run = word >> 24 & 0xFFFFFF if kind == _SWITCH else 0
        unit.track, unit.run = track, run


def _find_order(units: list[Unit], by_time: list[Unit]) -> None:
    """What is of one writer, or on one track, is stored in its order."""
    of_writer: dict[int, Unit] = {}
    of_track: dict[int, Unit] = {}
    for unit in units:
        chunk = unit.chunk
        last = of_writer.get(chunk.writer)
        if unit.at == chunk.offset + _HEAD:
            chunk.before = last
        unit.before = (last,) if last else ()
        of_writer[chunk.writer] = unit
    for unit in by_time:
        if unit.track in of_track:
            unit.before += (of_track[unit.track],)
        if unit.track:
            of_track[unit.track] = unit
