"""Time and memory of `functrace store compact` over one file for each process, as writers leave."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import pyarrow.compute as pc  # noqa: E402  by that path

from functrace.rollup import parquet  # noqa: E402
from functrace.rollup.layout import new_file  # noqa: E402
from functrace.rollup.store import Store  # noqa: E402
from tests.support import fleet_store  # noqa: E402
from tests.support.fleet import Plan  # noqa: E402

_CHAINS = 2_000
_SIZES = (100, 1_000)


def compaction() -> None:
    """Print the figures of hours with a hundred and with a thousand files."""
    for processes in _SIZES:
        with tempfile.TemporaryDirectory(prefix="functrace-bench-") as folder:
            place = str(Path(folder) / "store")
            rows = _write(place, processes)
            print(f"{processes:,} files, {rows:,} rows, {_size(place) / 1e6:.0f} MB: ", end="")
            cpu_s, wall_s, peak_mb = _compact(place)
            files = len(list(Path(place, "chains").rglob("*.parquet")))
            print(
                f"{files} of {_size(place) / 1e6:.0f} MB in {cpu_s:.1f} s CPU, {wall_s:.1f} s,"
                f" {peak_mb:.0f} MB"
            )


def _write(place: str, processes: int) -> int:
    """Write a file for each process, and return the number of rows of chains."""
    whole = place + ".whole"
    fleet_store.write(Path(whole), Plan(processes, {"shop": _CHAINS}))
    store, rows = Store(place), 0
    (partition,) = Store(whole).partitions()
    ((_, tables),) = Store(whole).read(partition)
    for recording in tables["processes"]["recording"].to_pylist():
        own = {n: t.filter(pc.equal(t["recording"], recording)) for n, t in tables.items()}
        rows += len(own["chains"])
        file = new_file(partition, recording, own["processes"]["written"][0].as_py())
        store.put(file, {name: parquet.to_bytes(table) for name, table in own.items()})
    return rows


def _size(place: str) -> int:
    return sum(file.stat().st_size for file in Path(place).rglob("*.parquet"))


def _compact(place: str) -> tuple[float, float, float]:
    """Return CPU time, time and memory."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "functrace", "store", "compact", place]
    program = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT)
    _, status, used = os.wait4(program.pid, 0)
    program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode:
        raise SystemExit("functrace store compact failed")
    return used.ru_utime + used.ru_stime, time.perf_counter() - began, used.ru_maxrss / 1024


if __name__ == "__main__":
    compaction()
