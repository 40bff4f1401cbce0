"""Cost of the watcher: its CPU time for the events of a program that it follows."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from functrace.rollup.store import contents_of
from functrace.watch.following import Following
from functrace.watch.ring_rollups import Part, Rolling

_SOURCE = Path(__file__).with_name("watch")
_RATES = (100_000, 1_000_000)  # events a second
_WINDOWS = 20
_WIDTH_NS = 10_000_000_000  # so that some are encoded while it measures


def watching() -> None:
    """Print the watcher's share of a core, and its CPU time per event, with and without rollups."""
    print("the watcher, one window a second of a program with a ring of 64 MB")
    print("    events/s   % of a core   ns an event   incomplete windows   rollups")
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        program = Path(folder) / "load"
        command = [sys.executable, "-m", "functrace", "go", "-q", "build", "-o", str(program), "."]
        subprocess.run(command, cwd=_SOURCE, check=True)
        for rate in _RATES:
            with _running(program, rate, Path(folder) / "rings") as rings:
                _follow(rings, None)
                _follow(rings, Rolling(_WIDTH_NS, lambda _ring, _started: 0, _encode))


def _encode(part: Part) -> None:
    """Encode rollups as the watcher does that writes them."""
    for rollup in part.rollups:
        contents_of(rollup, 0)


def _memory() -> Path | None:
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else None


@contextmanager
def _running(program: Path, rate: int, rings: Path) -> Iterator[Path]:
    environment = {**os.environ, "FUNCTRACE": "ring", "FUNCTRACE_RING_DIR": str(rings)}
    environment["FUNCTRACE_BUDGET"] = "off"
    process = subprocess.Popen([str(program), str(rate)], env=environment)
    try:
        time.sleep(2)
        yield rings
    finally:
        process.kill()
        process.wait()
        for ring in rings.iterdir():
            ring.unlink()


def _follow(rings: Path, rolling: Rolling | None) -> None:
    following = Following(rings, rolling=rolling)
    following.poll()
    began, used = time.monotonic(), time.process_time()
    calls = incomplete = 0
    for _ in range(_WINDOWS):
        time.sleep(1)
        for figures in following.poll():
            calls += figures.calls
            incomplete += figures.is_incomplete
    seconds, used = time.monotonic() - began, time.process_time() - used
    following.close()
    events = 2 * calls
    print(
        f"{events / seconds:12,.0f} {100 * used / seconds:13.1f} {1e9 * used / events:13.0f}"
        f" {incomplete:20} {'each 10 s' if rolling else 'none':>9}"
    )


if __name__ == "__main__":
    watching()
