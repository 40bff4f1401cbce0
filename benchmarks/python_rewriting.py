"""Time to instrument a million lines of Python, and again without changes."""

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
_IGNORED = shutil.ignore_patterns("site-packages", "__pycache__", "*.so", "*.a")


@dataclass(frozen=True)
class Cost:
    """Seconds of wall time, and of CPU time on all cores."""

    wall: float
    cpu: float


def python_rewriting() -> None:
    """Print the seconds of inject --out on copies of the standard library, and of a second run."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "sources"
        lines = _copy_sources(root)
        command = ["inject", "-q", "--out", f"{folder}/out", str(root)]
        first, again = _measure(*command), _measure(*command)
    million = lines / 1e6
    print(f"{lines:,} lines of Python, the standard library's, {os.cpu_count()} cores")
    print(f"  inject --out {first.wall:33.2f} s, {first.cpu:.2f} s of CPU time")
    print(f"  for a million lines {first.wall / million:26.2f} s")
    print(f"  again {again.wall:40.2f} s, {again.wall / first.wall:.3f} times the first run")


def _copy_sources(root: Path) -> int:
    """Copy the standard library until there are enough lines; return their number."""
    library = Path(sysconfig.get_path("stdlib"))
    lines = 0
    while lines < _LINES:
        copy = root / str(lines)
        shutil.copytree(library, copy, ignore=_IGNORED)
        lines += sum(file.read_bytes().count(b"\n") for file in copy.rglob("*.py"))
    return lines


def _measure(*arguments: str) -> Cost:
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "functrace", *arguments]
    # Some of these files are not valid Python, so the exit status is 1.
    subprocess.run(command, stderr=subprocess.DEVNULL, check=False)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu)


if __name__ == "__main__":
    python_rewriting()
