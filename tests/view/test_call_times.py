"""Calls of a trace whose clock does not tick in nanoseconds."""

from __future__ import annotations

from pathlib import Path

from tests.analysis.recorded import Recorded
from tests.view.serving import viewing

_RATE = 2_100_000_007  # ticks a second


def test_each_call_is_found_by_its_start(tmp_path: Path) -> None:
    program = Recorded("main.main", "main.work", rate=_RATE)
    main = program.goroutine(1)
    with main.inside("main.main"):
        main.call("main.work", times=50)
    program.write(tmp_path / "x.ftrace")
    with viewing("x.ftrace", cwd=tmp_path) as viewer:
        calls = viewer.get("calls", limit=100)["calls"]
        starts = [call["start_ns"] for call in calls if call["function"] == "main.work"]
        found = [viewer.get("call", track=0, start=start, depth=1)["start_ns"] for start in starts]
    assert len(starts) == 50
    assert found == starts
