"""Soak test of the ring: an hour under load with 20,000 goroutines.

The program counts the entries and exits of its calls. Every sample compares this count with the
ring: events in it, overwritten ones and lost ones. In the end they are equal, or the test fails. It
also fails if memory grows, or if a goroutine has lost its open calls.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

_SOURCE = Path(__file__).with_name("hour")
_FUNCTRACE = [sys.executable, "-m", "functrace"]
_BUILD = [*_FUNCTRACE, "go", "-q", "--light", "--exclude", "main.*", "build", "-o"]
# One goroutine takes turns of one call a second, the others of eight calls.
_CHAINS = {
    "calls.tick": ["calls.Wait", "calls.serve", "calls.tick"],
    "calls.turn": ["calls.Work", "calls.serve", "calls.turn"],
}
# What a garbage collector's heap varies by.
_MAX_GROWTH = 1.05
_MAX_GROWTH_MB = 4
_COLUMNS = "   time   CPU    RSS   heap   ring  window  calls/s        events   overwritten  lost"


@dataclass(frozen=True)
class Sample:
    """What the program and its ring contain at one time. Sizes are in MB."""

    seconds: float
    cpu: float
    rss: float
    heap: float
    ring: float
    window: float
    completed: int
    started: int
    kept: int
    overwritten: int
    lost: int
    open_calls: int

    @property
    def events(self) -> int:
        """Events that the ring accounts for."""
        return self.kept + self.overwritten + self.lost


class Program:
    """The running program.

    Attributes:
        ring: its ring.
        begin: when it started.
    """

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        executable = folder / "hour"
        subprocess.run([*_BUILD, str(executable), "."], cwd=_SOURCE, check=True)
        rings = folder / "rings"
        rings.mkdir(mode=0o700)
        # The default budget could demote functions, whose calls the ring would not contain.
        settings = {
            "FUNCTRACE": "ring",
            "FUNCTRACE_BUDGET": "off",
            "FUNCTRACE_RING_DIR": str(rings),
        }
        self._process = subprocess.Popen(
            [str(executable), str(options.tracks), str(options.rate)],
            env={**os.environ, **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.begin = time.monotonic()
        self.count()
        (self.ring,) = rings.iterdir()

    def count(self) -> tuple[int, int]:
        """Return the program's count of events: started and completed ones."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._read_count()

    def stop(self) -> tuple[int, int]:
        """End the program and return its last count."""
        assert self._process.stdin
        self._process.stdin.close()
        counted = self._read_count()
        self._process.wait()
        return counted

    def kill(self) -> None:
        """End the program at once."""
        self._process.kill()
        self._process.wait()

    def measure_memory(self) -> tuple[float, float]:
        """Return its resident memory: all of it, and the part that is not shared."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        found = dict(line.split(":", 1) for line in lines)
        rss, heap = (int(found[key].split()[0]) / 1024 for key in ("VmRSS", "RssAnon"))
        return rss, heap

    def measure_cpu(self) -> float:
        """Return its CPU time in seconds."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _read_count(self) -> tuple[int, int]:
        assert self._process.stdout
        started, completed = self._process.stdout.readline().split()
        return int(started), int(completed)


