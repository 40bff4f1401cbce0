"""functrace info: the program of a trace, and how it ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli import shop
from tests.cli.conftest import Run
from tests.tracefile import writer as w
from tests.tracefile.vectors import FOLDER

BOTH = """\
monday.ftrace
  command  ./shop -v
  process  4194303 on web1, go
  began    2023-11-14 22:13:20.000 UTC
  lasted   22.5µs up to the last event
  ended    cleanly
  calls    19, 0 unfinished
  failed   3 errors, 1 panic
  chains   11, of 6 functions
  tracks   2 goroutines
  events   38, 0 lost
  file     5,632 bytes, 296.4 a call
  clock    1,000 million ticks a second, nominal rate
  tool     0.1.0

tuesday.ftrace
  command  ./shop -v
  process  4194303 on web1, go
  began    2023-11-14 22:13:20.000 UTC
  lasted   41.0µs up to the last event
  ended    unknown: the trace is not closed, and the process cannot be checked from here
  calls    7, 4 unfinished
  failed   0 errors, 0 panics
  chains   5, of 4 functions
  tracks   2 goroutines
  events   10, 0 lost
  file     5,632 bytes, 804.6 a call
  clock    1,000 million ticks a second, nominal rate
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
    assert found.pop("size_bytes") == path.stat().st_size
    assert found.pop("bytes_per_call") == path.stat().st_size / 19
    assert found == {
        "trace": "monday.ftrace",
        "pid": 4194303,
        "language": "go",
        "started_ns": 1_700_000_000_000_000_000,
        "first_event_ns": 0,
        "last_event_ns": 22500,
        "ended_cleanly": True,
        "exit_status": None,
        "signal": None,
        "running": False,
        "full": False,
        "overwritten": False,
        "overwritten_chunks": 0,
        "overwritten_events": None,
        "write_failed": False,
        "events": 38,
        "lost_events": 0,
        "lost_unknown": False,
        "calls": 19,
        "failed": 4,
        "errors": 3,
        "panics": 1,
        "unfinished": 0,
        "service": "shop",
        "inbound_calls": 0,
        "outbound_calls": 0,
        "suspended_ns": 0,
        "chain_count": 11,
        "function_count": 6,
        "track_count": 2,
        "ticks_per_second": 1e9,
        "calibrated": False,
        "process_facts": {"argv": ["./shop", "-v"], "host": "web1", "tool": "0.1.0"},
        "budget_ppm": None,
        "demoted": [],
        "damage": [],
    }


def test_requests(module: Path, functrace: Run) -> None:
    trace = (FOLDER / "requests.ftrace").read_bytes()
    (module / "shop.ftrace").write_bytes(trace)
    lines = functrace("info", "shop.ftrace").stdout.splitlines()
    assert lines[2] == "  service   shop"
    assert lines[9:10] == [
        "  requests  3 inbound calls; 2 outbound calls, 1 of which belongs to a known inbound call"
    ]
    (found,) = json.loads(functrace("info", "shop.ftrace", "--json").stdout)["traces"]
    assert (found["service"], found["inbound_calls"], found["outbound_calls"]) == ("shop", 3, 2)


def test_request_records_that_make_no_sense_are_damage(module: Path, functrace: Run) -> None:
    words = [w.track(1, 1001), w.enter(4, 1), w.request(1), w.leave(4, 2)]
    content = w.header(version=2) + w.REQUEST_FUNCTIONS + w.events(2, *words)
    (module / "odd.ftrace").write_bytes(content)
    done = functrace("info", "odd.ftrace")
    assert "  damage   1 request record is invalid and was ignored\n" in done.stdout
    assert "service" not in done.stdout


def test_damage_is_reported_once(module: Path, functrace: Run) -> None:
    path = shop.monday(module)
    path.write_bytes(path.read_bytes()[:-100])
    done = functrace("info", "monday.ftrace")
    assert done.stderr == ""
    assert "  damage   1 chunk is truncated\n" in done.stdout


@pytest.mark.parametrize("flags", [2, 8], ids=["full", "write failed"])
def test_lost_events_are_unknown_after_recording_stopped(
    module: Path, functrace: Run, flags: int
) -> None:
    """The header counts lost events until recording stopped, not after."""
    head, facts = w.header(flags=flags, lost=6), w.FUNCTIONS
    (module / "a.ftrace").write_bytes(head + facts + w.events(2, w.track(1, 1010), w.enter(1, 10)))
    assert "  events   1, number of lost events unknown\n" in functrace("info", "a.ftrace").stdout
    for command in (("info", "a.ftrace", "--json"), ("export", "a.ftrace", "--to", "jsonl")):
        first = functrace(*command).stdout
        trace = (
            json.loads(first)["traces"][0]
            if "info" in command
            else json.loads(first.split("\n")[0])
        )
        assert (trace["lost_events"], trace["lost_unknown"]) == (None, True)


EXITS = {
    "exits": ("import os\ndef f(): os._exit(3)\nf()\n", "exit status 3; without closing the trace"),
    "returns": ("def f(): pass\nf()\n", "exit status 0; cleanly"),
    "dies": (
        "import os, signal\ndef f(): os.kill(os.getpid(), signal.SIGKILL)\nf()\n",
        "killed by SIGKILL; without closing the trace",
    ),
}


@pytest.mark.parametrize("name", EXITS)
def test_ending_of_a_recorded_program(module: Path, functrace: Run, name: str) -> None:
    source, expected = EXITS[name]
    (module / "app.py").write_text(source)
    functrace("run", "--record", "-o", "x.ftrace", "app.py")
    assert f"  ended       {expected}\n" in functrace("info", "x.ftrace").stdout
    (found,) = json.loads(functrace("info", "--json", "x.ftrace").stdout)["traces"]
    assert found["running"] is False
    assert (found["exit_status"], found["signal"]) == {
        "exits": (3, None),
        "returns": (0, None),
        "dies": (None, 9),
    }[name]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it cannot be found out")
def test_running_program(module: Path, functrace: Run) -> None:
    (module / "app.py").write_text("def f(): return input('ready')\nf()\n")
    with subprocess.Popen(
        [sys.executable, "-m", "functrace", "run", "app.py"],
        cwd=module,
        env={**os.environ, "FUNCTRACE": "record", "FUNCTRACE_OUT": "x.ftrace"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as program:
        assert program.stdout is not None
        program.stdout.read(5)
        assert "  still running\n" in functrace("info", "x.ftrace").stdout
        program.kill()
    said = functrace("info", "x.ftrace").stdout
    assert "without closing the trace: killed, or ended by os.Exit or similar\n" in said
