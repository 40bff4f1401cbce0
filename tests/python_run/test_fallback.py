"""The line on standard error about the recorder in Python, and when there is none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.python_run.conftest import COMMAND, Project

ROOT = Path(__file__).resolve().parents[2]
WARNING = "the fallback in Python records calls, slower than the recorder in C"
SWITCHED_OFF = f"{WARNING}: FUNCTRACE_PURE disables that; unset it\n"
PROGRAM = """
import subprocess, sys
def work(): return 1
work()
sys.argv[1:] or subprocess.run([sys.executable, __file__, "child"], check=True)
"""
TRACED = "from functrace import trace\n" + PROGRAM.replace("def work", "@trace\ndef work")
RECORDED_RUN = ("run", "--record", "--children", "-o", "traces", "app.py")
RECORD = ("record", "-o", "traces", "--", sys.executable, "traced.py")


@pytest.fixture
def programs(project: Project) -> Project:
    project.write({"app.py": PROGRAM, "traced.py": TRACED})
    return project


@pytest.mark.parametrize("arguments", [RECORDED_RUN, RECORD])
def test_one_line_for_all_processes(programs: Project, arguments: tuple[str, ...]) -> None:
    done = programs.execute([COMMAND, *arguments], FUNCTRACE_PURE="1")
    assert "2 traces" in done.stderr
    assert done.stderr.count(WARNING) == 1
    assert f"\n  {SWITCHED_OFF}" in done.stderr
    info = programs.execute([COMMAND, "info", "traces"]).stdout
    assert info.count(WARNING) == 2


@pytest.mark.parametrize("arguments", [RECORDED_RUN, RECORD])
def test_no_line_with_the_recorder_in_c(programs: Project, arguments: tuple[str, ...]) -> None:
    done = programs.execute([COMMAND, *arguments])
    assert "2 traces" in done.stderr
    assert "fallback" not in done.stderr
    assert "fallback" not in programs.execute([COMMAND, "info", "traces"]).stdout


@pytest.mark.parametrize("arguments", [RECORDED_RUN, RECORD])
def test_no_line_with_quiet(programs: Project, arguments: tuple[str, ...]) -> None:
    verb, *rest = arguments
    done = programs.execute([COMMAND, verb, "-q", *rest], FUNCTRACE_PURE="1")
    assert (done.returncode, done.stderr) == (0, "")


def test_no_line_for_printed_calls(programs: Project) -> None:
    done = programs.run("--children", "app.py", FUNCTRACE_PURE="1")
    assert "work" in done.stdout
    assert done.stderr == "functrace run: 1 function of 1 module instrumented\n"


def test_a_recording_that_the_environment_requests(programs: Project) -> None:
    done = programs.run("--children", "app.py", FUNCTRACE="record", FUNCTRACE_PURE="1")
    summary = "functrace run: 1 function of 1 module instrumented\n"
    assert done.stderr == f"{summary}functrace run: {SWITCHED_OFF}"
    assert "fallback" not in programs.run("app.py", FUNCTRACE="record").stderr


@pytest.mark.parametrize(
    ("binary", "reason"),
    [
        (None, "that is not built for cpython 3."),
        (b"", "that cannot be loaded ("),
    ],
)
def test_why_the_recorder_in_c_is_not_used(
    programs: Project, tmp_path: Path, binary: bytes | None, reason: str
) -> None:
    """As in an environment that functrace was installed into with another release of Python."""
    others = tmp_path / "others"
    for package in ("functrace", "rewriter"):
        shutil.copytree(
            ROOT / package,
            others / package,
            ignore=shutil.ignore_patterns("_recorder.*.so", "__pycache__"),
        )
    if binary is not None:
        (own,) = (ROOT / "functrace" / "_native").glob("_recorder.*.so")
        (others / "functrace" / "_native" / own.name).write_bytes(binary)
    done = subprocess.run(
        [sys.executable, "-m", "functrace", "run", "--record", "app.py"],
        cwd=programs.root,
        env=programs.environment(PYTHONPATH=str(others)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"\n  {WARNING}: {reason}" in done.stderr
    assert "install functrace-cli" in done.stderr
