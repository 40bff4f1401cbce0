"""Trace decoder written from docs/trace-format.md alone: it uses no code of functrace.

A track's events are lines: ``^ f`` a call inherited from the process that was forked, ``> f`` an
entry, ``< f`` an exit, ``! text`` the exception with which the exit behind it is left, ``wait``
and ``run`` where it waits and runs again, ``lost n``. Of a request, ``? …`` behind the entry, and
``= status`` and ``error text`` before the exit.
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
class Run:
    """Words of a track that follow each other in a chunk; ``opened`` is None in a track's first."""

    number: int
    opened: int | None
    writer: int
    order: tuple[int, int] = (0, 0)
    listed: list[str] | None = None
    events: list[str] = field(default_factory=list)
    ticks: list[int] = field(default_factory=list)


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
    runs: list[Run] = field(default_factory=list)

    @property
    def calls(self) -> str:
        """The events on a line."""
        return " ".join(event.replace(" ", "", 1) for event in self.events)


@dataclass
class Demotion:
    function: str
    is_demoted: bool
    is_mute: bool
    ticks: int
    calls_per_second: int


@dataclass
class Trace:
    pid: int
    language: int
    flags: int
    lost: int
    overwritten: int
    process: dict[str, Any]
    functions: dict[int, str]
    places: dict[str, tuple[str, int]]
    tracks: list[Track]
    demotions: list[Demotion] = field(default_factory=list)

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
    assert (magic, version, size) == (b"FTRACE\r\n", 2, 4096)
    (overwritten,) = struct.unpack_from("<Q", data, 136)
    chunks = sorted(_chunks(data, size, bool(flags & OVERWRITES)), key=lambda chunk: chunk[0][4])
    facts = [record for head, at in chunks if head[1] == 1 for record in _records(data, head, at)]
    process = [json.loads(payload) for kind, _, payload in facts if kind == 17]
    functions, places, number = {}, {}, 0
    for kind, _, payload in facts:
        if kind == 16:
            number, line, _, name_size, file_size = struct.unpack_from("<IIQHH", payload)
            name, file = payload[20 : 20 + name_size].decode(), payload[20 + name_size :].decode()
            assert len(file.encode()) == file_size
            functions[number] = name.removeprefix("__main__.")
            places[functions[number]] = file, line
        elif kind == 19:
            marked, direction, protocol, zero = struct.unpack("<IBBH", payload)
            assert marked == number, "a request name that is not behind its function"
            assert direction in (1, 2), "no direction"
            assert protocol in (1, 2), "no protocol"
            assert (*places[functions[number]], zero) == ("", 0, 0)
    reader = _Events(functions)
    for head, at in chunks:
        if head[1] == 2:
            reader.read(data, head, at)
    for track in reader.tracks.values():
        _join_runs(track)
    tracks = sorted(reader.tracks.values(), key=lambda track: (track.start, track.id))
    description = process[0] if process else {}
    demotions = [_demotion(functions, *fact[1:]) for fact in facts if fact[0] == 18]
    return Trace(
        pid, language, flags, lost, overwritten, description, functions, places, tracks, demotions
    )


def _demotion(functions: dict[int, str], value: int, payload: bytes) -> Demotion:
    ticks, number, rate = struct.unpack("<QII", payload)
    return Demotion(functions[number], bool(value & 1), bool(value & 2), ticks, rate)


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


def _join_runs(track: Track) -> None:
    """Put the track's runs in order, and their events behind each other."""
    times, number = 0, 0  # how often it has begun, and the last number, not modulo 2²⁴
    for run in track.runs:
        if run.opened is None:
            times, number = times + 1, 0
        else:
            number += (run.number - number + (1 << 23)) % (1 << 24) - (1 << 23)
        run.order = times, number
    track.runs.sort(key=lambda run: run.order)
    for run in track.runs:
        track.events += run.events
        track.ticks += run.ticks
    assert track.ticks == sorted(track.ticks), "time goes backwards"


