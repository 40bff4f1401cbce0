"""Only the user can read traces and text output, unless their setgid folder shares them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.python_runtime.conftest import Runner

_PROGRAM = """
import os, sys
os.umask({umask})

@trace
def f(): pass

f()
if os.environ["FUNCTRACE"] == "record":
    functrace.snapshot("copy.out")
"""


@pytest.fixture(params=["record", "text"])
def way(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def _modes(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o7777 for path in folder.glob("*.out")}


def test_files_are_private(run: Runner, tmp_path: Path, way: str) -> None:
    run(_PROGRAM.format(umask="0"), FUNCTRACE=way, FUNCTRACE_OUT="calls.out")
    assert _modes(tmp_path) == {0o600}


@pytest.mark.parametrize(("umask", "mode"), [("0", 0o640), ("0o77", 0o600)])
def test_files_are_shared_by_their_folder(
    run: Runner, tmp_path: Path, way: str, umask: str, mode: int
) -> None:
    tmp_path.chmod(0o2755)
    run(_PROGRAM.format(umask=umask), FUNCTRACE=way, FUNCTRACE_OUT="calls.out")
    assert _modes(tmp_path) == {mode}


def test_existing_file_keeps_its_mode(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "calls.txt").touch()
    (tmp_path / "calls.txt").chmod(0o604)
    run(_PROGRAM.format(umask="0"), FUNCTRACE="text", FUNCTRACE_OUT="calls.txt")
    assert (tmp_path / "calls.txt").stat().st_mode & 0o777 == 0o604
    assert "f" in (tmp_path / "calls.txt").read_text()
