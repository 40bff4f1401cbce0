"""A trace of any size for functrace view: long threads, bursts and pauses, failed calls.

    python benchmarks/view_trace.py file [events]

Each of eight threads has a call that never ends; inside it, calls go up to 40 levels deep, in some
ten thousand chains. One of a thousand fails. A thread's chunks differ in speed by up to 4,000
times.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

_THREADS = 8
_MAX_DEPTH = 40
_CHOICE_DEPTH = 8
_FUNCTIONS_OF_DEPTH = 2
_FUNCTIONS = 1 + _MAX_DEPTH * _FUNCTIONS_OF_DEPTH
_CHUNK_EVENTS = 1_000_000
_ENTRY, _EXIT, _RECORD = 1, 2, 3
_TRACK, _ERROR, _SWITCH = 2, 3, 10
_START = 1000

Words = npt.NDArray[np.uint64]


def write_trace(path: Path, events: int) -> None:
    """Write a trace with about that many events."""
    template = _template()
    chunks = max(events // _CHUNK_EVENTS, _THREADS)
    with path.open("wb") as file:
        file.write(_header())
        file.write(_facts())
        for sequence, chunk in enumerate(_chunks(template, chunks), 2):
            file.write(_chunk(2, sequence, *chunk))


def _template() -> tuple[Words, Words, npt.NDArray[np.bool_]]:
    """Return words without times, the ticks before each, and which are entries and exits.

    All calls end.
    """
    random = np.random.default_rng(1)
    chance = random.random(_CHUNK_EVENTS)
    choice = random.integers(0, 2, _CHUNK_EVENTS).tolist()
    words: list[int] = []
    records: list[int] = []
    stack: list[int] = []
    for event in range(_CHUNK_EVENTS):
        depth, left = len(stack), _CHUNK_EVENTS - event
        if depth == 0 or (depth < min(_MAX_DEPTH, left - 1) and chance[event] < 0.8 - depth * 0.03):
            stack.append(_function(stack, choice[event]))
            words.append(_ENTRY | stack[-1] << 2)
            continue
        if chance[event] > 0.999:
            records += [len(words), len(words) + 1]
            words += [_RECORD | _ERROR << 2 | 8 << 8, int.from_bytes(b"sold out", "little")]
        words.append(_EXIT | stack.pop() << 2)
    kinds = np.array(words, np.uint64)
    ticks = (random.pareto(1.2, len(kinds)) * 20 + 15).clip(0, 1e6).astype(np.uint64)
    is_event = np.ones(len(kinds), np.bool_)
    is_event[records] = False
    return kinds, ticks, is_event


def _function(callers: list[int], choice: int) -> int:
    """Return one of two functions at the outer levels, inside them the one of the caller."""
    depth = len(callers)
    chosen = choice if depth < _CHOICE_DEPTH else callers[-1] % _FUNCTIONS_OF_DEPTH
    return 2 + depth * _FUNCTIONS_OF_DEPTH + chosen


def _chunks(
    template: tuple[Words, Words, npt.NDArray[np.bool_]], count: int
) -> Iterator[tuple[int, int, bytes]]:
    """Yield thread, base and words of each chunk, thread by thread in turn."""
    kinds, ticks, is_event = template
    random = np.random.default_rng(2)
    base = [_START] * _THREADS
    for number in range(count):
        thread, run = number % _THREADS, number // _THREADS
        times = np.cumsum(ticks) << np.uint64(random.integers(0, 13))
        words = np.where(is_event, kinds | times << np.uint64(22), kinds)
        yield thread + 1, base[thread], _run(thread + 1, run, base[thread]) + words.tobytes()
        base[thread] += int(times[-1])


def _run(thread: int, run: int, start: int) -> bytes:
    if run:
        value = run | 1 << 24  # one call is open
        return struct.pack("<QQ", _RECORD | _SWITCH << 2 | 8 << 8 | value << 24, thread)
    word = _RECORD | _TRACK << 2 | 32 << 8 | 2 << 24
    record = struct.pack("<QQQQII", word, thread, 0, start, 0, 0)
    return record + struct.pack("<Q", _ENTRY | 1 << 2)


def _header() -> bytes:
    fixed = struct.pack(
        "<8sIIIIQQQQQ", b"FTRACE\r\n", 2, 4096, 1, 2, 1_000_000_000, _START, 10**18, 1, 0
    )
    return fixed.ljust(4096, b"\0")


def _facts() -> bytes:
    records = b""
    for number in range(1, _FUNCTIONS + 1):
        name, file = f"shop.function{number}".encode(), b"shop.py"
        payload = struct.pack("<IIQHH", number, number, 0, len(name), len(file)) + name + file
        word = _RECORD | 16 << 2 | len(payload) << 8
        records += struct.pack("<Q", word) + payload.ljust(-(-len(payload) // 8) * 8, b"\0")
    return _chunk(1, 1, 0, 0, records)


def _chunk(kind: int, sequence: int, writer: int, base: int, content: bytes) -> bytes:
    size = -(-(40 + len(content)) // 512) * 512
    head = struct.pack("<4sIIIQQQ", b"CHNK", kind, size, 0, sequence, writer, base)
    return (head + content).ljust(size, b"\0")


if __name__ == "__main__":
    write_trace(Path(sys.argv[1]), int(float(sys.argv[2])) if len(sys.argv) > 2 else 125_000_000)
