"""Cost of ``functrace go build`` compared with ``go build``, on external programs.

A program is given as a folder in a module, or as ``folder:package``. A function is added
to one of its files for a while, and removed again.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PLAIN = ["go", "build"]
TRACED = ["functrace", "go", "-q", "build"]
_OWN_FILES = (
    "{{$d := .Dir}}{{with .Module}}{{if .Main}}"
    "{{range $.GoFiles}}{{$d}}/{{.}}\n{{end}}{{range $.CgoFiles}}{{$d}}/{{.}}\n{{end}}"
    "{{end}}{{end}}"
)


@dataclass(frozen=True)
class Cost:
    """Seconds, and the peak memory of the largest process in MB."""

    seconds: float
    megabytes: float


def builds(program: str) -> None:
    """Print the table for one program."""
    root, _, package = program.partition(":")
    folder, package = Path(root).resolve(), package or "."
    source, lines = _find_own_files(folder, package)
    print(f"{folder.name} {package}: {lines:,} lines instrumented")
    with tempfile.TemporaryDirectory() as temporary:
        outputs = [Path(temporary, name) for name in ("plain", "traced")]
        caches = [{"GOCACHE": f"{temporary}/cache{i}"} for i in range(2)]
        caches[1]["FUNCTRACE_CACHE"] = f"{temporary}/functrace"
        first: list[Cost] = []
        for what in ("cold", "nothing changed", "one file changed"):
            costs = []
            with _change(source, what == "one file changed"):
                for command, env, output in zip((PLAIN, TRACED), caches, outputs, strict=True):
                    costs.append(_measure([*command, "-o", str(output), package], folder, env))
            _print_row(what, *costs)
            first = first or costs
        memory = first[1].megabytes / first[0].megabytes
        print(f"  largest process      {memory:6.2f} times, {first[1].megabytes:.0f} MB")
        sizes = [output.stat().st_size for output in outputs]
        print(f"  size of the program  {sizes[1] / sizes[0]:6.2f} times, {sizes[1] >> 20} MB")


def _find_own_files(folder: Path, package: str) -> tuple[Path, int]:
    """Return a file of the package, and the number of lines of its module that a build compiles."""
    listed = ["go", "list", "-deps", "-f", _OWN_FILES, package]
    run = subprocess.run(listed, cwd=folder, capture_output=True, text=True, check=True)
    files = [Path(line) for line in run.stdout.splitlines() if line]
    return files[-1], sum(file.read_bytes().count(b"\n") for file in files)


@contextmanager
def _change(file: Path, is_wanted: bool) -> Iterator[None]:
    before = file.read_bytes()
    try:
        if is_wanted:
            file.write_bytes(before + b"\nfunc benchmarked() int { return 1 }\n")
        yield
    finally:
        if is_wanted:
            file.write_bytes(before)


def _measure(command: list[str], folder: Path, env: dict[str, str]) -> Cost:
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, **env})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed in {folder}")
    return Cost(time.perf_counter() - start, usage.ru_maxrss / 1024)


def _print_row(title: str, plain: Cost, traced: Cost) -> None:
    ratio = traced.seconds / plain.seconds
    print(f"  {title:18} {plain.seconds:8.2f} s {traced.seconds:8.2f} s {ratio:6.2f} times")
