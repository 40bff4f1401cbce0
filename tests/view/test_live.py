"""functrace view --live, and the copies of a ring that it shows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from functrace.errors import FunctraceError
from functrace.tracefile import Trace, open_trace
from functrace.view.sessions import Sessions
from functrace.view.track_numbers import TrackNumbers
from tests.analysis.recorded import Recorded
from tests.support.waiting import PATIENCE, wait_until
from tests.view.serving import viewing

_SHOP = """
import sys

def order(number):
    if number % 3 == 2:
        raise ValueError(f"item {number} is locked")

def main():
    for number, _ in enumerate(sys.stdin):
        try:
            order(number)
        except ValueError:
            pass
        print(number, flush=True)

main()
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """A program with a ring that takes an order for each line of its input."""
    monkeypatch.setenv("FUNCTRACE_RING_DIR", str(tmp_path / "rings"))
    (tmp_path / "shop.py").write_text(_SHOP)
    with subprocess.Popen(
        [sys.executable, "-m", "functrace", "run", "shop.py"],
        cwd=tmp_path,
        env={**os.environ, "FUNCTRACE": "ring"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def take_orders(shop: subprocess.Popen[str], count: int) -> None:
    assert shop.stdin is not None
    assert shop.stdout is not None
    for _ in range(count):
        shop.stdin.write("\n")
        shop.stdin.flush()
        assert shop.stdout.readline()


def test_a_running_program_is_followed(shop: subprocess.Popen[str], tmp_path: Path) -> None:
    take_orders(shop, 2)
    with viewing("--live", str(shop.pid), cwd=tmp_path) as viewer:
        first = viewer.get("live")
        assert first["revision"] == 0
        assert first["session"]["live"]
        assert not viewer.get("triage")["failing"]
        take_orders(shop, 3)
        wait_until(lambda: viewer.get("live")["revision"] > 0)
        session = viewer.get("session")
        assert session["traces"][0]["calls"] > first["session"]["traces"][0]["calls"]
        assert session["origin_ns"] == first["session"]["origin_ns"]
        (failing,) = viewer.get("triage")["failing"]
        assert failing["text"] == "ValueError: item 2 is locked"
        (track,) = viewer.get("tracks")["tracks"]
        assert viewer.get("window", tracks=track["id"])["tracks"][0]["rows"]

        shop.send_signal(signal.SIGKILL)
        shop.wait(PATIENCE)
        assert viewer.get("live")["session"]["traces"]


def test_no_such_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNCTRACE_RING_DIR", str(tmp_path / "rings"))
    command = [sys.executable, "-m", "functrace", "view", "--live", "none"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no ring of a process with this id or name" in done.stderr


def trace(path: Path, goroutines: list[int], calls: int) -> Trace:
    program = Recorded("main.work")
    for number in goroutines:
        program.goroutine(number).call("main.work", times=calls)
    return open_trace(program.write(path))


class _Copies:
    """A ring in the making, and a clock that is set by hand."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.time = 0.0
        self.calls = 1
        self.is_gone = False
        self.made = 0

    def open(self) -> list[Trace]:
        self.made += 1
        if self.is_gone:
            raise FunctraceError("gone")
        return [trace(self._folder / f"{self.made}.ftrace", [1], self.calls)]


def test_copies_are_made_when_they_are_asked_for_and_old(tmp_path: Path) -> None:
    copies = _Copies(tmp_path)
    sessions = Sessions(copies.open, ["shop"], is_live=True, clock=lambda: copies.time)
    copies.calls = 2
    assert (sessions.newest().revision, copies.made) == (0, 1)  # too young
    copies.time = 2.0
    assert (sessions.newest().revision, copies.made) == (1, 2)
    copies.time = 4.0
    assert (sessions.newest().revision, copies.made) == (1, 3)  # nothing happened
    copies.time, copies.is_gone = 6.0, True
    assert (sessions.newest().revision, copies.made) == (1, 4)
    assert sessions.current is sessions.newest()


def test_traces_that_do_not_grow_are_opened_once(tmp_path: Path) -> None:
    copies = _Copies(tmp_path)
    sessions = Sessions(copies.open, ["shop"], clock=lambda: copies.time)
    copies.time = 100.0
    assert sessions.newest() is sessions.current
    assert copies.made == 1


def test_tracks_keep_their_numbers(tmp_path: Path) -> None:
    first = trace(tmp_path / "1.ftrace", [5, 7, 9], 1)
    later = trace(tmp_path / "2.ftrace", [7, 9, 11], 1)  # the first one was overwritten
    before = TrackNumbers([first, first])
    after = TrackNumbers([later, first], before)
    assert [before.number(0, index) for index in range(3)] == [0, 1, 2]
    assert [before.number(1, index) for index in range(3)] == [3, 4, 5]
    assert [after.number(0, index) for index in range(3)] == [1, 2, 6]
    assert [after.number(1, index) for index in range(3)] == [3, 4, 5]
    assert [after.place(number) for number in (0, 1, 2, 6, 5, 7)] == [
        None,
        (0, 0),
        (0, 1),
        (0, 2),
        (1, 2),
        None,
    ]
