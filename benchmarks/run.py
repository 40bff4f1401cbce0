"""Benchmarks for docs/performance.md: calls, traces, sources, and builds of the given programs.

Other tools run on the same machine in the same run; the ratios are what matters.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from budget import budget
from budget_python import budget_python
from builds import builds
from calls import calls
from compaction import compaction
from exports import exports
from fleet import fleet
from joins import joins
from many_tracks import many_tracks
from mesh import mesh
from otlp import otlp
from python_calls import python_calls
from python_rewriting import python_rewriting
from python_start import python_start
from request_cost import request_cost
from store import store
from traces import traces
from view import view
from view_peers import view_peers
from watching import watching


def main() -> None:
    """Print every figure."""
    go = subprocess.run(
        ["go", "env", "GOVERSION", "GOROOT"], capture_output=True, text=True, check=True
    )
    version, goroot = go.stdout.split()
    print(f"{version}, {os.cpu_count()} cores\n")
    calls()
    print()
    budget()
    print()
    traces()
    print()
    view()
    print()
    view_peers()
    print()
    otlp()
    print()
    exports()
    print()
    sources(Path(goroot))
    print()
    python_rewriting()
    print()
    python_calls()
    print()
    python_start()
    print()
    watching()
    print()
    store()
    print()
    compaction()
    print()
    budget_python()
    print()
    many_tracks()
    print()
    request_cost()
    print()
    joins()
    print()
    mesh()
    print()
    fleet()
    for program in sys.argv[1:]:
        print()
        builds(program)


def sources(goroot: Path) -> None:
    """Print the seconds of inject --out on the Go distribution, compared with gofmt -l."""
    tree = goroot / "src"
    print("the sources of the Go distribution, seconds")
    gofmt, _ = measure(str(goroot / "bin" / "gofmt"), "-l", str(tree))
    peaks = []
    print(f"  gofmt -l {gofmt:34.2f}")
    for title, flags in (("inject --out", []), ("inject --all --out", ["--all"])):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "functrace", "inject", "-q", *flags, "--out", folder]
            first, peak = measure(*command, str(tree))
            again, _ = measure(*command, str(tree))
        peaks.append(peak)
        print(f"  {title:26} {first:16.2f}  {first / gofmt:.2f} times gofmt -l")
        print(f"  {title + ', again':36} {again:6.2f}  {again / first:.2f} times the first run")
    print(f"  peak memory of any process {max(peaks):12.0f} MB")


def measure(*command: str) -> tuple[float, float]:
    """Return a command's run time, and the peak memory in MB of its largest process.

    The exit status is ignored.
    """
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - begin, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
