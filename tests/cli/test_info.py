"""functrace info: what a trace is of and how it ended."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli import shop
from tests.cli.conftest import Run

BOTH = """\
monday.ftrace
  command  ./shop -v
  process  4711 on web1, go
  began    2023-11-14 22:13:20.000 UTC
  lasted   22.5µs to its last event
  ended    cleanly
  calls    19, 0 unfinished
  failed   3 errors, 1 panic
  chains   11, of 6 functions
  tracks   2 goroutines
  events   38, 0 lost
  file     5,632 bytes, 296.4 a call
  clock    1,000 million ticks a second, as known at the start
  tool     0.1.0

tuesday.ftrace
  command  ./shop -v
  process  4711 on web1, go
  began    2023-11-14 22:13:20.000 UTC
  lasted   41.0µs to its last event
  ended    not cleanly: killed, or still running
  calls    7, 4 unfinished
  failed   0 errors, 0 panics
  chains   5, of 4 functions
  tracks   2 goroutines
  events   10, 0 lost
  file     5,632 bytes, 804.6 a call
  clock    1,000 million ticks a second, as known at the start
  tool     0.1.0
"""


def test_two_traces(module: Path, functrace: Run) -> None:
    shop.monday(module)
    shop.tuesday(module)
    done = functrace("info", "monday.ftrace", "tuesday.ftrace")
    assert (done.stdout, done.stderr, done.returncode) == (BOTH, "", 0)


def test_json(module: Path, functrace: Run) -> None:
    path = shop.monday(module)
    (found,) = json.loads(functrace("info", "monday.ftrace", "--json").stdout)["traces"]
    assert found.pop("bytes") == path.stat().st_size
    assert found.pop("bytes_per_call") == path.stat().st_size / 19
    assert found == {
        "path": "monday.ftrace",
        "pid": 4711,
        "language": "go",
        "started": 1_700_000_000_000_000_000,
        "first_event": 0,
        "last_event": 22500,
        "ended_cleanly": True,
        "full": False,
        "overwritten": False,
        "write_failed": False,
        "events": 38,
        "lost": 0,
        "calls": 19,
        "unfinished": 0,
        "errors": 3,
        "panics": 1,
        "suspended": 0,
        "chains": 11,
        "functions": 6,
        "tracks": 2,
        "ticks_per_second": 1e9,
        "calibrated": False,
        "process": {"argv": ["./shop", "-v"], "host": "web1", "tool": "0.1.0"},
        "damage": [],
    }


def test_damage_is_told_once(module: Path, functrace: Run) -> None:
    path = shop.monday(module)
    path.write_bytes(path.read_bytes()[:-100])
    done = functrace("info", "monday.ftrace")
    assert done.stderr == ""
    assert "  damage   1 chunk is cut off\n" in done.stdout
