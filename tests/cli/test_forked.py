"""A forked child's trace counts only its own calls; calls open at the fork are the parent's."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from functrace.tracefile import open_trace
from tests.cli.conftest import Run

PROGRAM = """\
import os

def work():
    return 1

def serve(count):
    for _ in range(count):
        work()

def fork(count):
    if not os.fork():
        serve(count)
        os._exit(0)
    os.wait()

def main():
    for count in range(5):
        fork(count)
    work()

main()
"""


@pytest.fixture(params=["native", "pure"])
def traces(request: pytest.FixtureRequest, module: Path, functrace: Run) -> list[str]:
    """Traces of the parent and of five children."""
    (module / "app.py").write_text(PROGRAM)
    pure = {"FUNCTRACE_PURE": "1"} if request.param == "pure" else {}
    done = functrace("run", "--record", "-o", "traces", "app.py", **pure)
    assert done.returncode == 0, done.stderr
    assert "  22 calls in " in done.stderr
    return [str(path) for path in (module / "traces").iterdir()]


@pytest.fixture
def child(traces: list[str]) -> str:
    """The trace of the child that calls work once."""
    (found,) = [trace for trace in traces if open_trace(Path(trace)).events == 4]
    return found


def rows(done: subprocess.CompletedProcess[str], key: str) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)[key]
    return found


def test_call_is_counted_once(traces: list[str], functrace: Run) -> None:
    found = rows(functrace("report", "--json", *traces), "functions")
    counts = {
        row["function"].rpartition(".")[2]: (row["calls"], row["unfinished"]) for row in found
    }
    assert counts == {"main": (1, 0), "fork": (5, 0), "serve": (5, 0), "work": (11, 0)}


def test_chains_of_a_child_are_complete(traces: list[str], functrace: Run) -> None:
    done = functrace("callers", "work", *traces)
    assert done.stdout.count(" → ") == 3 + 1
    assert "    main → fork → serve → work\n" in done.stdout.replace("__main__.", "")
    (chain,) = rows(functrace("callers", "serve", "--json", *traces), "chains")
    assert (chain["calls"], chain["unfinished"]) == (5, 0)


def test_child_lists_and_counts_its_own_calls(child: str, functrace: Run) -> None:
    (info,) = rows(functrace("info", "--json", child), "traces")
    assert {
        name: info[name] for name in ("calls", "unfinished", "chain_count", "function_count")
    } == {
        "calls": 2,
        "unfinished": 0,
        "chain_count": 2,
        "function_count": 2,
    }
    replayed = functrace("replay", child).stdout
    assert [line.split()[1] for line in replayed.splitlines()[1:]] == [
        "->__main__.serve",
        "->__main__.work",
        "<-__main__.work",
        "<-__main__.serve",
    ]
    assert functrace("callers", "main", child).returncode == 1


def test_calls_inside_an_inherited_call_are_replayed(child: str, functrace: Run) -> None:
    assert "->__main__.work" in functrace("replay", "--around", "fork", child).stdout
