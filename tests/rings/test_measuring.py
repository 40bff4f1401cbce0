"""The watcher's figures of running programs, and of programs that end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np

from functrace.tracefile import copy_ring, open_trace
from functrace.tracefile.rings import list_rings
from functrace.watch.figures import Figures
from functrace.watch.following import Following
from tests.rings.conftest import Start
from tests.support.waiting import wait_until

_OUTER = ("outer", "inner")


def short(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names without the package or module."""
    return tuple(name.rpartition(".")[2] for name in names)


def calls_of(figures: Figures) -> dict[tuple[str, ...], int]:
    found: dict[tuple[str, ...], int] = {}
    for row in figures.chains:
        chain = short(figures.names.functions(int(row["chain"])))
        found[chain] = found.get(chain, 0) + int(row["calls"])
    return found


def poll_until(following: Following, found: Callable[[Figures], bool]) -> Figures:
    """Poll until a window is the one; only the test's time limit ends it."""
    while True:
        for figures in following.poll():
            if found(figures):
                return figures


def test_a_program_that_starts_is_measured_from_its_beginning(start: Start, folder: Path) -> None:
    following = Following(folder)
    assert following.poll() == []
    process = start("wait")
    (figures,) = following.poll()
    assert (figures.process.name, figures.process.pid) == ("shop", process.pid)
    assert figures.process.language in ("go", "python")
    expected = {("inner",): 2, ("outer",): 1}
    assert {chain[-1:]: calls for chain, calls in calls_of(figures).items()} == expected
    assert figures.ended is None
    assert not figures.is_incomplete
    (again,) = following.poll()
    assert (again.calls, again.failed, len(again.chains)) == (0, 0, 0)
    assert (again.rss_bytes or 0) > 1 << 20
    assert (again.threads or 0) >= 1
    assert again.cpu_cores is not None
    following.close()


def test_calls_of_a_program_that_goes_on(start: Start, folder: Path) -> None:
    start("busy")
    following = Following(folder)
    figures = poll_until(following, lambda f: f.calls > 100)
    calls = calls_of(figures)
    inner = next(count for chain, count in calls.items() if chain[-2:] == _OUTER)
    outer = next(count for chain, count in calls.items() if chain[-1] == "outer")
    tracks = 5
    assert abs(inner - 2 * outer) <= 2 * tracks or figures.is_incomplete
    assert figures.calls == sum(calls.values())
    assert figures.chains["max_ns"].max() > 0
    assert (figures.chains["total_ns"] >= figures.chains["max_ns"]).all()
    assert np.sum(figures.durations["counts"]) == np.sum(
        figures.chains["calls"] - figures.chains["unfinished"]
    )
    assert any(short(figures.names.functions(call.chain))[-1:] for call in figures.open_calls)
    following.close()


def test_how_a_program_ended(start: Start, folder: Path) -> None:
    following = Following(folder)
    clean, killed = start("wait"), start("wait")
    assert {f.process.pid for f in following.poll()} == {clean.pid, killed.pid}
    clean.communicate("")
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    ended = {f.process.pid: f.ended for f in following.poll()}
    assert ended == {clean.pid: "clean", killed.pid: "died"}
    assert following.poll() == []
    following.close()


def test_a_busy_program_that_is_killed_is_read_to_its_end(start: Start, folder: Path) -> None:
    following = Following(folder)
    process = start("busy")
    poll_until(following, lambda f: f.calls > 0)
    (ring,) = folder.iterdir()
    events = open_trace(ring, copy_ring(ring)).events
    wait_until(lambda: open_trace(ring, copy_ring(ring)).events > events)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (figures,) = following.poll()
    assert figures.ended == "died"
    assert figures.calls > 0 or figures.is_incomplete
    following.close()


def test_a_program_that_ended_before_it_was_seen(start: Start, folder: Path) -> None:
    process = start("wait")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    following = Following(folder)
    (figures,) = following.poll()
    assert (figures.ended, figures.calls) == ("died", 3)
    assert following.poll() == []


def test_a_program_that_replaces_itself_goes_on(start: Start, folder: Path) -> None:
    following = Following(folder)
    process = start("exec")
    found = following.poll()
    assert [(f.process.pid, f.ended) for f in found] == [
        (process.pid, "clean"),
        (process.pid, None),
    ]
    assert {f.process.ring for f in found} == {ring.path for ring in list_rings(folder)}
    following.close()


def test_names_select_programs(start: Start, folder: Path) -> None:
    process = start("wait")
    for name, count in (("sh*", 1), ("shop", 1), (str(process.pid), 1), ("other", 0)):
        following = Following(folder, [name])
        assert len(following.poll()) == count, name
        following.close()
    assert list_rings(folder / "nowhere") == []
