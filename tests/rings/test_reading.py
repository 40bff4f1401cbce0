"""Verbs read the rings of running programs, and dump copies them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import functrace as functrace_api
from functrace.analysis import calls
from functrace.errors import FunctraceError
from functrace.tracefile import copy_ring, open_trace
from functrace.tracefile.files import open_trace_file
from tests.rings.conftest import Program, Start, end
from tests.support.waiting import PATIENCE
from tests.tracefile import writer as w

Functrace = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def functrace(tmp_path: Path) -> Functrace:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "functrace", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    return run


_VERBS = [
    ["report", "{}"],
    ["callers", "inner", "{}"],
    ["callers", "{}", "inner"],
    ["graph", "inner", "{}"],
    ["replay", "{}"],
    ["diff", "{}", "{}"],
    ["info", "{}"],
    ["export", "--to", "jsonl", "{}"],
]


def test_every_verb_reads_a_running_program(start: Start, functrace: Functrace) -> None:
    process = start("wait")
    for verb in _VERBS:
        for trace in (str(process.pid), "shop"):
            done = functrace(*(word.format(trace) for word in verb))
            assert (done.returncode, done.stderr) == (0, ""), verb
            assert "inner" in done.stdout or verb[0] in ("diff", "info"), verb
    info = json.loads(functrace("info", "--json", "shop").stdout)["traces"][0]
    assert info["running"]
    assert info["calls"] >= 3


def test_the_programs_own_file_is_not_taken_for_a_trace(
    start: Start, functrace: Functrace, folder: Path, tmp_path: Path
) -> None:
    def read_path() -> Path:
        return Path(json.loads(functrace("info", "--json", "shop").stdout)["traces"][0]["trace"])

    start("wait")
    here = tmp_path / "shop"
    here.write_text("the program")
    assert read_path().parent == folder
    here.unlink()
    here.mkdir()
    assert read_path().parent == folder
    assert functrace("dump", "shop", "-o", "shop/copy.ftrace").returncode == 0
    assert read_path() == Path("shop/copy.ftrace")


def test_the_api_reads_a_running_program(start: Start) -> None:
    process = start("wait")
    for trace in ("shop", process.pid, str(process.pid), [process.pid]):
        with functrace_api.open(trace) as opened:
            assert f"shop-{process.pid}-" in repr(opened)
            assert opened.functions().filter(function="inner").count_rows() == 1
    with pytest.raises(FunctraceError, match="store: no such file, and no ring"):
        functrace_api.open("store")


def test_a_file_has_precedence(start: Start, functrace: Functrace, tmp_path: Path) -> None:
    start("wait")
    (tmp_path / "shop").write_bytes(w.header() + w.FUNCTIONS)
    assert functrace("info", "shop").stdout.startswith("shop\n  command  ./shop\n")


def test_names_that_match_nothing_or_too_much(start: Start, functrace: Functrace) -> None:
    first, second = start("wait"), start("wait")
    done = functrace("report", "shop")
    assert done.returncode == 1
    assert "shop: 2 rings match; name one by its process id" in done.stderr
    assert all(f"/shop-{process.pid}-" in done.stderr for process in (first, second))
    end(first)
    assert functrace("report", "shop").returncode == 0  # the one that runs
    assert functrace("report", str(first.pid)).returncode == 0
    done = functrace("report", "store")
    assert done.returncode == 1
    assert "store: no such file, and no ring of a process with this id or name in" in done.stderr


def test_dump_is_a_trace_of_its_own(start: Start, functrace: Functrace, tmp_path: Path) -> None:
    process = start("wait")
    done = functrace("dump", "shop", "-o", "copy.ftrace")
    assert done.returncode == 0, done.stderr
    assert "functrace dump: copy.ftrace: " in done.stderr
    copy = tmp_path / "copy.ftrace"
    assert copy.stat().st_mode & 0o777 == 0o600
    trace = open_trace(copy)
    assert (trace.pid, trace.ended_cleanly, trace.is_running) == (process.pid, False, True)
    assert trace.events >= 6
    assert list(trace.damage) == []


def test_copies_under_load_are_whole(start: Start, folder: Path, program: Program) -> None:
    """The recorder in Python is slow, so its ring is small, to be overwritten in time."""
    start("busy", **({"FUNCTRACE_MAX_SIZE": "1M"} if program.is_slow else {}))
    (ring,) = folder.iterdir()
    previous = copies = overwritten = 0
    while copies < 20 or not overwritten:
        trace = open_trace(ring, copy_ring(ring))
        assert list(trace.damage) == []
        assert trace.events > 0
        # A program that did not run meanwhile has the same last event; the clock's rate is measured
        # more exactly with each copy.
        assert trace.span[1] >= 0.9999 * previous
        previous, copies, overwritten = trace.span[1], copies + 1, trace.overwritten_chunks
    assert trace.events > 1000
    # Its five tracks, in calls of three levels.
    assert int(calls(trace).chains.unfinished.sum()) <= 15


def test_chunks_that_are_being_overwritten_are_left_out(tmp_path: Path) -> None:
    ring = tmp_path / "x.ftrace"
    first = w.events(2, w.track(1, 1000), w.enter(1, 10), w.leave(1, 20))
    second = w.events(3, w.track(2, 1000), w.enter(1, 30), w.leave(1, 40))
    header = bytearray(w.header(flags=4))
    header[144:152] = (2).to_bytes(8, "little")
    ring.write_bytes(bytes(header) + w.FUNCTIONS + first + second)
    trace = open_trace(ring, copy_ring(ring))
    assert [track.id for track in trace.tracks] == [2]
    assert trace.events == 2


def test_a_ring_elsewhere_is_copied_while_its_program_runs(tmp_path: Path) -> None:
    path = tmp_path / "x.ftrace"
    first = w.events(2, w.track(1, 1000), w.enter(1, 10), w.leave(1, 20))
    second = w.events(3, w.track(2, 1000), w.enter(1, 30), w.leave(1, 40))
    header = bytearray(w.header(flags=4))
    header[144:152] = (2).to_bytes(8, "little")
    for pid, tracks in ((os.getpid(), [2]), (0, [1, 2])):
        header[16:20] = pid.to_bytes(4, "little")
        path.write_bytes(bytes(header) + w.FUNCTIONS + first + second)
        assert [track.id for track in open_trace_file(path).tracks] == tracks


def test_tracing_is_switched_in_a_running_program(
    start: Start, functrace: Functrace, program: Program
) -> None:
    """After that, the recorder in Python traces no other threads that run already."""
    process = start("busy", FUNCTRACE_SIGNAL="USR1")
    assert functrace("on", "shop").stderr == (
        f"functrace on: tracing is on already in shop ({process.pid})\n"
    )
    assert functrace("off", "shop").stderr == (
        f"functrace off: tracing is off in shop ({process.pid})\n"
    )
    before = _events(functrace)
    assert _events(functrace) == before
    assert functrace("on", str(process.pid)).returncode == 0
    while not program.is_slow and _events(functrace) == before:
        pass
    assert process.poll() is None


def _events(functrace: Functrace) -> int:
    info = json.loads(functrace("info", "--json", "shop").stdout)["traces"][0]
    return int(info["last_event_ns"])


def test_a_program_that_handles_no_signal_is_left_alone(
    start: Start, functrace: Functrace, program: Program
) -> None:
    process = start("wait")
    done = functrace("off", "shop")
    if program.is_python and sys.version_info >= (3, 14):
        pytest.skip("Python 3.14 needs no signal")
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"functrace: shop ({process.pid}) cannot be switched: it was started without "
        "FUNCTRACE_SIGNAL; start it with FUNCTRACE"
    )
    end(process)
    assert functrace("off", "shop").stderr == f"functrace: shop ({process.pid}) has ended\n"
