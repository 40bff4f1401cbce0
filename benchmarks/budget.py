"""Speed of real programs with the default budget, compared with their plain builds.

The measure is the CPU time of the process for the same work, as other processes may run on the
machine. The builds take turns, and the medians of each turn's ratios are printed. Adding a program
adds a function to ``PROGRAMS``.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from functrace.tracefile.reader import open_trace

_FOLDER = Path(__file__).resolve().parent
_TURNS = 5
_REQUESTS = 12_000
_SHELL = "mvdan.cc/sh/v3@v3.10.0"
TARGET = 0.96

Measure = Callable[["Variant"], float]


@dataclass(frozen=True)
class Variant:
    """Build of a program, with the environment that it is run in."""

    title: str
    command: Sequence[str]
    environment: dict[str, str]


def budget() -> None:
    """Print the table of every program."""
    print("speed with the default budget (plain build: 1)")
    for program in PROGRAMS:
        with tempfile.TemporaryDirectory() as folder:
            program(Path(folder))


def go_service(folder: Path) -> None:
    """Measure an HTTP service with JSON at saturation."""
    load = str(folder / "load")
    subprocess.run(["go", "build", "-o", load, "./load"], cwd=_FOLDER / "service", check=True)

    def measure(variant: Variant) -> float:
        process = subprocess.Popen(
            variant.command, env=variant.environment, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        address = process.stdout.readline().strip()
        subprocess.run([load, address, str(_REQUESTS)], check=True)
        return _wait(process)

    _compare("Go: an HTTP JSON service", measure, _go_builds(folder, _FOLDER / "service", ".", []))


def go_shell_formatter(folder: Path) -> None:
    """Measure a batch job like a compiler: shfmt parses and prints shell scripts."""
    source = _download(_SHELL, folder / "source")
    goroot = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True)
    scripts = Path(goroot.stdout.strip(), "src").glob("*.bash")
    text = b"\n".join(path.read_bytes() for path in sorted(scripts))
    (folder / "scripts").mkdir()
    for number in range(1000):
        (folder / "scripts" / f"{number}.sh").write_bytes(text)
    builds = _go_builds(folder, source, "./cmd/shfmt", ["-l", str(folder / "scripts")])

    def measure(variant: Variant) -> float:
        return _wait(
            subprocess.Popen(
                variant.command, env=variant.environment, stdout=subprocess.DEVNULL, text=True
            )
        )

    _compare(f"Go: shfmt ({_SHELL})", measure, builds)


PROGRAMS = (go_service, go_shell_formatter)


def _download(module: str, to: Path) -> Path:
    """Copy a Go module to a folder that can be written to."""
    command = ["go", "mod", "download", "-json", module]
    done = subprocess.run(command, cwd=to.parent, capture_output=True, text=True, check=True)
    shutil.copytree(json.loads(done.stdout)["Dir"], to, copy_function=shutil.copyfile)
    for path in [to, *to.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return to


def _go_builds(folder: Path, source: Path, package: str, arguments: Sequence[str]) -> list[Variant]:
    functrace = [sys.executable, "-m", "functrace", "go", "-q"]
    builds = {"plain": ["go"], "full": functrace, "light": [*functrace, "--light"]}
    for title, command in builds.items():
        build = [*command, "build", "-o", str(folder / title), package]
        subprocess.run(build, cwd=source, check=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FUNCTRACE")}
    off = {**kept, "FUNCTRACE": "off"}
    ring = {**kept, "FUNCTRACE": "ring", "FUNCTRACE_RING_KEEP": "0"}
    return [
        Variant(title, [str(folder / build), *arguments], environment)
        for title, build, environment in (
            ("plain", "plain", kept),
            ("off", "full", off),
            ("ring", "full", ring),
            ("light, off", "light", off),
            ("light, ring", "light", ring),
        )
    ]


def _wait(process: subprocess.Popen[str]) -> float:
    """Return the CPU time of a process, in seconds."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"a benchmark ended with status {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def _compare(title: str, measure: Measure, variants: Sequence[Variant]) -> None:
    """Print the speed of variants of a program, relative to the first, and what was demoted."""
    print(f"  {title}")
    speeds: dict[str, list[float]] = {variant.title: [] for variant in variants[1:]}
    plain = 0.0
    demoted: list[str] = []
    for _ in range(_TURNS):
        for variant in variants:
            with tempfile.TemporaryDirectory(dir=_ring_folder()) as rings:
                environment = {**variant.environment, "FUNCTRACE_RING_DIR": rings}
                cost = measure(Variant(variant.title, variant.command, environment))
                names = [name for ring in Path(rings).iterdir() for name in _demoted(ring)]
            if variant is variants[0]:
                plain = cost
            else:
                speeds[variant.title].append(plain / cost)
            if variant is variants[-1]:
                demoted = names
    for name, ratios in speeds.items():
        low, high = min(ratios), max(ratios)
        print(f"    {name:12} {statistics.median(ratios):5.2f}  ({low:.2f} to {high:.2f})")
    print(f"    demoted with {variants[-1].title}: {len(demoted)} functions", *demoted[:5])


def _ring_folder() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _demoted(ring: Path) -> list[str]:
    """Return the functions that were demoted, those with most calls a second first."""
    demotions = sorted(open_trace(ring).demotions, key=lambda span: -span.calls_per_second)
    return list(dict.fromkeys(span.function for span in demotions))


if __name__ == "__main__":
    budget()
