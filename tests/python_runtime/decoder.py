"""Trace decoder written from docs/trace-format.md alone: it uses no code of functrace.

A track's events are lines: ``^ f`` a call inherited from the process that was forked, ``> f`` an
entry, ``< f`` an exit, ``! text`` the exception with which the exit behind it is left, ``wait``
and ``run`` where it waits and runs again, ``lost n``.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CLEAN, FULL, OVERWRITES, WRITE_FAILED = 1, 2, 4, 8


@dataclass
class Track:
    id: int
    kind: int = 0
    name: str = ""
    parent: int = 0
    starter: str = ""
    line: int = 0
    start: int = 0
    events: list[str] = field(default_factory=list)
    ticks: list[int] = field(default_factory=list)

    @property
    def calls(self) -> str:
        """The events on a line."""
        return " ".join(event.replace(" ", "", 1) for event in self.events)


@dataclass
class Trace:
    pid: int
    language: int
    flags: int
    lost: int
    process: dict[str, Any]
    functions: dict[int, str]
    places: dict[str, tuple[str, int]]
    tracks: list[Track]

    def track(self, name: str) -> Track:
        (found,) = [track for track in self.tracks if track.name == name]
        return found

    def origin(self, track: Track) -> str:
        """Where a track came from: the parent's name, the function and the text of the line."""
        (parent,) = [t for t in self.tracks if t.id == track.parent]
        file, _ = self.places[track.starter]
        line = Path(file).read_text(encoding="utf-8").splitlines()[track.line - 1]
        return f"{parent.name} {track.starter}: {line.strip()}"


def read(path: Path) -> Trace:
    data = path.read_bytes()
    magic, version, size, pid, language, *_, flags, lost = struct.unpack_from("<8sIIIIQQQQQ", data)
    assert (magic, version, size) == (b"FTRACE\r\n", 1, 4096)
    chunks = sorted(_chunks(data, size, bool(flags & OVERWRITES)), key=lambda chunk: chunk[0][4])
    facts = [record for head, at in chunks if head[1] == 1 for record in _records(data, head, at)]
    process = [json.loads(payload) for kind, _, payload in facts if kind == 17]
    functions, places = {}, {}
    for kind, _, payload in facts:
        if kind == 16:
            number, line, _, name_size, file_size = struct.unpack_from("<IIQHH", payload)
            name, file = payload[20 : 20 + name_size].decode(), payload[20 + name_size :].decode()
            assert len(file.encode()) == file_size
            functions[number] = name.removeprefix("__main__.")
            places[functions[number]] = file, line
    reader = _Events(functions)
    for head, at in chunks:
        if head[1] == 2:
            reader.read(data, head, at)
    begun = [track for track in reader.tracks.values() if track.id]
    tracks = sorted(begun, key=lambda track: (track.start, track.id))
    return Trace(
        pid, language, flags, lost, process[0] if process else {}, functions, places, tracks
    )


def _chunks(data: bytes, at: int, overwritten: bool) -> Iterator[tuple[Any, int]]:
    while at + 40 <= len(data):
        head = struct.unpack_from("<4sIIIQQQ", data, at)
        if head[0] == b"CHNK" and head[2] and not head[2] % 512:
            yield head, at
            at += head[2]
        elif overwritten:
            at += 512
        else:
            return


def _words(data: bytes, head: Any, at: int) -> Iterator[tuple[int, bytes]]:
    end = at + head[2]
    at += 40
    while at < end:
        (word,) = struct.unpack_from("<Q", data, at)
        if not word:
            return
        size = word >> 8 & 0xFFFF if word & 3 == 3 else 0
        yield word, data[at + 8 : at + 8 + size]
        at += 8 + -(-size // 8) * 8


def _records(data: bytes, head: Any, at: int) -> Iterator[tuple[int, int, bytes]]:
    for word, payload in _words(data, head, at):
        assert word & 3 == 3
        yield word >> 2 & 63, word >> 24, payload


class _Events:
    def __init__(self, functions: dict[int, str]) -> None:
        self.functions = functions
        self.tracks: dict[int, Track] = {}

    def read(self, data: bytes, head: Any, at: int) -> None:
        track, base = self._track(head[5]) if head[5] else Track(0), head[6]
        for word, payload in _words(data, head, at):
            kind, value = word >> 2 & 63, word >> 24
            if word & 3 != 3:
                sign = ">" if word & 3 == 1 else "<"
                name = self.functions[word >> 2 & 0xFFFFF]
                self._add(track, f"{sign} {name}", base + (word >> 22))
            elif kind == 1:
                (base,) = struct.unpack("<Q", payload)
            elif kind == 2:
                track = self._begin(value, payload)
            elif kind == 4:
                self._add(track, f"! {payload.decode()}{'…' * (value & 1)}", 0)
            elif kind == 9:
                ticks, number = struct.unpack("<QQ", payload)
                self._add(track, f"^ {self.functions[number]}", ticks)
            elif kind == 6:
                self._add(track, f"lost {value}", 0)
            elif kind in (7, 8):
                self._add(track, "wait" if kind == 7 else "run", base + value)

    def _begin(self, kind: int, payload: bytes) -> Track:
        number, parent, start, starter, line = struct.unpack_from("<QQQII", payload)
        track = self._track(number)
        if not track.kind:
            track.kind, track.name, track.start = kind, payload[32:].decode(), start
            track.parent, track.starter = parent, self.functions.get(starter, "")
            track.line = line
        return track

    def _track(self, number: int) -> Track:
        return self.tracks.setdefault(number, Track(number))

    def _add(self, track: Track, event: str, ticks: int) -> None:
        assert track.id, "an event before the track that it is of"
        if ticks:
            assert not track.ticks or ticks >= track.ticks[-1], "time goes backwards"
            track.ticks.append(ticks)
        track.events.append(event)