def _request(value: int, payload: bytes) -> str:
    """Describe a request: its number, direction, protocol and what else is known."""
    words = [payload[at : at + 8] for at in range(0, len(payload), 8)]
    direction, protocol = ("", "in", "out")[value & 3], ("", "http", "grpc")[value >> 2 & 15]
    text = f"? {_number(words)} {direction} {protocol}"
    if direction == "out":
        text += f" of={_number(words)}"
    if value >> 8 & 1:
        text += f" ids={(words.pop(0) + words.pop(0)).hex()}-{words.pop(0).hex()}"
    text += " sampled" * (value >> 9 & 1) + " own" * (value >> 11 & 1)
    if value >> 10 & 1:
        text += f" ft={_number(words):016x}:{_number(words)}"
    assert not words
    return text


def _number(words: list[bytes]) -> int:
    return int.from_bytes(words.pop(0), "little")


_BASE, _TRACK, _SWITCH = 1, 2, 10


class _Events:
    def __init__(self, functions: dict[int, str]) -> None:
        self.functions = functions
        self.tracks: dict[int, Track] = {}

    def read(self, data: bytes, head: Any, at: int) -> None:
        assert not head[3]
        run, writer, base = None, head[5], head[6]
        latest = base
        for word, payload in _words(data, head, at):
            kind, value = (word >> 2 & 63, word >> 24) if word & 3 == 3 else (0, word >> 22)
            if kind in (_TRACK, _SWITCH):
                begin = self._begin if kind == _TRACK else self._switch
                run = begin(value, payload, run)
                run.writer = writer
                continue
            assert run, "words before the track that they are of"
            if kind == _BASE:
                base = latest = int.from_bytes(payload, "little")
            elif kind in (0, 7, 8):
                assert base + value >= latest, "time in a chunk goes backwards"
                latest = base + value
                run.events.append(self._timed(word, kind))
                run.ticks.append(latest)
            else:
                self._add(run, kind, value, payload)

    def _timed(self, word: int, kind: int) -> str:
        if kind:
            return "wait" if kind == 7 else "run"
        return f"{'>' if word & 3 == 1 else '<'} {self.functions[word >> 2 & 0xFFFFF]}"

    def _add(self, run: Run, kind: int, value: int, payload: bytes) -> None:
        """Add an event without a time of its own, or an open call."""
        if kind == 3:
            run.events.append(f"error {payload.decode()}{'…' * (value & 1)}")
        elif kind == 11:
            assert run.events[-1][0] == ">", "a request that is not behind an entry"
            run.events.append(_request(value, payload))
        elif kind == 12:
            route = self.functions[value >> 20] if value >> 20 else ""
            code = f"grpc {value & 0xFFFF}" if value >> 16 & 1 else f"{value & 0xFFFF}"
            run.events.append(f"= {code} {route}".rstrip())
        elif kind == 4:
            run.events.append(f"! {payload.decode()}{'…' * (value & 1)}")
        elif kind == 5:
            assert run.listed is not None, "an open call outside a list"
            assert not run.events, "a list behind events"
            run.listed.append(self.functions[struct.unpack("<QQ", payload)[1]])
        elif kind == 6:
            run.events.append(f"lost {value}")
        elif kind == 9:
            ticks, number = struct.unpack("<QQ", payload)
            run.events.append(f"^ {self.functions[number]}")
            run.ticks.append(ticks)

    def _begin(self, value: int, payload: bytes, run: Run | None) -> Run:
        number, parent, start, starter, line = struct.unpack_from("<QQQII", payload)
        track = self._track(number)
        description = value & 0xFF, payload[32:].decode(), start, parent, line
        if not track.kind:
            track.kind, track.name, track.start, track.parent, track.line = description
            track.starter = self.functions.get(starter, "")
        if value & 1 << 8:
            assert run, "described again outside a run"
            assert run is track.runs[-1], "described again outside its run"
            known = track.kind, track.name, track.start, track.parent, track.line
            assert description == known, "described differently"
            run.listed = []
            return run
        track.runs.append(Run(0, None, 0))
        return track.runs[-1]

    def _switch(self, value: int, payload: bytes, _run: Run | None) -> Run:
        (number,) = struct.unpack("<Q", payload)
        track = self._track(number)
        track.runs.append(Run(value & 0xFFFFFF, value >> 24, 0))
        return track.runs[-1]

    def _track(self, number: int) -> Track:
        assert number, "a track without a number"
        return self.tracks.setdefault(number, Track(number))
