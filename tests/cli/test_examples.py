"""The examples print what their READMEs and comments show."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from tests.cli.conftest import Run, contents
from tests.support.toolchains import Go

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def _chains(text: str) -> list[list[str]]:
    """The lines of each goroutine; only the first one's id is always the same."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in text.splitlines():
        goroutine, _, call = line.partition(":")
        found[goroutine].append(call)
    return sorted(found.values())


def test_gen_demo(functrace: Run, go: Go, tmp_path: Path) -> None:
    demo = tmp_path / "gen-demo"
    shutil.copytree(EXAMPLES / "gen-demo", demo)
    before = contents(demo)
    assert functrace("runtime", "add", cwd=demo).returncode == 0
    assert functrace("inject", "-w", "main.go", cwd=demo).returncode == 0
    run = go.run("run", "-tags", "trace", ".", cwd=demo)
    assert _chains(run.stdout) == _chains((demo / "expected.txt").read_text())
    assert go.run("run", ".", cwd=demo).stdout == ""
    functrace("strip", "-w", ".", cwd=demo)
    functrace("runtime", "remove", cwd=demo)
    assert contents(demo) == before


def test_http(functrace: Run, go: Go, tmp_path: Path) -> None:
    out = tmp_path / "http"
    functrace("inject", "--out", str(out), str(EXAMPLES / "http"))
    run = go.run("run", "-tags", "trace", ".", cwd=out, FUNCTRACE_OUT="chains.txt")
    assert "GET /invoice?id=13: 500 Internal Server Error no price: item 13 is locked" in run.stdout
    lines = [re.sub(r"^g\[\d+\]:", "", ln) for ln in (out / "chains.txt").read_text().splitlines()]
    failed = lines.index("\t\t\t->main.fail")
    assert lines[failed - 8] == "\t->main.invoice"
    assert lines[failed - 6] == "\t\t\t->example.com/shop/store.Get"


def test_orders(functrace: Run, tmp_path: Path) -> None:
    """The Python example: off, the instrumented tree prints what the sources do; on, the chains."""
    out = tmp_path / "orders"
    functrace("inject", "--out", str(out), str(EXAMPLES / "orders"))
    plain = _python(EXAMPLES / "orders")
    assert _python(out) == plain
    traced = _python(out, FUNCTRACE="text")
    is_call = re.compile(r"t\[\d+\]:\t+(?:->|<-)")
    assert [line for line in traced if not is_call.match(line)] == plain
    chains = _chains("\n".join(line for line in traced if is_call.match(line)))
    reserve = ["->shop.orders.reserve", "\t->shop.stock.find", "\t\t->shop.stock.check"]
    assert any([line.removeprefix("\t") for line in chain][:3] == reserve for chain in chains)


def _python(folder: Path, **environment: str) -> list[str]:
    """The lines that the program in ``folder`` prints."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("FUNCTRACE")}
    run = subprocess.run(
        [sys.executable, "app.py"],
        cwd=folder,
        env={**inherited, **environment, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.splitlines()