@contextmanager
def running(options: argparse.Namespace) -> Iterator[Program]:
    """Build and start the program, with a ring in memory."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    try:
        program = Program(folder, options)
        try:
            yield program
        finally:
            program.kill()
    finally:
        shutil.rmtree(folder)


def take_sample(program: Program) -> Sample:
    """Measure the running program; its own count is taken before and after the ring is read."""
    seconds = time.monotonic() - program.begin
    cpu = program.measure_cpu()
    rss, heap = program.measure_memory()
    _, completed = program.count()
    info = _read_info(program.ring)
    started, _ = program.count()
    return Sample(
        seconds,
        cpu,
        rss,
        heap,
        info["size_bytes"] / (1 << 20),
        (info["last_event_ns"] - info["first_event_ns"]) / 1e9,
        completed,
        started,
        info["events"],
        info["overwritten_events"],
        info["lost_events"],
        info["unfinished"],
    )


def soak(options: argparse.Namespace) -> list[str]:
    """Run the program, print a table and return what was wrong."""
    with running(options) as program:
        print(_COLUMNS, flush=True)
        samples: list[Sample] = []
        faults: list[str] = []
        while not samples or samples[-1].seconds + options.interval < options.seconds:
            due = program.begin + (len(samples) + 1) * options.interval
            time.sleep(max(0, due - time.monotonic()))
            samples.append(take_sample(program))
            _print_row(samples)
            faults += _check_sample(samples[-1], options.tracks + 1)
        faults += _check_open_chains(program.ring)
        started, completed = program.stop()
        faults += _check_end(_read_info(program.ring), started, completed, options.tracks + 1)
    return [*faults, *_check_growth(samples)]


def _print_row(samples: list[Sample]) -> None:
    last = samples[-1]
    before = samples[-2] if len(samples) > 1 else None
    seconds = last.seconds - (before.seconds if before else 0)
    calls = (last.completed - (before.completed if before else 0)) / 2 / seconds
    cpu = (last.cpu - (before.cpu if before else 0)) / seconds
    print(
        f"{last.seconds:6.0f}s {cpu:5.2f} {last.rss:6.1f} {last.heap:6.1f} {last.ring:6.1f} "
        f"{last.window:6.1f}s {calls:8,.0f} {last.events:13,} {last.overwritten:13,} "
        f"{last.lost:5,}",
        flush=True,
    )


def _check_sample(sample: Sample, tracks: int) -> Iterator[str]:
    if sample.open_calls < 2 * tracks:
        yield f"after {sample.seconds:.0f} s only {sample.open_calls:,} calls are open"
    if not sample.completed <= sample.events <= sample.started:
        yield (
            f"after {sample.seconds:.0f} s the ring accounts for {sample.events:,} events, "
            f"the program for {sample.completed:,} to {sample.started:,}"
        )


def _check_end(info: dict[str, Any], started: int, completed: int, tracks: int) -> Iterator[str]:
    events = info["events"] + info["overwritten_events"] + info["lost_events"]
    print(
        f"at the end {events:,} events: {info['events']:,} in the ring, "
        f"{info['overwritten_events']:,} overwritten, {info['lost_events']:,} lost; "
        f"the program counted {completed:,} of {tracks:,} goroutines"
    )
    if not events == started == completed:
        yield f"the ring accounts for {events:,} events, the program for {completed:,}"
    yield from info["damage"]


def _check_open_chains(ring: Path) -> Iterator[str]:
    """Require that every call has its whole chain, which began long before the ring's window."""
    for function, expected in _CHAINS.items():
        found = _run_json("callers", function, "--limit", "0", str(ring))
        for entry in found["chains"]:
            chain = [step["function"].rpartition("/")[2] for step in entry["steps"]]
            if chain != expected:
                yield f"{function} has the chain {chain}"


def _check_growth(samples: list[Sample]) -> Iterator[str]:
    """Compare the last third of the run with the first samples that have a full ring."""
    full = [sample for sample in samples if sample.overwritten]
    third = len(full) // 3
    if not third:
        print("the ring was not full for long enough to compare its memory")
        return
    for name in ("rss", "heap", "ring"):
        first, last = (
            median(getattr(sample, name) for sample in part)
            for part in (full[:third], full[-third:])
        )
        print(f"{name}: {first:.1f} MB in the first third, {last:.1f} MB in the last")
        if last > max(first * _MAX_GROWTH, first + _MAX_GROWTH_MB):
            yield f"{name} grew from {first:.1f} to {last:.1f} MB"


def _read_info(ring: Path) -> dict[str, Any]:
    info: dict[str, Any] = _run_json("info", str(ring))["traces"][0]
    return info


def _run_json(verb: str, *arguments: str) -> dict[str, Any]:
    command = [*_FUNCTRACE, verb, "--json", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def main() -> None:
    """Run the soak test as the command line requires."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3600, help="length of the run")
    parser.add_argument("--tracks", type=int, default=20_000, help="number of goroutines")
    parser.add_argument("--rate", type=int, default=150_000, help="calls a second, of all together")
    parser.add_argument("--interval", type=float, default=10, help="seconds between samples")
    faults = soak(parser.parse_args())
    for fault in faults:
        print(f"FAILED: {fault}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
