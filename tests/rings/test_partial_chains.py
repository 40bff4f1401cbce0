"""Reports mark the chains in the oldest part of a ring whose callers were overwritten."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rings.conftest import Program
from tests.support import toolchains
from tests.support.pythons import ROOT
from tests.support.waiting import PATIENCE

_PYTHON = """
import sys
from functrace import trace

@trace
def leaf(): pass

@trace
def mid():
    for _ in range(20): leaf()

@trace
def outer():
    for _ in range(700): mid()

@trace
def deep(n):
    if n: return deep(n - 1)
    for _ in range(int(sys.argv[1])): outer()

@trace
def main(): deep(30)

main()
"""

_GO = """
package main

import (
	"os"
	"strconv"
)

func leaf() {}

func mid() {
	for i := 0; i < 20; i++ {
		leaf()
	}
}

func outer() {
	for i := 0; i < 700; i++ {
		mid()
	}
}

func deep(n int) {
	if n > 0 {
		deep(n - 1)
		return
	}
	rounds, _ := strconv.Atoi(os.Args[1])
	for i := 0; i < rounds; i++ {
		outer()
	}
}

func main() { deep(30) }
"""


@pytest.fixture(scope="module", params=["go", "python"])
def rings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Rings that hold the end of a program of calls with 34 callers, for several lengths of it.

    The length determines whether the open calls are written again where the ring begins.
    """
    folder = tmp_path_factory.mktemp("app")
    command = _build_go(folder) if request.param == "go" else _write_python(folder)
    program = Program(command, {"PYTHONPATH": str(ROOT)})
    environment = program.environment_with(
        FUNCTRACE_RING_DIR=str(folder / "rings"), FUNCTRACE_MAX_SIZE="1M"
    )
    for rounds in ("6", "7", "8"):
        subprocess.run([*command, rounds], env=environment, check=True, timeout=PATIENCE)
    return sorted((folder / "rings").glob("*.ftrace"))


def _write_python(folder: Path) -> list[str]:
    (folder / "app.py").write_text(_PYTHON)
    return [sys.executable, str(folder / "app.py")]


def _build_go(folder: Path) -> list[str]:
    go = toolchains.usual()
    if go is None:
        pytest.skip("no Go")
    (folder / "go.mod").write_text("module app\n\ngo 1.21\n")
    (folder / "main.go").write_text(_GO)
    build = [sys.executable, "-m", "functrace", "go", "build", "-o", "app", "."]
    subprocess.run(build, cwd=folder, env=go.environment(), check=True, timeout=PATIENCE)
    return [str(folder / "app")]


def _run(*arguments: str) -> str:
    command = [sys.executable, "-m", "functrace", *arguments]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=PATIENCE
    ).stdout


def test_chains_without_all_callers_are_marked(rings: list[Path]) -> None:
    whole = ["main", *["deep"] * 31, "outer", "mid", "leaf"]
    reports = [json.loads(_run("callers", "leaf", str(ring), "--full", "--json")) for ring in rings]
    for report in reports:
        assert any(_steps(chain) == whole for chain in report["chains"])
        for chain in report["chains"]:
            lacks_callers = _steps(chain) != whole
            assert chain["partial"] == (chain["calls"] if lacks_callers else 0), chain
    numbers = [report["partial"] for report in reports]
    assert max(numbers) > 0
    ring = rings[numbers.index(max(numbers))]
    assert f"{max(numbers):,} with missing callers" in _run("callers", "leaf", str(ring))
    graph = "graph", "deep", str(ring), "--min-share", "0"
    (deep,) = json.loads(_run(*graph, "--json"))["functions"]
    assert sum(each["partial"] for each in _below(deep) if _is_leaf(each)) == max(numbers)
    assert "partial" in _run(*graph).splitlines()[0]


def _is_leaf(callee: dict[str, Any]) -> bool:
    return str(callee["function"]).endswith("leaf")


def _below(callee: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for each in callee["callees"]:
        yield each
        yield from _below(each)


def _steps(chain: dict[str, Any]) -> list[str]:
    return [step["function"].rsplit(".")[-1] for step in chain["steps"]]
