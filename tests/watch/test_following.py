"""Rings that are written by hand, of this process or of one that does not exist."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from functrace.errors import FunctraceError
from functrace.tracefile import format as fmt
from functrace.tracefile.ending import Ending, start_ticks_of, write_ending
from functrace.watch import ring_meter
from functrace.watch.figures import OTHER_TEXTS, ErrorText, Figures, percentile_ns
from functrace.watch.following import Following
from functrace.watch.ring_meter import Clocks
from tests.tracefile import writer as w
from tests.tracefile.fuzz import mutated

_SECOND = 1_000_000_000
_STARTED = 1_000  # Unix time
_NOBODY = 1 << 22  # above the highest process id


class Hours:
    """Clocks that are set."""

    def __init__(self) -> None:
        self.since_start = 0.5

    def clocks(self) -> Clocks:
        return Clocks(
            lambda: _STARTED + self.since_start, lambda: 77 + self.since_start, lambda _: None
        )


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "rings"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def messages() -> list[str]:
    return []


@pytest.fixture
def following(folder: Path, hours: Hours, messages: list[str]) -> Iterator[Following]:
    found = Following(folder, clocks=hours.clocks(), report=messages.append)
    yield found
    found.close()


class Ring:
    """A ring that gets more and more chunks. Ticks are nanoseconds after its start."""

    def __init__(self, folder: Path, *, program: str = "shop", runs: bool = True) -> None:
        self.pid = os.getpid() if runs else _NOBODY
        start = start_ticks_of(os.getpid())
        self.path = folder / f"{program}-{self.pid}-{start}.ftrace"
        self._sequence = 2
        self.path.write_bytes(self._header(fmt.OVERWRITTEN) + w.FUNCTIONS)

    def _header(self, flags: int) -> bytes:
        return w.header(version=2, flags=flags, started=_STARTED * _SECOND, pid=self.pid)

    def add(self, *words: bytes, skip: int = 0, size: int = 0) -> None:
        """Add a chunk; `skip` more were overwritten before it."""
        if skip:
            self._sequence += skip
            self._set(fmt.LAST_OVERWRITTEN_AT, self._sequence - 1)
        more = {"size": size} if size else {}
        with self.path.open("ab") as file:
            file.write(w.events(self._sequence, *words, **more))
        self._sequence += 1

    def set_flags(self, flags: int) -> None:
        self._set(fmt.FLAGS_AT, flags)

    def _set(self, at: int, value: int) -> None:
        with self.path.open("r+b") as file:
            file.seek(at)
            file.write(struct.pack("<Q", value))


def only(found: list[Figures]) -> Figures:
    (figures,) = found
    return figures


def test_figures_of_a_window(folder: Path, hours: Hours, following: Following) -> None:
    ring = Ring(folder)
    ring.add(
        w.track(1, 1000), w.enter(1, 10),
        w.enter(2, 20), w.error("no stock"), w.leave(2, 50),
        w.enter(2, 60), w.panic("nil"), w.leave(2, 160),
        w.enter(2, 200), w.leave(2, 210),
    )  # fmt: skip
    figures = only(following.poll())
    (row,) = figures.chains.tolist()
    assert row[1:] == (3, 2, 1, 0, 140, 100)
    assert len(figures.names.functions(row[0])) == 2
    assert (figures.calls, figures.failed, figures.live_tracks) == (3, 2, 1)
    assert sorted(figures.errors, key=lambda error: error.text) == [
        ErrorText(row[0], "nil", 1, True),
        ErrorText(row[0], "no stock", 1, False),
    ]
    assert percentile_ns([figures], [row[0]], 50) == 30
    assert figures.seconds == pytest.approx(0.5)
    assert figures.end == _STARTED + 0.5
    (opened,) = figures.open_calls
    assert opened.open_ns == pytest.approx(_SECOND / 2 - 10, abs=1000)

    hours.since_start = 1.75
    ring.add(w.switch(1, 1, opened=1), w.enter(2, _SECOND), w.leave(2, _SECOND + 9))
    figures = only(following.poll())
    assert figures.seconds == pytest.approx(1.25)
    assert [tuple(each) for each in figures.chains.tolist()] == [(row[0], 1, 0, 0, 0, 9, 9)]
    assert figures.errors == []


def test_a_call_that_hangs_is_older_with_every_window(
    folder: Path, hours: Hours, following: Following
) -> None:
    ring = Ring(folder)
    ring.add(w.track(1, 1000), w.enter(1, 100), w.enter(2, _SECOND // 10))
    hours.since_start = 0.1
    following.poll()
    for seconds in (1, 5, 60):
        hours.since_start = 0.1 + seconds
        calls = only(following.poll()).open_calls
        ages = [call.open_ns for call in calls]
        assert ages[1] == pytest.approx(seconds * _SECOND, abs=1e6)
        assert ages[0] - ages[1] == _SECOND // 10 - 100
        assert [call.suspended for call in calls] == [False, False]


def test_history_of_a_process_that_was_running_is_in_no_window(
    folder: Path, hours: Hours, following: Following
) -> None:
    ring = Ring(folder)
    ring.add(w.track(1, 1000), w.enter(1, 10), w.enter(2, 20), w.leave(2, 50))
    hours.since_start = 100
    assert following.poll() == []
    hours.since_start = 101
    ring.add(w.switch(1, 1, opened=1), w.enter(2, 100 * _SECOND), w.leave(2, 100 * _SECOND + 7))
    figures = only(following.poll())
    assert (figures.calls, figures.seconds) == (1, pytest.approx(1))
    assert len(figures.names.functions(int(figures.chains[0]["chain"]))) == 2
    assert len(figures.open_calls) == 1


@pytest.mark.parametrize(
    ("flags", "signal", "ended"),
    [
        (fmt.OVERWRITTEN, None, "died"),
        (fmt.OVERWRITTEN | fmt.ENDED_CLEANLY, None, "clean"),
        (fmt.OVERWRITTEN, 9, "killed"),
    ],
)
def test_how_a_process_ended(
    folder: Path, following: Following, flags: int, signal: int | None, ended: str
) -> None:
    ring = Ring(folder, runs=False)
    ring.add(w.track(1, 1000), w.enter(1, 10), w.enter(2, 20), w.leave(2, 50))
    ring.set_flags(flags)
    if signal is not None:
        write_ending(ring.path, ring.pid, Ending(None, signal))
    figures = only(following.poll())
    assert (figures.ended, figures.calls, len(figures.open_calls)) == (ended, 1, 1)
    assert figures.rss_bytes is None
    assert following.poll() == []


def test_history_that_was_overwritten(folder: Path, following: Following) -> None:
    ring = Ring(folder)
    ring.add(w.track(1, 1000), w.enter(2, 10), w.leave(2, 20))
    assert not only(following.poll()).is_incomplete
    ring.add(w.switch(1, 9), w.enter(2, 500), w.leave(2, 600), skip=5)
    figures = only(following.poll())
    assert (figures.is_incomplete, figures.calls) == (True, 1)
    assert not only(following.poll()).is_incomplete


def test_a_program_that_writes_faster_than_it_is_read(
    folder: Path, following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring_meter, "_MAX_ROUNDS", 1)
    monkeypatch.setattr(ring_meter, "_MIN_WORDS", 0)
    monkeypatch.setattr("functrace.tracefile.follower._ROUND_WORDS", 1)
    ring = Ring(folder)
    for run in range(10):
        first = w.switch(1, run) if run else w.track(1, 1000)
        words = [w.enter(2, 100 * run), w.leave(2, 100 * run + 10)]
        ring.add(first, *words, w.enter(2, 100 * run + 20), w.leave(2, 100 * run + 30))
    figures = [only(following.poll()) for _ in range(4)]
    assert any(each.is_incomplete for each in figures)
    assert 2 <= sum(each.calls for each in figures) < 20
    assert not figures[-1].is_incomplete
    ring.add(w.switch(1, 10), w.enter(2, 1000), w.leave(2, 1010))
    assert sum(each.calls for _ in range(3) for each in following.poll()) == 1


def test_the_most_frequent_texts_are_kept(folder: Path, following: Following) -> None:
    ring = Ring(folder)
    words = [w.track(1, 1000)]
    for i in range(100):
        text = f"no {i % 20}" if i % 2 else "busy"
        words += [w.enter(2, 10 * i), w.error(text), w.leave(2, 10 * i + 5)]
    ring.add(*words)
    errors = only(following.poll()).errors
    assert errors[0] == ErrorText(1, "busy", 50, False)
    assert len(errors) == 9
    assert errors[-1].text == OTHER_TEXTS
    assert sum(error.calls for error in errors) == 100


def test_a_ring_that_cannot_be_read_is_reported_once(
    folder: Path, following: Following, messages: list[str]
) -> None:
    ring = Ring(folder, program="old")
    ring.path.write_bytes(b"nothing" * 1000)
    good = Ring(folder)
    good.add(w.track(1, 1000), w.enter(2, 10), w.leave(2, 20))
    for _ in range(9):
        assert only(following.poll()).process.name == "shop"
    assert messages == [f"{ring.path}: not followed: {ring.path}: not a functrace trace"]


def test_a_ring_that_is_removed_while_its_process_runs(folder: Path, following: Following) -> None:
    ring = Ring(folder)
    ring.add(w.track(1, 1000), w.enter(2, 10), w.leave(2, 20))
    assert only(following.poll()).calls == 1
    ring.path.unlink()
    assert only(following.poll()).ended is None


def test_whatever_a_ring_contains(folder: Path, following: Following) -> None:
    """Mutated traces, each in the place of another: no window is without sense."""
    chance = random.Random(4)
    path, windows = Ring(folder).path, 0
    for i in range(200):
        content = mutated(chance)
        if i % 4 == 0:
            path.unlink()
            path = folder / f"shop-{os.getpid()}-{start_ticks_of(os.getpid())}.{i + 2}.ftrace"
            path.write_bytes(content)
        else:
            with path.open("r+b") as file:
                file.seek(4096)
                file.write(content[4096:])
        for figures in following.poll():
            windows += 1
            assert figures.failed <= figures.calls == figures.chains["calls"].sum()
            assert all(call.open_ns >= 0 for call in figures.open_calls)
            for chain in figures.chains["chain"]:
                assert figures.names.functions(int(chain))
    assert windows > 0


def test_a_folder_that_is_open_to_others_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(FunctraceError, match="only read from a folder that belongs to this user"):
        Following(tmp_path)
    assert Following(tmp_path / "nowhere").poll() == []
