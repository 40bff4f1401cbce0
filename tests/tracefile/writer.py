"""Writes traces by hand, from docs/trace-format.md alone: nothing of functrace is used."""

from __future__ import annotations

import struct


def header(
    *,
    version: int = 1,
    size: int = 4096,
    language: int = 1,
    rate: int = 1_000_000_000,
    start: int = 1000,
    flags: int = 1,
    lost: int = 0,
    overwritten: int = 0,
    last_overwritten: int = 0,
    pid: int = 4_194_303,  # the largest there is, which hardly any process ever has
    started: int = 1_700_000_000_000_000_000,
    calibrations: tuple[tuple[int, int, int, int], ...] = (),
) -> bytes:
    fixed = struct.pack(
        "<8sIIIIQQQQQ",
        b"FTRACE\r\n",
        version,
        size,
        pid,
        language,
        rate,
        start,
        started,
        flags,
        lost,
    )
    renewed = b"".join(struct.pack("<QQQQ", *calibration) for calibration in calibrations)
    counted = (fixed + renewed).ljust(136, b"\0") + struct.pack(
        "<QQ", overwritten, last_overwritten
    )
    return counted.ljust(4096, b"\0")


def chunk(
    kind: int,
    sequence: int,
    *words: bytes,
    track: int = 0,
    base: int = 1000,
    opened: int = 0,
    size: int = 0,
) -> bytes:
    content = b"".join(words)
    size = size or -(-(40 + len(content)) // 512) * 512
    head = struct.pack("<4sIIIQQQ", b"CHNK", kind, size, opened, sequence, track, base)
    return (head + content).ljust(size, b"\0")


def facts(sequence: int, *words: bytes) -> bytes:
    return chunk(1, sequence, *words)


def events(sequence: int, *words: bytes, **head: int) -> bytes:
    return chunk(2, sequence, *words, **head)


def enter(function: int, ticks: int) -> bytes:
    return struct.pack("<Q", ticks << 22 | function << 2 | 1)


def leave(function: int, ticks: int) -> bytes:
    return struct.pack("<Q", ticks << 22 | function << 2 | 2)


def record(kind: int, payload: bytes = b"", value: int = 0) -> bytes:
    padding = b"\0" * (-len(payload) % 8)
    return struct.pack("<Q", value << 24 | len(payload) << 8 | kind << 2 | 3) + payload + padding


def base(ticks: int) -> bytes:
    return record(1, struct.pack("<Q", ticks))


def track(
    number: int,
    ticks: int,
    *,
    kind: int = 1,
    parent: int = 0,
    starter: int = 0,
    line: int = 0,
    name: str = "",
    again: bool = False,
) -> bytes:
    fixed = struct.pack("<QQQII", number, parent, ticks, starter, line)
    return record(2, fixed + name.encode(), kind | again << 8)


def switch(track: int, run: int, *, opened: int = 0) -> bytes:
    return record(10, struct.pack("<Q", track), run & 0xFFFFFF | opened << 24)


def error(text: str, value: int = 0) -> bytes:
    return record(3, text.encode(), value)


def panic(text: str = "", value: int = 0) -> bytes:
    return record(4, text.encode(), value)


def opened(ticks: int, function: int, value: int = 0) -> bytes:
    return record(5, struct.pack("<QQ", ticks, function), value)


def inherited(ticks: int, function: int) -> bytes:
    return record(9, struct.pack("<QQ", ticks, function))


def lost(count: int) -> bytes:
    return record(6, value=count)


def suspended(ticks: int) -> bytes:
    return record(7, value=ticks)


def resumed(ticks: int) -> bytes:
    return record(8, value=ticks)


def function(number: int, name: str, file: str = "main.go", line: int = 1) -> bytes:
    texts = name.encode(), file.encode()
    fixed = struct.pack("<IIQHH", number, line, 0, len(texts[0]), len(texts[1]))
    return record(16, fixed + texts[0] + texts[1])


def process(text: str) -> bytes:
    return record(17, text.encode())


def demotion(function: int, ticks: int, rate: int = 0, value: int = 1) -> bytes:
    return record(18, struct.pack("<QII", ticks, function, rate), value)


def promotion(function: int, ticks: int) -> bytes:
    return demotion(function, ticks, value=0)


def request_name(function: int, *, direction: int = 1, protocol: int = 1) -> bytes:
    return record(19, struct.pack("<IBBH", function, direction, protocol, 0))


def request(
    number: int,
    *,
    inbound: int | None = None,
    protocol: int = 1,
    ids: tuple[str, str] | None = None,
    sampled: bool = False,
    minted: bool = False,
    ft: tuple[int, int] | None = None,
) -> bytes:
    """Return the record of an outbound call of the inbound call ``inbound``; inbound if None."""
    value = (1 if inbound is None else 2) | protocol << 2
    value |= (ids is not None) << 8 | sampled << 9 | (ft is not None) << 10 | minted << 11
    payload = struct.pack("<Q", number)
    if inbound is not None:
        payload += struct.pack("<Q", inbound)
    payload += bytes.fromhex("".join(ids or ()))
    payload += struct.pack("<QQ", *ft) if ft else b""
    return record(11, payload, value)


def status(code: int, *, grpc: bool = False, route: int = 0) -> bytes:
    return record(12, value=code | grpc << 16 | route << 20)


REQUEST_FUNCTIONS = facts(
    1,
    function(1, "GET /users/{id}", "", 0),
    request_name(1),
    function(2, "POST payments/pay", "", 0),
    request_name(2, direction=2),
    function(3, "grpc store.Store/Get", "", 0),
    request_name(3, protocol=2),
    function(4, "main.work", "work.go", 40),
)

FUNCTIONS = facts(
    1,
    process('{"argv": ["./shop"], "tool": "0.1.0"}'),
    function(1, "main.main", "main.go", 10),
    function(2, "main.(*Shop).Sell", "shop.go", 20),
    function(3, "main.price", "shop.go", 30),
    function(4, "main.work", "work.go", 40),
)
