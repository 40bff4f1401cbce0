"""Calls that a trace of 64 MB keeps, and what they cost, with one track and with many."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

_SOURCES = Path(__file__).resolve().parent / "many_tracks"
_TRACKS = (1, 100, 2_000, 20_000)
_CALLS_PER_REQUEST = 3
_GO_REQUESTS = 2_000_000
_PYTHON_REQUESTS = 1_500_000
_RUNS = 3
_PLAIN = {"FUNCTRACE": "off"}


def many_tracks() -> None:
    """Print the tables for goroutines and for tasks."""
    with tempfile.TemporaryDirectory() as folder:
        plain, traced = (
            _build(folder, "plain", ["go", "build"]),
            _build(folder, "traced", [sys.executable, "-m", "functrace", "go", "-q", "build"]),
        )
        _table("goroutines", [plain], [traced], _GO_REQUESTS, Path(folder))
        python = [sys.executable, str(_SOURCES / "tasks.py")]
        _table("tasks", python, python, _PYTHON_REQUESTS, Path(folder))


def _build(folder: str, name: str, command: list[str]) -> str:
    binary = f"{folder}/{name}"
    subprocess.run([*command, "-o", binary, "."], cwd=_SOURCES, check=True)
    return binary


def _table(noun: str, plain: list[str], traced: list[str], requests: int, folder: Path) -> None:
    calls = requests * _CALLS_PER_REQUEST
    print(f"{noun} that take turns, {calls:,} calls, 64 MB, overwritten when full")
    print(f"  {noun:>10}  {'calls kept':>12}  {'bytes a call':>12}  {'ns a call above plain':>21}")
    for tracks in _TRACKS:
        trace = folder / f"{noun}.ftrace"
        arguments = [str(tracks), str(requests)]
        best_plain = best_traced = float("inf")
        for _ in range(_RUNS):  # in turn, since the machine's speed changes
            best_plain = min(best_plain, _cpu_ns([*plain, *arguments], _PLAIN))
            trace.unlink(missing_ok=True)
            settings = _recording(trace)
            best_traced = min(best_traced, _cpu_ns([*traced, *arguments, "traced"], settings))
        found = _info(trace)
        added = (best_traced - best_plain) / calls
        kept, size = f"{found['calls']:,}", f"{found['bytes_per_call']:.1f}"
        print(f"  {tracks:>10,}  {kept:>12}  {size:>12}  {added:>21.0f}")
        trace.unlink()


def _recording(trace: Path) -> dict[str, str]:
    return {
        "FUNCTRACE": "record",
        "FUNCTRACE_OUT": str(trace),
        "FUNCTRACE_FULL": "overwrite",
        "FUNCTRACE_MAX_SIZE": "64M",
    }


def _cpu_ns(command: list[str], settings: dict[str, str]) -> int:
    environment = {**os.environ, **settings}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return int(done.stdout)


def _info(trace: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "functrace", "info", "--json", str(trace)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)["traces"][0]
    return found


if __name__ == "__main__":
    many_tracks()
