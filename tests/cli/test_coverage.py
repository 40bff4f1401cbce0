"""Every command reports which part of a run a trace covers if calls were overwritten."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.tracefile import writer as w

VECTOR = Path(__file__).parents[1] / "vectors" / "overwritten.ftrace"
COVERED = "covers the last 108ns of 1.01µs; earlier calls were overwritten"
EVENTS = " (3,440 entries and exits)"
PARTIAL = [
    {
        "trace": "x.ftrace",
        "first_event_ns": 900,
        "last_event_ns": 1008,
        "overwritten_chunks": 86,  # 88 and 90 remain, 89 has not begun
        "overwritten_events": 3440,
    }
]


@pytest.fixture
def overwritten(module: Path, functrace: Run) -> Run:
    shutil.copy(VECTOR, module / "x.ftrace")
    return functrace


@pytest.mark.parametrize(
    "line",
    [
        "report x.ftrace",
        "callers * x.ftrace",
        "graph * x.ftrace",
        "replay x.ftrace",
        "diff x.ftrace x.ftrace",
        "export --to folded x.ftrace",
    ],
)
def test_every_command_reports_the_coverage(overwritten: Run, line: str) -> None:
    done = overwritten(*line.split())
    assert done.returncode == 0
    assert f"functrace: x.ftrace: {COVERED}{EVENTS}\n" in done.stderr


@pytest.mark.parametrize(
    "line", ["report x.ftrace", "callers * x.ftrace", "graph * x.ftrace", "diff x.ftrace x.ftrace"]
)
def test_json(overwritten: Run, line: str) -> None:
    found = json.loads(overwritten(*line.split(), "--json").stdout)
    partial = found["partial_traces"]
    assert partial[0] == PARTIAL[0]
    assert all(each == PARTIAL[0] for each in partial)


def test_info(overwritten: Run) -> None:
    assert f"{COVERED}{EVENTS}" in overwritten("info", "x.ftrace").stdout
    (found,) = json.loads(overwritten("info", "--json", "x.ftrace").stdout)["traces"]
    assert (found["overwritten_chunks"], found["overwritten_events"]) == (86, 3440)


def test_version_1_counts_no_events(module: Path, functrace: Run) -> None:
    shutil.copy(VECTOR.parent / "version_1" / VECTOR.name, module / "x.ftrace")
    assert f"functrace: x.ftrace: {COVERED}\n" in functrace("report", "x.ftrace").stderr
    (found,) = json.loads(functrace("info", "--json", "x.ftrace").stdout)["traces"]
    assert (found["overwritten_chunks"], found["overwritten_events"]) == (87, None)


def test_a_chunk_that_has_not_begun_is_not_overwritten(module: Path, functrace: Run) -> None:
    """A writer may begin its chunk after others have begun theirs."""
    words = w.track(1, 1000), w.enter(1, 5), w.leave(1, 9)
    (module / "x.ftrace").write_bytes(
        w.header(version=2, flags=4) + w.FUNCTIONS + w.events(3, *words)
    )
    done = functrace("report", "--json", "x.ftrace")
    assert json.loads(done.stdout)["partial_traces"] == []
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("last", "chunks"), [(0, 0), (1, 0), (2, 1), (4, 3), (5, 3), ((1 << 64) - 1, (1 << 63) - 1)]
)
def test_chunks_up_to_the_last_overwritten_one_count(
    module: Path, functrace: Run, last: int, chunks: int
) -> None:
    words = w.track(1, 1000), w.enter(1, 5), w.leave(1, 9)
    header = w.header(version=2, flags=4, overwritten=9, last_overwritten=last)
    (module / "x.ftrace").write_bytes(header + w.FUNCTIONS + w.events(5, *words))
    (found,) = json.loads(functrace("info", "--json", "x.ftrace").stdout)["traces"]
    assert found["overwritten_chunks"] == chunks
    partial = json.loads(functrace("report", "--json", "x.ftrace").stdout)["partial_traces"]
    assert [each["overwritten_chunks"] for each in partial] == [chunks] * (chunks > 0)


@pytest.mark.parametrize(("calls", "is_partial"), [(1_000, False), (300_000, True)])
def test_recorded_program(module: Path, functrace: Run, calls: int, is_partial: bool) -> None:
    text = "def f(): return 1\ndef main(n):\n    for i in range(n): f()\n"
    (module / "app.py").write_text(f"{text}main({calls})\n")
    options = ["--record", "--overwrite", "--max-size", "1M", "-o", "x.ftrace"]
    done = functrace("run", *options, "app.py")
    assert ("x.ftrace covers the last " in done.stderr) == is_partial
    done = functrace("report", "--json", "x.ftrace")
    assert ("covers the last " in done.stderr) == is_partial
    assert bool(json.loads(done.stdout)["partial_traces"]) == is_partial
