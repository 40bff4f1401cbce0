"""What recording adds to a request, beside OpenTelemetry's instrumentation of the same library.

Server and client speak over connections in memory where the library can, so that all else costs
little. Times are CPU time, each the least of several alternating runs: other programs, and the
other side of a connection, change that least.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from functrace.tracefile.reader import open_trace

_SOURCE = Path(__file__).with_name("requests")
_RESULT = re.compile(
    r"^Benchmark\w+?(?:-\d+)?\s+\d+\s.*\s([\d.]+) cpu-ns/op\s+\d+ B/op\s+(\d+) allocs/op", re.M
)
_ROOT = Path(__file__).parents[1]
_PYTHON = {"wsgiref": "wsgi.py", "urllib": "http_client.py", "grpcio": "grpc_calls.py"}
_PACKAGES = ["grpcio", "opentelemetry-sdk"]
_PACKAGES += [f"opentelemetry-instrumentation-{name}" for name in ("wsgi", "urllib", "grpc")]
_REQUESTS = 50_000
_TURNS = 7
_FUNCTRACE = (sys.executable, "-m", "functrace", "go", "-q")


def request_cost() -> None:
    """Print what a request costs more: nanoseconds, and for Go allocations and bytes of trace."""
    print("added to a request; net/http with trace headers, gRPC with both of its sides")
    with tempfile.TemporaryDirectory() as folder:
        plain, traced = f"{folder}/plain", f"{folder}/traced"
        build = ["test", "-c", "-o"]
        if subprocess.run(["go", *build, plain, "."], cwd=_SOURCE, check=False).returncode:
            print("  skipped, OpenTelemetry's modules cannot be had")
            return
        subprocess.run([*_FUNCTRACE, *build, traced, "."], cwd=_SOURCE, check=True)
        for side in ("Server", "Client", "GRPC"):
            _print_side(side, plain, traced, folder)
    _print_python()


def _print_side(side: str, plain: str, traced: str, folder: str) -> None:
    trace = f"{folder}/{side}.ftrace"
    record = {"FUNCTRACE": "record", "FUNCTRACE_OUT": trace, "FUNCTRACE_MAX_SIZE": "2G"}
    variants: dict[str, tuple[str, str, dict[str, str]]] = {
        "plain": (plain, side, {}),
        "hooks compiled in, off": (traced, side, {"FUNCTRACE": "off"}),
        "calls recorded, requests not": (traced, side, record | {"FUNCTRACE_PROPAGATE": "off"}),
        "observe": (traced, side, record),
        "forward": (traced, side, record | {"FUNCTRACE_PROPAGATE": "forward"}),
        "span": (traced, side, record | {"FUNCTRACE_PROPAGATE": "span"}),
        "OpenTelemetry": (plain, f"{side}OpenTelemetry", {}),
    }
    times: dict[str, list[float]] = {title: [] for title in variants}
    allocations: dict[str, int] = {}
    sizes: dict[str, float] = {}
    for _ in range(_TURNS):
        for title, (program, name, environment) in variants.items():
            nanoseconds, allocations[title] = _run(program, name, environment)
            times[title].append(nanoseconds)
            if Path(trace).exists():
                sizes[title] = _words(trace) * 8 / _REQUESTS
                Path(trace).unlink()
    without = sizes["calls recorded, requests not"]
    print(f"  {side.lower()}")
    for title in variants:
        base = "calls recorded, requests not" if title in sizes else "plain"
        added = min(times[title]) - min(times[base])
        more = allocations[title] - allocations[base]
        size = f"{sizes[title] - without:7.1f} bytes" if title in sizes else ""
        print(f"    {title:30} {added:+8.0f} ns {more:+4} allocations {size}".rstrip())


def _print_python() -> None:
    """Print what requests of libraries in Python cost more."""
    with tempfile.TemporaryDirectory() as folder:
        python = f"{folder}/venv/bin/python"
        subprocess.run([sys.executable, "-m", "venv", f"{folder}/venv"], check=True)
        install = [python, "-m", "pip", "install", "-q", str(_ROOT), *_PACKAGES]
        if subprocess.run(install, check=False).returncode:
            print("  Python: skipped, OpenTelemetry's packages cannot be had")
            return
        for title, script in _PYTHON.items():
            _print_library(title, str(_SOURCE / script), python, folder)


def _print_library(title: str, script: str, python: str, folder: str) -> None:
    trace = Path(folder, "x.ftrace")
    traced = [python, "-m", "functrace", "run", "-q", script, "functrace"]
    record = {"FUNCTRACE": "record", "FUNCTRACE_OUT": str(trace), "FUNCTRACE_MAX_SIZE": "2G"}
    variants: dict[str, tuple[list[str], dict[str, str]]] = {
        "plain": ([python, script, "plain"], {}),
        "requests not recorded": (traced, record | {"FUNCTRACE_PROPAGATE": "off"}),
        "observe": (traced, record),
        "OpenTelemetry": ([python, script, "opentelemetry"], {}),
    }
    times: dict[str, list[float]] = {variant: [] for variant in variants}
    for _ in range(_TURNS):
        for variant, (command, environment) in variants.items():
            times[variant].append(_run_python(command, environment))
            trace.unlink(missing_ok=True)
    print(f"  {title}, Python")
    for variant, base in (("observe", "requests not recorded"), ("OpenTelemetry", "plain")):
        print(f"    {variant:30} {min(times[variant]) - min(times[base]):+8.0f} ns")


def _run_python(command: list[str], environment: dict[str, str]) -> float:
    environment = {**os.environ, **environment}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(run.stdout.split()[-1])


def _run(program: str, name: str, environment: dict[str, str]) -> tuple[float, int]:
    command = [program, "-test.run=^$", f"-test.bench=^Benchmark{name}$", "-test.cpu=1"]
    run = subprocess.run(
        [*command, f"-test.benchtime={_REQUESTS}x"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    found = _RESULT.search(run.stdout)
    assert found, run.stdout
    return float(found[1]), int(found[2])


def _words(trace: str) -> int:
    """Return the number of words in the chunks of events."""
    opened = open_trace(trace)
    words = int(opened.words.pieces["words"].sum())
    opened.close()
    return words


if __name__ == "__main__":
    request_cost()
