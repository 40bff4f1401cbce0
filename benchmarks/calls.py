"""Cost of one traced call in every kind of build, compared with other tools."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent
_RESULT = re.compile(
    r"^Benchmark(\w+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op\s+\d+ B/op\s+(\d+) allocs/op", re.M
)
_CALLS = 20_000_000


def calls() -> None:
    """Print nanoseconds and allocations per call (entry and exit) of an empty function."""
    print("a call of an empty function, entry and exit")
    print_row("plain", *benchmark("Plain"))
    print_row("without the tag trace", *benchmark("Traced"))
    print_row("FUNCTRACE=off", *benchmark("Traced", "trace", FUNCTRACE="off"))
    print_row("two reads of the clock alone", *benchmark("Clock", "trace"))
    record = _measure_recording()
    print_row("two cores", *_record("Traced", cpu=2))
    print_row("that returns an error of nil", *_record("Watched"))
    print_row("two reads of the system's clock", *benchmark("SystemClock", "trace"))
    print_row("with the system's clock", *_record("Traced", FUNCTRACE_CLOCK="system"))
    print_row("old chunks overwritten", *_record("Traced", size="64M", FUNCTRACE_FULL="overwrite"))
    print_row("functrace_safe", *_record("Traced", "trace,functrace_safe"))
    text = benchmark("Traced", "trace", FUNCTRACE_OUT=os.devnull)
    print_row("text, discarded", *text)
    two = benchmark("Traced", "trace", cpu=2, FUNCTRACE_OUT=os.devnull)
    print_row("text, discarded, 2 cores", *two)
    peer = benchmark("PublicCalls")
    print_row("public calls as by hand, discarded", *peer)
    print(f"  the public calls cost {peer[0] / record:.0f} times as much as recording")
    _compare_span(record)
    _compare_uftrace(record)


def print_row(what: str, nanoseconds: float, allocations: int) -> None:
    """Print one line of a table."""
    print(f"  {what:36} {nanoseconds:9.1f} ns  {allocations:2} allocs")


def benchmark(
    name: str, tags: str = "", cpu: int = 1, folder: str = "go", **environment: str
) -> tuple[float, int]:
    """Return the median time and the maximum allocations of five runs of a Go benchmark."""
    command = ["go", "test", "-run=^$", f"-bench=^Benchmark{name}$", "-count=5", "-benchtime=0.5s"]
    run = subprocess.run(
        [*command, f"-cpu={cpu}", f"-tags={tags}", "."],
        cwd=_FOLDER / folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    found = [(float(m[2]), int(m[3])) for m in _RESULT.finditer(run.stdout)]
    return statistics.median(n for n, _ in found), max(a for _, a in found)


def _record(
    name: str, tags: str = "trace", cpu: int = 1, size: str = "8G", **environment: str
) -> tuple[float, int]:
    with tempfile.TemporaryDirectory() as folder:
        where = {"FUNCTRACE": "record", "FUNCTRACE_OUT": f"{folder}/x.ftrace"}
        return benchmark(name, tags, cpu, FUNCTRACE_MAX_SIZE=size, **where, **environment)


def _measure_recording() -> float:
    print("  recorded to a file:")
    found = _record("Traced")
    print_row("one core", *found)
    return found[0]


def _compare_span(record: float) -> None:
    """Measure an OpenTelemetry span; it needs a Go module proxy."""
    try:
        span = benchmark("Span", folder="otel")
    except subprocess.CalledProcessError:
        print("  an OpenTelemetry span: skipped, no answer from the Go module proxy")
        return
    print_row("an OpenTelemetry span, dropped", *span)
    print(f"  which is {span[0] / record:.0f} times as much as recording")


_C = "int leaf(int x){return x+1;} int main(){int s=0;for(long i=0;i<%d;i++)s=leaf(s);return s&1;}"


def _compare_uftrace(record: float) -> None:
    """Measure uftrace's time and disk space per call of a C function."""
    if not shutil.which("uftrace") or not shutil.which("cc"):
        print("  uftrace: skipped, it is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "x.c")
        source.write_text(_C % _CALLS)
        subprocess.run(["cc", "-pg", "-O0", "-o", "x", source], cwd=folder, check=True)
        data = Path(folder, "data")
        command = ["uftrace", "record", "-d", str(data), "--no-libcall", "./x"]
        plain = _measure_cpu(["./x"], folder)
        spent = (_measure_cpu(command, folder) - plain) / _CALLS * 1e9
        size = sum(f.stat().st_size for f in data.iterdir()) / _CALLS
        begin = time.perf_counter()
        subprocess.run(["uftrace", "report", "-d", data], check=True, capture_output=True)
        speed = 2 * _CALLS / (time.perf_counter() - begin) / 1e6
    print_row("uftrace, a C function, CPU time", spent, 0)
    print(f"  which is {spent / record:.1f} times as much; {size:.0f} bytes a call, here 16")
    print(f"  it reports on {speed:.0f} million events a second")


def _measure_cpu(command: list[str], folder: str) -> float:
    """Return the CPU seconds of the command and its children."""
    before = os.times()
    subprocess.run(command, cwd=folder, check=False, capture_output=True)
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])
