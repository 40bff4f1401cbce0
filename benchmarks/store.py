"""Time and memory of questions to a store of ten thousand processes, each a command of its own."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support import fleet_store  # noqa: E402  by that path
from tests.support.fleet import Plan  # noqa: E402

_PROCESSES, _CHAINS = 10_000, 2_000
_RUNS = 5


def store(place: str | None = None) -> None:
    """Print the figures of `functrace callers` and `functrace report`.

    Args:
        place: a store to read; by default, one is made.
    """
    with tempfile.TemporaryDirectory(prefix="functrace-bench-") as folder:
        if place is None:
            place = str(Path(folder) / "store")
            fleet_store.write(Path(place), Plan(_PROCESSES, {"shop": _CHAINS}))
        size = sum(file.stat().st_size for file in Path(place).rglob("*.parquet"))
        print(f"store of {size / 1e6:,.0f} MB")
        function = _most_called(place)
        for verb in (["callers", function], ["callers", function, "--errors"]):
            _measure([*verb, "--store", place], _RUNS)
        _measure(["report", "--store", place], 1)


def _most_called(place: str) -> str:
    command = [sys.executable, "-m", "functrace", "report", "--sort", "errors", "--limit", "1"]
    lines = subprocess.run(
        [*command, "--store", place], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.splitlines()
    return lines[1].split()[-1]


def _measure(arguments: list[str], runs: int) -> None:
    walls, cpus = [], []
    for _ in range(runs):
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "functrace", *arguments],
            stdout=subprocess.DEVNULL,
            check=True,
            cwd=ROOT,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        walls.append(time.perf_counter() - began)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(
        f"{' '.join(arguments[:-2])}: {min(walls):.2f} s, median {statistics.median(walls):.2f} s; "
        f"{statistics.median(cpus):.2f} s of CPU time; "
        f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024} MB at most so far"
    )


if __name__ == "__main__":
    print(f"{os.cpu_count()} cores")
    store(*sys.argv[1:2])
