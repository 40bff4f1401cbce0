"""What it takes to instrument a million lines of Python, and again when nothing has changed."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

_LINES = 1_000_000
_LEFT_OUT = shutil.ignore_patterns("site-packages", "__pycache__", "*.so", "*.a")


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock, and of all processors together."""

    clock: float
    processors: float


def python_rewriting() -> None:
    """Print seconds of inject --out over copies of the standard library, and of a second run."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "sources"
        lines = _copies(root)
        command = ["inject", "-q", "--out", f"{folder}/out", str(root)]
        first, again = _cost(*command), _cost(*command)
    million = lines / 1e6
    print(f"{lines:,} lines of Python, the standard library's, {os.cpu_count()} cores")
    print(f"  inject --out {first.clock:33.2f} s, {first.processors:.2f} s of processors")
    print(f"  for a million lines {first.clock / million:26.2f} s")
    print(f"  again {again.clock:40.2f} s, {again.clock / first.clock:.3f} times the first run")


def _copies(root: Path) -> int:
    """Copy the standard library until there are lines enough; return how many there are."""
    library = Path(sysconfig.get_path("stdlib"))
    lines = 0
    while lines < _LINES:
        copy = root / str(lines)
        shutil.copytree(library, copy, ignore=_LEFT_OUT)
        lines += sum(file.read_bytes().count(b"\n") for file in copy.rglob("*.py"))
    return lines


def _cost(*arguments: str) -> Cost:
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "functrace", *arguments]
    # Some of these files are no valid Python, so the exit status is 1.
    subprocess.run(command, stderr=subprocess.DEVNULL, check=False)
    clock, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    processors = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(clock, processors)


if __name__ == "__main__":
    python_rewriting()
