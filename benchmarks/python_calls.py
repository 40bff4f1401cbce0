"""Cost of one traced call of a Python function, compared with viztracer and cProfile."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ROOT))

from tests.support.pythons import CannotBuildError, Python, all_pythons  # noqa: E402  by that path

_RELEASES = ((3, 11), (3, 13))
_CALLS = 1_000_000
_FEWER_CALLS = 200_000

# The minimum of many short runs: other load on the machine distorts the mean.
_PROGRAM = """
import sys, time
from contextlib import nullcontext

def plain(decorate):
    return nullcontext()

def functrace_on(decorate):
    import functrace
    decorate(functrace.trace)
    return nullcontext()

def viztracer(decorate):
    from viztracer import VizTracer
    return VizTracer(tracer_entries=1_000_000, output_file=sys.argv[3], verbose=0)

def cprofile(decorate):
    import cProfile
    return cProfile.Profile()

def leaf(): pass
def failing(): raise ValueError("no such item")

def set_leaf(decorator):
    global leaf, failing
    leaf, failing = decorator(leaf), decorator(failing)

def calls(n):
    for _ in range(n): leaf()

def failures(n):
    for _ in range(n):
        try: failing()
        except ValueError: pass

def nothing(n):
    for _ in range(n): pass

def seconds(function, n):
    begin = time.perf_counter()
    function(n)
    return time.perf_counter() - begin

how, stretch, measured = globals()[sys.argv[1]], 2_000, globals()[sys.argv[4]]
with how(set_leaf):
    stretches = int(sys.argv[2]) // stretch
    best = min(seconds(measured, stretch) for _ in range(stretches))
loop = min(seconds(nothing, stretch) for _ in range(stretches))
print((best - loop) / stretch * 1e9)
"""


def python_calls() -> None:
    """Print nanoseconds and file bytes per call for each Python version."""
    found = [python for python in all_pythons() if python.release in _RELEASES]
    if not found:
        print("calls of Python: skipped, neither Python 3.11 nor 3.13 found")
    for python in found:
        with tempfile.TemporaryDirectory() as folder:
            _compare(python, Path(folder))


def _compare(python: Python, folder: Path) -> None:
    print(f"a call of an empty function, {python.name}: nanoseconds, and bytes of file")
    plain, _ = _run(python, folder, "plain")
    print(f"  {'plain':36} {plain:9.1f}")
    off, _ = _run(python, folder, "functrace_on")
    print(f"  {'functrace, off':36} {off:9.1f}   {off - plain:+7.1f}")
    try:
        native = _measure_recording(python, folder, plain, is_native=True)
    except CannotBuildError as error:
        print(f"  functrace with the extension: skipped, {error}")
        native = None
    _measure_recording(python, folder, plain, is_native=False)
    if native:
        _measure_failing(python, folder, native[0])
    peer = _measure_viztracer(python, folder, plain)
    _print_row("cProfile", plain, *_run(python, folder, "cprofile"))
    if native and peer:
        print(
            f"  viztracer adds {peer[0] / native[0]:.1f} times as much time,"
            f" {peer[1] / native[1]:.1f} times as many bytes"
        )


def _measure_recording(
    python: Python, folder: Path, plain: float, *, is_native: bool
) -> tuple[float, float]:
    path = str(python.path(native=is_native))
    variables = {"FUNCTRACE": "record", "FUNCTRACE_PURE": str(int(not is_native))}
    output = folder / f"{is_native}.ftrace"
    variables |= {"PYTHONPATH": path, "FUNCTRACE_OUT": str(output)}
    calls = _CALLS if is_native else _FEWER_CALLS
    cost, size = _run(python, folder, "functrace_on", output, calls=calls, **variables)
    title = "functrace, recorded" + ("" if is_native else " without the extension")
    _print_row(title, plain, cost, size)
    return cost - plain, size


def _measure_failing(python: Python, folder: Path, call: float) -> None:
    """Print what recording adds to a call that raises and whose caller catches the exception."""
    variables = {"FUNCTRACE": "record", "PYTHONPATH": str(python.path(native=True))}
    variables["FUNCTRACE_OUT"] = str(folder / "failing.ftrace")
    plain, _ = _run(python, folder, "plain", measured="failures")
    cost, _ = _run(python, folder, "functrace_on", measured="failures", **variables)
    title = "a call that raises, recorded"
    print(f"  {title:36} {cost:9.1f}   {cost - plain:+7.1f}  {(cost - plain) / call:.1f} x a call")


def _measure_viztracer(python: Python, folder: Path, plain: float) -> tuple[float, float] | None:
    """Measure viztracer in its own virtual environment; None if it cannot be installed."""
    environment = folder / "environment"
    subprocess.run([python.executable, "-m", "venv", environment], check=True)
    bin_python = environment / "bin" / "python"
    install = [bin_python, "-m", "pip", "install", "--quiet", "viztracer"]
    if subprocess.run(install, capture_output=True, check=False).returncode:
        print("  viztracer: skipped, it cannot be installed")
        return None
    output, calls = folder / "x.json", _FEWER_CALLS
    cost, size = _run(python, folder, "viztracer", output, calls=calls, executable=bin_python)
    _print_row("viztracer", plain, cost, size)
    return cost - plain, size


def _run(
    python: Python,
    folder: Path,
    how: str,
    output: Path | None = None,
    *,
    calls: int = _CALLS,
    executable: Path | None = None,
    measured: str = "calls",
    **variables: str,
) -> tuple[float, float]:
    """Return nanoseconds and output bytes per call."""
    program = folder / "program.py"
    program.write_text(_PROGRAM)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FUNCTRACE", "PYTHON"))}
    run = subprocess.run(
        [executable or python.executable, program, how, str(calls), str(output), measured],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(_ROOT), **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    size = output.stat().st_size if output else 0
    return float(run.stdout), size / calls


def _print_row(what: str, plain: float, cost: float, size: float) -> None:
    print(f"  {what:36} {cost:9.1f}   {cost - plain:+7.1f}  {f'{size:8.1f}' if size else ''}")


if __name__ == "__main__":
    python_calls()
