"""Requests of a small, complete trace, read by docs/trace-format.md alone."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_HEADER, _CHUNK_HEAD = 4096, 40
_FACTS, _EVENTS = 1, 2


@dataclass
class Seen:
    """One request, and the requests and calls that it contains."""

    name: str
    direction: str
    protocol: str
    number: int
    inbound: int = 0
    ids: str = ""
    sampled: bool = False
    minted: bool = False
    ft: tuple[int, int] = (0, 0)
    status: int | None = None
    route: str = ""
    failure: str = ""
    has_ended: bool = False
    calls: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> tuple[str, int | None, str]:
        """Name, status and failure."""
        return self.name, self.status, self.failure


def read(path: Path) -> list[Seen]:
    """Return the requests of a trace in the order of their numbers."""
    data = path.read_bytes()
    functions: dict[int, str] = {}
    runs: dict[int, list[tuple[int, list[tuple[int, bytes]]]]] = defaultdict(list)
    for kind, words in _chunks(data):
        run: list[tuple[int, bytes]] = []
        for word, payload in _words(words):
            record = word >> 2 & 63 if word & 3 == 3 else 0
            if kind == _FACTS and record == 16:
                number, _, _, size, _ = struct.unpack_from("<IIQHH", payload)
                functions[number] = payload[20 : 20 + size].decode()
            elif kind == _EVENTS and record in (2, 10):
                run = []
                number = word >> 24 & 0xFFFFFF if record == 10 else 0
                runs[struct.unpack_from("<Q", payload)[0]].append((number, run))
            run.append((word, payload))
    found: list[Seen] = []
    for parts in runs.values():
        words = [word for _, part in sorted(parts, key=lambda part: part[0]) for word in part]
        found += _requests(words, functions)
    return sorted(found, key=lambda request: request.number)


def _chunks(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = _HEADER
    while data[at : at + 4] == b"CHNK":
        kind, size = struct.unpack_from("<II", data, at + 4)
        yield kind, data[at + _CHUNK_HEAD : at + size]
        at += size


def _words(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 8 <= len(data):
        word = struct.unpack_from("<Q", data, at)[0]
        if word == 0:
            return
        size = word >> 8 & 0xFFFF if word & 3 == 3 else 0
        yield word, data[at + 8 : at + 8 + size]
        at += 8 + (size + 7) // 8 * 8


def _requests(words: list[tuple[int, bytes]], functions: dict[int, str]) -> Iterator[Seen]:
    opened: list[Seen | str] = []
    status: int | None = None
    route = failure = ""
    for word, payload in words:
        kind, value, name = word & 3, word >> 24, functions.get(word >> 2 & 0xFFFFF, "")
        if kind == 1:
            for outer in opened:
                if isinstance(outer, Seen):
                    outer.calls.append(name)
            opened.append(name)
        elif kind == 2:
            closed = opened.pop()
            if isinstance(closed, Seen):
                closed.status, closed.route, closed.failure = status, route, failure
                closed.has_ended = True
            status, route, failure = None, "", ""
        elif (record := word >> 2 & 63) == 11:
            opened[-1] = _request(str(opened[-1]), value, payload)
            yield opened[-1]
        elif record == 12:
            status, route = value & 0xFFFF, functions.get(value >> 20, "")
        elif record in (3, 4):
            failure = payload.decode()


def _request(name: str, value: int, payload: bytes) -> Seen:
    seen = Seen(name, ["", "in", "out"][value & 3], ["", "http", "grpc"][value >> 2 & 15], 0)
    seen.number = struct.unpack_from("<Q", payload)[0]
    at = 8
    if seen.direction == "out":
        seen.inbound = struct.unpack_from("<Q", payload, at)[0]
        at += 8
    if value >> 8 & 1:
        seen.ids = f"{payload[at : at + 16].hex()}-{payload[at + 16 : at + 24].hex()}"
        at += 24
    seen.sampled, seen.minted = bool(value >> 9 & 1), bool(value >> 11 & 1)
    if value >> 10 & 1:
        seen.ft = struct.unpack_from("<QQ", payload, at)
    return seen
