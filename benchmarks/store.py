"""Time and memory of questions to a store of ten thousand processes, each a command of its own."""

from __future__ import annotations

import os
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
            fleet_store.write_apart(Path(place), Plan(_PROCESSES, {"shop": _CHAINS}))
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
    walls, cpus, peaks = [], [], []
    for _ in range(runs):
        began = time.perf_counter()
        program = subprocess.Popen(
            [sys.executable, "-m", "functrace", *arguments], stdout=subprocess.DEVNULL, cwd=ROOT
        )
        _, status, used = os.wait4(program.pid, 0)
        program.returncode = os.waitstatus_to_exitcode(status)
        if program.returncode:
            raise SystemExit(f"{arguments} failed")
        walls.append(time.perf_counter() - began)
        cpus.append(used.ru_utime + used.ru_stime)
        peaks.append(used.ru_maxrss // 1024)
    print(
        f"{' '.join(arguments[:-2])}: {min(walls):.2f} s, median {statistics.median(walls):.2f} s;"
        f" {statistics.median(cpus):.2f} s of CPU time; {max(peaks)} MB"
    )


if __name__ == "__main__":
    print(f"{os.cpu_count()} cores")
    store(*sys.argv[1:2])
