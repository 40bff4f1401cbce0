"""The figures that README quotes: what a traced call costs, and how fast sources are rewritten.

Peers run in the same run on the same machine, and what counts are the ratios.
"""

from __future__ import annotations

import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from builds import builds

ROOT = Path(__file__).resolve().parent
GO = ROOT / "go"
_RESULT = re.compile(
    r"^Benchmark(\w+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op\s+\d+ B/op\s+(\d+) allocs/op", re.M
)


def main() -> None:
    """Print every figure."""
    go = subprocess.run(
        ["go", "env", "GOVERSION", "GOROOT"], capture_output=True, text=True, check=True
    )
    version, goroot = go.stdout.split()
    print(f"{version}, {os.cpu_count()} cores\n")
    calls()
    print()
    sources(Path(goroot))
    for program in sys.argv[1:]:
        print()
        builds(program)


def calls() -> None:
    """Nanoseconds and allocations a call, entry and exit, in each kind of build."""
    print("a call of an empty function, entry and exit")
    row("plain", *benchmark("Plain"))
    row("without the tag trace", *benchmark("Traced"))
    row("FUNCTRACE=off", *benchmark("Traced", "trace", FUNCTRACE="off"))
    text = benchmark("Traced", "trace", FUNCTRACE_OUT=os.devnull)
    row("text, discarded", *text)
    two = benchmark("Traced", "trace", cpu=2, FUNCTRACE_OUT=os.devnull)
    row("text, discarded, 2 cores", *two)
    safe = benchmark("Traced", "trace,functrace_safe", FUNCTRACE_OUT=os.devnull)
    row("text, discarded, functrace_safe", *safe)
    peer = benchmark("PublicCalls")
    row("public calls as by hand, discarded", *peer)
    with tempfile.TemporaryDirectory() as folder:
        row("text to a file", *benchmark("Traced", "trace", FUNCTRACE_OUT=f"{folder}/out"))
    print(f"  the public calls cost {peer[0] / text[0]:.0f} times as much as text")
    print(f"  2 cores have {text[0] / two[0]:.2f} times the throughput of one")


def row(what: str, nanoseconds: float, allocations: int) -> None:
    """One line of a table."""
    print(f"  {what:36} {nanoseconds:9.1f} ns  {allocations:2} allocs")


def benchmark(name: str, tags: str = "", cpu: int = 1, **environment: str) -> tuple[float, int]:
    """The median of five runs of a Go benchmark."""
    command = ["go", "test", "-run=^$", f"-bench=^Benchmark{name}$", "-count=5", "-benchtime=0.5s"]
    run = subprocess.run(
        [*command, f"-cpu={cpu}", f"-tags={tags}", "."],
        cwd=GO,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    found = [(float(m[2]), int(m[3])) for m in _RESULT.finditer(run.stdout)]
    return statistics.median(n for n, _ in found), max(a for _, a in found)


def sources(goroot: Path) -> None:
    """Seconds that inject --out takes over the Go distribution, beside gofmt -l."""
    tree = goroot / "src"
    print("the sources of the Go distribution, seconds")
    gofmt = seconds(str(goroot / "bin" / "gofmt"), "-l", str(tree))
    print(f"  gofmt -l {gofmt:34.2f}")
    for title, flags in (("inject --out", []), ("inject --all --out", ["--all"])):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "functrace", "inject", "-q", *flags, "--out", folder]
            first = seconds(*command, str(tree))
            again = seconds(*command, str(tree))
        print(f"  {title:26} {first:16.2f}  {first / gofmt:.2f} times gofmt -l")
        print(f"  {title + ', again':36} {again:6.2f}  {again / first:.2f} times the first run")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"  peak memory of any process {peak:12.0f} MB")


def seconds(*command: str) -> float:
    """How long a command takes; whether it succeeds is not the question."""
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
