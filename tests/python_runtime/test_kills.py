"""A trace contains every call before a SIGKILL, compared with the program's own count.

make soak runs this with many kills.
"""

from __future__ import annotations

import mmap
import os
import random
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.python_runtime import decoder
from tests.python_runtime.conftest import HEAD, Runtime, damage_of, environment

_KILLS = int(os.environ.get("FUNCTRACE_TEST_KILLS", "2"))
_MOST_CALLS = 4_000

# Two threads and two tasks, with a function each. They count their calls before and after, in a
# file of the test's own. The depth of a call depends on its number: a trace that has only the
# latest calls shows which they are.
_PROGRAM = """
import asyncio, mmap, os, threading

with open("counters", "r+b") as file:
    counters = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")
counters[8] = os.getpid()

@trace
def deep0(levels):
    if levels > 1: deep0(levels - 1)

@trace
def deep1(levels):
    if levels > 1: deep1(levels - 1)

@trace
async def visit2(levels):
    await asyncio.sleep(0)
    if levels > 1: await visit2(levels - 1)

@trace
async def visit3(levels):
    await asyncio.sleep(0)
    if levels > 1: await visit3(levels - 1)

def work(place, deep):
    for n in range(1, 10**9):
        counters[2 * place] = n
        deep(n % 5 + 1)
        counters[2 * place + 1] = n

async def wait(place, visit):
    for n in range(1, 10**9):
        counters[2 * place] = n
        await visit(n % 5 + 1)
        counters[2 * place + 1] = n

async def main():
    await asyncio.gather(wait(2, visit2), wait(3, visit3))

for arguments in (0, deep0), (1, deep1):
    threading.Thread(target=work, args=arguments).start()
asyncio.run(main())
"""
_WORKERS = 4
_SIZE = 8 * (2 * _WORKERS + 1)


@pytest.mark.parametrize("full", ["stop", "overwrite"])
@pytest.mark.parametrize("way", ["alone", "functrace record"])
def test_calls_before_a_kill_are_in_the_trace(
    runtime: Runtime, tmp_path: Path, full: str, way: str
) -> None:
    for _ in range(_KILLS):
        counters = _kill(runtime, tmp_path, full, way)
        path = tmp_path / "x.ftrace"
        if not path.exists():  # killed before it had begun
            assert not any(counters[1 : 2 * _WORKERS : 2])
            continue
        _compare(path, counters, is_cut=full == "overwrite")
        path.unlink()


def _kill(runtime: Runtime, folder: Path, full: str, way: str) -> tuple[int, ...]:
    """Kill the program once its first worker has made a number of calls."""
    (folder / "program.py").write_text(HEAD + _PROGRAM)
    (folder / "counters").write_bytes(bytes(_SIZE))
    wanted = random.SystemRandom().randrange(1, _MOST_CALLS if runtime.is_native else 400)
    variables = {"FUNCTRACE": "record", "FUNCTRACE_FULL": full, "FUNCTRACE_OUT": "x.ftrace"}
    if full == "overwrite":
        variables["FUNCTRACE_MAX_SIZE"] = "400K"
    program = [runtime.python.executable, "program.py"]
    if way != "alone":
        options = ["--overwrite", "--max-size", "400K"] if full == "overwrite" else []
        record = ["-m", "functrace", "record", "-o", "x.ftrace", *options, "--"]
        program = [sys.executable, *record, *program]
    with (
        subprocess.Popen(
            program, cwd=folder, env=environment(runtime, variables), stderr=subprocess.PIPE
        ) as process,
        (folder / "counters").open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as memory,
    ):
        while struct.unpack_from("=Q", memory, 8)[0] < wanted:
            assert process.poll() is None, process.stderr and process.stderr.read()
            os.sched_yield()
        os.kill(struct.unpack_from("=Q", memory, 16 * _WORKERS)[0], signal.SIGKILL)
        process.communicate()
    return struct.unpack("=9Q", (folder / "counters").read_bytes())


def _compare(path: Path, counters: tuple[int, ...], *, is_cut: bool) -> None:
    assert damage_of(path) == []
    recorded = decoder.read(path)
    assert recorded.lost == 0
    events = [event for track in recorded.tracks for event in track.events]
    kept = 0
    for place in range(_WORKERS):
        begun, done = counters[2 * place : 2 * place + 2]
        depths = [*_finished([e for e in events if e.endswith(str(place))])][is_cut:]
        kept += len(depths)
        assert all(b == a % 5 + 1 for a, b in pairwise(depths))
        if not is_cut:
            assert done <= len(depths) <= begun
        elif depths:  # a thread that has waited for long has none
            assert depths[-1] in {done % 5 + 1, begun % 5 + 1}
    assert kept or counters[1] < 10


def _finished(events: list[str]) -> Iterator[int]:
    """Yield the depths of the outermost calls that are over."""
    entries = exits = 0
    for event in events:
        if event[0] == ">":
            entries, exits = (1, 0) if exits else (entries + 1, 0)
        elif event[0] == "<":
            exits += 1
            if exits == entries:
                yield entries
