"""Traces that are truncated in place while they are read, as by copying another file over them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli import faulty
from tests.support.waiting import PATIENCE
from tests.view.serving import viewing

_PROGRAM = """
import os, sys
from functrace import tracefile
from functrace.cli.main import main

def open_and_truncate(path, open_it=tracefile.open_trace_file):
    trace = open_it(path)
    os.truncate(path, 0)
    return trace

tracefile.open_trace_file = open_and_truncate
main()
"""


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _PROGRAM, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


@pytest.mark.parametrize("words", [["report"], ["triage", "--json"], ["export", "--to", "chrome"]])
def test_the_command_fails_with_a_message(tmp_path: Path, words: list[str]) -> None:
    path = faulty.faulty(tmp_path / "a.ftrace")
    done = _run(*words, str(path))
    assert done.returncode == 1, done.stderr
    assert "functrace: a trace was truncated while it was read" in done.stderr


def test_other_faults_end_the_process_as_ever(tmp_path: Path) -> None:
    path = faulty.faulty(tmp_path / "a.ftrace")
    other = tmp_path / "other"
    other.write_bytes(bytes(5000))
    fault = """
import mmap
from functrace.tracefile import open_trace, truncation
truncation.guard_reads()
open_trace(sys.argv[1])
mapped = mmap.mmap(os.open(sys.argv[2], os.O_RDONLY), 0, access=mmap.ACCESS_READ)
os.truncate(sys.argv[2], 0)
mapped[0]
"""
    command = [sys.executable, "-c", f"import os, sys\n{fault}", str(path), str(other)]
    assert subprocess.run(command, timeout=PATIENCE).returncode < 0


def test_the_viewer_answers_with_an_error(tmp_path: Path) -> None:
    path = faulty.faulty(tmp_path / "a.ftrace")
    with viewing("a.ftrace", cwd=tmp_path) as viewer:
        viewer.get("calls")
        os.truncate(path, 0)
        for limit in (3, 4):
            reply = viewer.ask("calls", limit=limit)
            assert reply.status == 404
            assert "truncated while it was read" in reply.value["error"]
