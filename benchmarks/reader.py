"""Speed and peak memory of folding a trace into a table of chains.

    python benchmarks/reader.py [events] [file]

The trace has the number of events given (default 20 million), in goroutines that one goroutine
started: each handles 64 requests, of 16 kinds, with 256 calls each.
"""

from __future__ import annotations

import json
import resource
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

_FUNCTIONS = 40
_CALLS = 256  # in a tree
_TREES = 64  # in a goroutine
_KINDS = 16  # of trees
_TRACK = 3 | 2 << 2 | 32 << 8 | 1 << 24


def main() -> None:
    """Write a trace, fold it in a separate process, and print the figures."""
    events = int(float(sys.argv[1])) if len(sys.argv) > 1 else 20_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(folder) / "benchmark.ftrace"
        _write(path, events)
        print(f"{path.stat().st_size / 1e6:,.0f} MB")
        for name in ("fold", "calls"):
            command = [sys.executable, __file__, "--measure", str(path), name]
            figures = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            print(name, *(f"{key} {value:,.2f}" for key, value in figures.items()), sep="  ")


def _measure(path: str, name: str) -> None:
    from functrace.analysis import Listing, calls, fold
    from functrace.tracefile import open_trace

    begin = time.perf_counter()
    trace = open_trace(path)
    opened = time.perf_counter()
    if name == "fold":
        chains = fold(trace)
        found = len(chains)
    else:
        found = len(calls(trace, listing=Listing(min_duration_ns=100_000)))
    end = time.perf_counter()
    figures = {
        "million events/s": trace.events / (end - begin) / 1e6,
        "seconds": end - begin,
        "to open": opened - begin,
        "found": found,
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(figures))


def _write(path: Path, events: int) -> None:
    words = _make_tree_words()
    tracks = max(1, events // (2 * _CALLS * _TREES))
    with path.open("wb") as file:
        file.write(_make_header())
        file.write(_make_facts())
        file.write(_make_chunk(1, words[:1]))
        for track in range(2, tracks + 2):
            file.write(_make_chunk(track, words))


def _make_tree_words() -> np.ndarray:
    """Return the words of one goroutine: entries and exits of consecutive random call trees."""
    random = np.random.default_rng(1)
    out: list[tuple[int, int]] = []

    def call(left: int, depth: int) -> None:
        function = 1 + int(random.integers(_FUNCTIONS // 8)) + depth % 8 * (_FUNCTIONS // 8)
        out.append((1, function))
        left -= 1
        while left > 0:
            part = left if depth > 6 and left < 3 else int(random.integers(1, left + 1))
            call(part, depth + 1)
            left -= part
        out.append((2, function))

    for _ in range(_KINDS):
        call(_CALLS, 0)
    kinds = np.array(out * (_TREES // _KINDS), np.uint64)
    ticks = np.cumsum(random.exponential(200, len(kinds)).astype(np.uint64) + np.uint64(20))
    return kinds[:, 0] | kinds[:, 1] << np.uint64(2) | ticks << np.uint64(22)


def _make_header() -> bytes:
    header = struct.pack(
        "<8sIIIIQQQQQ", b"FTRACE\r\n", 1, 4096, 1, 1, 3_000_000_000, 1000, 10**18, 1, 0
    )
    return header.ljust(4096, b"\0")


def _make_facts() -> bytes:
    records = b""
    for number in range(1, _FUNCTIONS + 1):
        name, file = f"main.function{number}".encode(), b"main.go"
        payload = struct.pack("<IIQHH", number, number, 0, len(name), len(file)) + name + file
        word = 3 | 16 << 2 | len(payload) << 8
        records += struct.pack("<Q", word) + payload.ljust(-(-len(payload) // 8) * 8, b"\0")
    size = 512 * ((40 + len(records) + 511) // 512)
    return (struct.pack("<4sIIIQQQ", b"CHNK", 1, size, 0, 1, 0, 0) + records).ljust(size, b"\0")


def _make_chunk(track: int, words: np.ndarray) -> bytes:
    base = 1000 + track * 10_000
    parent = int(track > 1)
    size = 512 * -(-(88 + 8 * len(words)) // 512)
    head = struct.pack("<4sIIIQQQ", b"CHNK", 2, size, 0, track + 1, 0, base)
    start = base + int(words[0] >> np.uint64(22))
    record = struct.pack("<QQQQII", _TRACK, track, parent, start, 1 if parent else 0, 12)
    return (head + record + words.tobytes()).ljust(size, b"\0")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        _measure(*sys.argv[2:])
    elif sys.argv[1:2] == ["--write"]:
        _write(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
