"""Rollups of a trace that is followed are those of the whole trace."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functrace.rollup.figures import ChainFigures, merged
from functrace.rollup.followed import FollowedRollups
from functrace.rollup.from_trace import rollups_of
from functrace.rollup.labels import labels_of
from functrace.rollup.rollup import Rollup
from functrace.tracefile import open_trace
from functrace.tracefile.chain_follower import ChainFollower
from tests.live.growing import Growing
from tests.otlp.program import Program
from tests.rollup import service
from tests.rollup.service import SECOND, STARTED
from tests.tracefile import writer as w

_Rows = dict[tuple[int, bytes], ChainFigures]


class Followed:
    """A follower of a trace, and the rollups that it has returned."""

    def __init__(self, path: Path, width_ns: int, position: int = 0) -> None:
        self.follower = ChainFollower(path)
        self.rollups = FollowedRollups(self.follower, width_ns, position)
        self.found: list[Rollup] = []

    @property
    def now_ns(self) -> int:
        return max(self.follower.clock.nanosecond(self.follower.walked_ticks), 0)

    def read(self) -> int:
        count = self.follower.advance()
        self.rollups.add(self.follower.window(), self.now_ns)
        return count

    def take(self) -> None:
        until_ns = self.follower.header.started + self.now_ns
        self.found += self.rollups.pop_ended(until_ns, self.now_ns)

    def stop(self) -> int:
        """Return the position from which another one goes on."""
        self.found += self.rollups.pop_all(self.now_ns)
        self.follower.close()
        return self.rollups.position

    def finish(self) -> None:
        while self.read():
            pass
        self.follower.finish()
        self.rollups.add(self.follower.window(), self.now_ns)
        self.found += self.rollups.pop_all(self.now_ns)


def rows(rollups: Iterable[Rollup]) -> _Rows:
    """Return the sum of rollups. Of several longest calls, any one may be the example."""
    found: defaultdict[tuple[int, bytes], list[ChainFigures]] = defaultdict(list)
    for each in rollups:
        for key, figures in each.figures.items():
            found[key].append(figures)
    sums = {key: merged(several) for key, several in found.items()}
    return {key: row if row.failed else replace(row, example=None) for key, row in sums.items()}


def whole(path: Path, width_ns: int) -> list[Rollup]:
    trace = open_trace(path)
    return list(rollups_of(trace, labels_of(trace), width_ns))


def definitions(rollups: Iterable[Rollup]) -> dict[bytes, object]:
    found: dict[bytes, object] = {}
    for each in rollups:
        found |= each.chains
    return found


def slowed(content: bytes, rate: int) -> bytes:
    """Return a trace of a Program with a clock of so many ticks a second."""
    return w.header(version=2, flags=0, rate=rate) + content[4096:]


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(10, 400),
    st.sampled_from((3, 10, 100)),
    st.sampled_from((SECOND, 10 * SECOND, 60 * SECOND)),
    st.sampled_from((1, 5, 40, 300)),
)
def test_growing_programs(seed: int, steps: int, rate: int, width_ns: int, most: int) -> None:
    """Whenever windows are taken, and however often the follower is replaced by another one."""
    chance = Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "growing.ftrace"
        growing = Growing(path, slowed(Program(seed, steps).written(), rate), chance)
        followed = Followed(path, width_ns)
        found: list[Rollup] = []
        while not growing.is_whole:
            growing.step(most)
            followed.read()
            if chance.random() < 0.3:
                followed.take()
            if chance.random() < 0.05:
                position = followed.stop()
                found += followed.found
                followed = Followed(path, width_ns, position)
        growing.finish()
        followed.finish()
        found += followed.found
        expected = whole(path, width_ns)
        assert rows(found) == rows(expected)
        assert definitions(found) == definitions(expected)
        parts = [(each.recording, each.hour_ns) for each in found]
        assert len(parts) == len(set(parts))


def test_a_service_window_by_window(tmp_path: Path) -> None:
    path = service.write(tmp_path / "x.ftrace")
    path.write_bytes(w.header(version=2) + path.read_bytes()[4096:])
    followed = Followed(path, 60 * SECOND)
    followed.finish()
    (found,) = followed.found
    (expected,) = whole(path, 60 * SECOND)
    assert rows([found]) == rows([expected])
    assert found.labels == expected.labels
    assert found.coverage == expected.coverage
    assert [each for each in found.figures.values() if each.example is None] == []


def test_windows_without_calls_in_which_a_function_was_demoted(tmp_path: Path) -> None:
    path = service.write_with_demotion(tmp_path / "x.ftrace")
    followed = Followed(path, 60 * SECOND)
    while followed.read():
        pass
    for minute in (1, 2, 90):
        until_ns = STARTED + minute * 60 * SECOND
        followed.found += followed.rollups.pop_ended(until_ns, 7200 * SECOND)
    followed.finish()
    coverage = {start: row for each in followed.found for start, row in each.coverage.items()}
    expected = whole(path, 60 * SECOND)
    assert sum(len(each.coverage) for each in followed.found) == len(coverage)
    assert coverage == {start: row for each in expected for start, row in each.coverage.items()}
    assert rows(followed.found) == rows(expected)


def test_more_windows_than_are_counted_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functrace.rollup.followed._MAX_BEHIND", 10)
    monkeypatch.setattr("functrace.rollup.followed._AHEAD", 5)
    path = service.write(tmp_path / "x.ftrace", seconds=30)
    path.write_bytes(w.header(version=2) + path.read_bytes()[4096:])
    followed = Followed(path, SECOND)
    followed.finish()
    (found,) = followed.found
    sentence = "calls were not counted: too many windows passed at a time"
    missing = {(start - STARTED) // SECOND for start, row in found.coverage.items() if row.missing}
    assert missing == set(range(14, 31))
    assert {text for row in found.coverage.values() for text in row.missing} == {sentence}
    assert max(start for start, _ in found.figures) == STARTED + 13 * SECOND


def test_windows_are_returned_once_they_have_ended(tmp_path: Path) -> None:
    path = service.write(tmp_path / "x.ftrace")
    path.write_bytes(w.header(version=2) + path.read_bytes()[4096:])
    followed = Followed(path, 60 * SECOND)
    while followed.read():
        pass
    followed.take()
    windows = {window for each in followed.found for window, _ in each.figures}
    assert windows == {STARTED - 20 * SECOND, STARTED + 40 * SECOND}
    assert followed.rollups.position == 100 * SECOND
    assert followed.rollups.pop_ended(STARTED + 150 * SECOND, followed.now_ns) == []


def test_failed_calls_in_more_windows_than_there_are_texts(tmp_path: Path) -> None:
    """The table of texts stays small, and every call has its row."""
    windows = 20_000
    words = []
    for start in range(0, 2 * windows, 2):
        words += [w.enter(1, start), w.enter(2, start), w.error("no such item")]
        words += [w.leave(2, start + 1), w.leave(1, start + 1)]
    path = tmp_path / "x.ftrace"
    content = w.FUNCTIONS + w.events(2, w.track(1, 1000), *words)
    path.write_bytes(w.header(version=2) + content)
    follower = ChainFollower(path)
    follower.roll(np.arange(windows + 1) * 2)
    while follower.advance():
        pass
    follower.finish()
    failures, rows = follower.window().failures, follower.rolled().rows
    assert failures["calls"].sum() == windows
    assert len(failures) < windows
    assert (failures["calls"][failures["window"] >= 0] == 1).all()
    assert rows["calls"].tolist() == [1] * (2 * windows)
    places = set(zip(rows["chain"].tolist(), rows["window"].tolist(), strict=True))
    assert places == {(chain, window) for chain in (1, 2) for window in range(windows)}
