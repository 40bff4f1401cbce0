from __future__ import annotations

import os
import re
import subprocess
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from functrace.analysis import calls
from functrace.tracefile import open_trace
from tests.python_runtime import decoder
from tests.support.pythons import CannotBuildError, Python, marks, pythons
from tests.support.waiting import PATIENCE

HEAD = "import functrace\nfrom functrace import trace\n"


@dataclass(frozen=True)
class Runtime:
    """An interpreter with one of the two recorders."""

    python: Python
    is_native: bool

    @property
    def records_exceptions(self) -> bool:
        """Whether exceptions are recorded; sys.setprofile does not report them."""
        return self.is_native or self.python.release >= (3, 12)

    def failed(self, text: str) -> str:
        """Return the event of an exception that leaves a call."""
        return f"!{text}" if self.records_exceptions else "!"


@dataclass
class Run:
    """A program that has ended."""

    status: int
    stdout: str
    stderr: str
    folder: Path
    traces: list[decoder.Trace] = field(default_factory=list)

    @property
    def trace(self) -> decoder.Trace:
        assert len(self.traces) == 1, self.stderr
        return self.traces[0]


Runner = Callable[..., Run]


def _runtimes() -> list[Any]:
    return [
        pytest.param(Runtime(python, native), marks=marks(python), id=f"{python.name}-{name}")
        for python in pythons()
        for native, name in ((True, "native"), (False, "pure"))
    ]


@pytest.fixture(params=_runtimes())
def runtime(request: pytest.FixtureRequest) -> Runtime:
    found: Runtime = request.param
    _path(found)
    return found


def _path(runtime: Runtime) -> Path:
    try:
        return runtime.python.path(native=runtime.is_native)
    except CannotBuildError as error:
        pytest.skip(str(error))


@pytest.fixture
def run(runtime: Runtime, tmp_path: Path) -> Runner:
    """Run HEAD and a program in a new folder, with FUNCTRACE=record by default."""

    def run(program: str, *, status: int | None = 0, **variables: str) -> Run:
        (tmp_path / "program.py").write_text(HEAD + textwrap.dedent(program), encoding="utf-8")
        done = subprocess.run(
            [runtime.python.executable, "program.py"],
            cwd=tmp_path,
            env=environment(runtime, {"FUNCTRACE": "record", **variables}),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert status is None or done.returncode == status, done.stderr
        files = sorted(tmp_path.glob("*.ftrace"), key=lambda path: path.stat().st_mtime_ns)
        _have_no_damage(files)
        traces = [decoder.read(path) for path in files]
        return Run(done.returncode, done.stdout, done.stderr, tmp_path, traces)

    return run


def environment(runtime: Runtime, variables: dict[str, str]) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FUNCTRACE", "PYTHON"))}
    chosen = {"PYTHONPATH": str(_path(runtime)), "PYTHONDONTWRITEBYTECODE": "1"}
    return {**kept, **chosen, "FUNCTRACE_PURE": str(int(not runtime.is_native)), **variables}


def _have_no_damage(files: list[Path]) -> None:
    for file in files:
        assert damage_of(file) == []


def damage_of(file: Path) -> list[str]:
    """Describe the damage and the anomalies in a trace.

    The entries of calls that were open where the oldest words begin may be overwritten.
    """
    return [text for text in calls(open_trace(file)).chains.damage if not _OVERWRITTEN.search(text)]


_OVERWRITTEN = re.compile(r"(its entry was|their entries were) overwritten$")
