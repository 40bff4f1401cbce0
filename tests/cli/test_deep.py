"""Overwritten traces with more open calls than a chunk can list."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

DEPTH = 3000
PROGRAM = f"""
import sys
sys.setrecursionlimit({DEPTH} * 4)

def leaf(n):
    return n + 1

def down(n):
    leaf(n)
    if n > 1:
        down(n - 1)
    leaf(n)

down({DEPTH})
"""


def _functrace(*words: str, pure: str) -> str:
    environment = {**os.environ, "FUNCTRACE_PURE": pure}
    run = subprocess.run(
        [sys.executable, "-m", "functrace", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout + run.stderr


@pytest.mark.parametrize("pure", ["0", "1"], ids=["native", "pure"])
def test_no_call_is_abandoned_if_nothing_is_overwritten(tmp_path: Path, pure: str) -> None:
    program, trace = tmp_path / "deep.py", str(tmp_path / "deep.ftrace")
    program.write_text(PROGRAM, encoding="utf-8")
    _functrace("run", "--record", "--overwrite", "-q", "-o", trace, str(program), pure=pure)
    [found] = json.loads(_functrace("info", "--json", trace, pure=pure))["traces"]
    assert (found["calls"], found["unfinished"], found["damage"]) == (3 * DEPTH, 0, [])
