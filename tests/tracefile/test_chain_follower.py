"""The windows of a trace that is followed add up to the calls of the whole trace."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functrace._native.row_types import END_UNKNOWN, ERROR, PANIC, UNFINISHED
from functrace.analysis import Histogram, Histograms, calls
from functrace.tracefile import open_trace
from functrace.tracefile.chain_follower import ChainFollower
from functrace.tracefile.follower import Follower
from functrace.tracefile.reader import Clock
from tests.live.growing import Growing
from tests.otlp.program import Program
from tests.tracefile import writer as w
from tests.tracefile.test_follower import _RING_CHUNKS, _WHOLE, _ring_words, _store
from tests.tracefile.vectors import VECTORS
from tests.tracefile.writers import Writers

_Chain = tuple[tuple[int, bool], ...]  # functions, and whether each was started
_OTHER, _OUTER, _INNER = ((-1, False),), ((0, False),), ((0, False), (1, False))
_TICKS = Clock(1e9)


@dataclass
class Sums:
    """Figures of the calls of chains, which are functions from the outermost on."""

    calls: Counter[_Chain] = field(default_factory=Counter)
    failed: Counter[_Chain] = field(default_factory=Counter)
    panicked: Counter[_Chain] = field(default_factory=Counter)
    unfinished: Counter[_Chain] = field(default_factory=Counter)
    total: Counter[_Chain] = field(default_factory=Counter)
    longest: dict[_Chain, int] = field(default_factory=dict)
    texts: Counter[tuple[_Chain, str, bool]] = field(default_factory=Counter)
    buckets: Counter[tuple[_Chain, int, int]] = field(default_factory=Counter)

    def add(self, chain: _Chain, duration: int, flags: int, text: str) -> None:
        self.calls[chain] += 1
        self.total[chain] += 0 if flags & END_UNKNOWN else duration
        self.unfinished[chain] += bool(flags & (UNFINISHED | END_UNKNOWN))
        if not flags & (UNFINISHED | END_UNKNOWN):
            self.longest[chain] = max(self.longest.get(chain, 0), duration)
        if flags & (ERROR | PANIC):
            self.failed[chain] += 1
            self.panicked[chain] += bool(flags & PANIC)
            self.texts[chain, text, bool(flags & PANIC)] += 1

    def add_histogram(self, chain: _Chain, histogram: Histogram) -> None:
        columns = (histogram.low.tolist(), histogram.high.tolist(), histogram.count.tolist())
        for low, high, count in zip(*columns, strict=True):
            self.buckets[chain, low, high] += count


class Windows:
    """The sum of all windows of a trace that is followed."""

    def __init__(self, path: Path, limit: int = 1000) -> None:
        self.follower = ChainFollower(path, limit)
        self.sums = Sums()
        self.chains: list[_Chain] = []
        self.open: dict[_Chain, tuple[int, int]] = {}
        """how many, and the first start"""

    def query(self) -> int:
        count = self.follower.advance()
        self.add()
        return count

    def add(self) -> None:
        found, sums = self.follower.window(), self.sums
        for parent, function, started in found.new_chains.tolist():
            step = function, bool(started)
            self.chains.append((*(self.chains[parent] if parent >= 0 else ()), step))
        for row in found.figures:
            chain = self.chains[row["chain"]]
            for name in ("calls", "failed", "panicked", "unfinished", "total"):
                getattr(sums, name)[chain] += int(row[name])
            if row["calls"] > row["unfinished"]:
                sums.longest[chain] = max(sums.longest.get(chain, 0), int(row["max"]))
            sums.add_histogram(
                chain, Histograms(found.blocks, found.blocks["owner"], _TICKS).of(row["chain"])
            )
        for row in found.failures:
            text = found.text(row)
            key = self.chains[row["chain"]], "(other)" if text is None else text
            sums.texts[(*key, bool(row["panicked"]))] += int(row["calls"])
        self.open = {
            self.chains[row["chain"]]: (int(row["calls"]), int(row["start"])) for row in found.open
        }

    def finish(self) -> Sums:
        while self.query():
            pass
        self.follower.finish()
        self.add()
        assert self.open == {}
        return self.sums


class Listed:
    """The same from the calls that a follower lists."""

    def __init__(self, path: Path) -> None:
        self.follower = Follower(path)
        self.sums = Sums()
        self.open: dict[_Chain, tuple[int, int]] = {}
        self._chains: dict[int, _Chain] = {}
        self._outer: dict[int, int] = {}

    def query(self) -> int:
        count = self.follower.advance()
        self.add()
        return count

    def add(self) -> None:
        progress = self.follower.drain()
        for row in progress.begun:
            track = int(row["track"])
            if row["outer_track"] >= 0:
                self._outer[track] = int(row["outer"])
            around = int(row["parent"]) if row["parent"] >= 0 else self._outer.get(track, -1)
            above = self._chains.get(around, ())
            is_started = row["parent"] < 0 and around >= 0
            self._chains[int(row["call"])] = (*above, (int(row["function"]), bool(is_started)))
        for row in progress.finished:
            text = progress.text(int(row["text"]), int(row["text_length"]))
            chain = self._chains[int(row["call"])]
            self.sums.add(chain, int(row["duration"]), int(row["flags"]), text)
        self.open = {}
        for row in self.follower.open_calls():
            chain, start = self._chains[int(row["call"])], int(row["start"])
            count, first = self.open.get(chain, (0, start))
            self.open[chain] = (count + 1, min(first, start))

    def finish(self) -> Sums:
        while self.query():
            pass
        self.follower.finish()
        self.add()
        return self.sums


def whole(path: Path) -> Sums:
    """The same from the batch fold."""
    trace = open_trace(path)
    found = calls(trace, histograms_of=range(len(trace.functions)))
    chains, sums = found.chains, Sums()
    names = [
        tuple((int(chains.function[at]), bool(chains.started[at])) for at in chains.chain(node))
        for node in range(len(chains))
    ]
    for call in range(len(found)):
        flags = ERROR * found.error[call] | PANIC * found.panic[call]
        flags |= UNFINISHED * found.unfinished[call]
        sums.add(names[found.node[call]], int(found.duration[call]), int(flags), found.text(call))
    for node, chain in enumerate(names):
        sums.add_histogram(chain, chains.node_histograms.of(node))
    return sums


def follow(path: Path, content: bytes, chance: Random, most: int) -> Sums:
    growing = Growing(path, content, chance)
    windows = Windows(path)
    while not growing.is_whole:
        growing.step(most)
        windows.query()
    growing.finish()
    return windows.finish()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(10, 400), st.sampled_from((1, 5, 40, 300)))
def test_programs_cut_anywhere(seed: int, steps: int, most: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "growing.ftrace"
        found = follow(path, Program(seed, steps).written(), Random(seed), most)
        assert found == whole(path)


@pytest.mark.parametrize("most", [1, 4, 50])
@pytest.mark.parametrize("name", [name for name in _WHOLE if name != "bases"])
def test_vectors_cut_anywhere(tmp_path: Path, name: str, most: int) -> None:
    path = tmp_path / "growing.ftrace"  # "bases" has another clock
    for seed in range(10 if most == 50 else 1):
        assert follow(path, VECTORS[name], Random(seed), most) == whole(path), seed


def test_rings_that_are_overwritten_between_looks() -> None:
    """Of the calls of a ring, as many are folded as are listed, and as many are open."""
    chance = Random(3)
    with tempfile.TemporaryDirectory() as folder:
        lost = [_follow_ring(Path(folder) / "x.ftrace", chance) for _ in range(8)]
    assert 0 in lost
    assert max(lost) > 0


def _follow_ring(path: Path, chance: Random) -> int:
    path.write_bytes(w.header(version=2, flags=4) + w.FUNCTIONS + bytes(_RING_CHUNKS * 1024))
    windows, listed = Windows(path), Listed(path)
    writers = Writers(chance, ring=_RING_CHUNKS)
    begun: set[int] = set()
    looks = chance.choice([0.003, 0.03, 0.3])
    for track, word, stack, _ in _ring_words(chance):
        opened = [w.opened(1000 + start, function) for function, start in stack]
        record = b"" if track in begun else w.track(track, 1000)
        writers.put(track, word, opened, record, listed=w.track(track, 1000, again=True))
        begun.add(track)
        _store(path, writers)
        if chance.random() < looks:
            windows.query()
            listed.query()
            assert windows.open == listed.open
    found, expected = windows.finish(), listed.finish()
    found.buckets.clear()  # the other has none
    assert found == expected
    assert windows.follower.overwritten == listed.follower.overwritten
    return windows.follower.overwritten


def written(path: Path, *words: bytes) -> Path:
    path.write_bytes(w.header(version=2) + w.FUNCTIONS + w.events(2, w.track(1, 1000), *words))
    return path


def test_chains_beyond_the_limit_are_one(tmp_path: Path) -> None:
    words = [w.enter(number, number) for number in (1, 2, 3, 4)]
    words += [w.leave(number, 9 - number) for number in (4, 3, 2, 1)]
    windows = Windows(written(tmp_path / "x.ftrace", *words), limit=2)
    sums = windows.finish()
    assert windows.chains == [_OTHER, _OUTER, _INNER]
    assert sums.calls == {_OUTER: 1, _INNER: 1, _OTHER: 2}
    assert sums.total[_OTHER] == 1 + 3


def test_texts_beyond_the_limit_are_one(tmp_path: Path) -> None:
    words = []
    for i in range(5000):
        words += [w.enter(1, 2 * i), w.error(f"no {i % 4500}"), w.leave(1, 2 * i + 1)]
    sums = Windows(written(tmp_path / "x.ftrace", *words)).finish()
    assert len(sums.texts) == 4097
    assert sums.texts[_OUTER, "no 7", False] == 2
    assert sums.texts[_OUTER, "(other)", False] == 4500 - 4096
    assert sum(sums.texts.values()) == 5000


def test_a_long_text_is_cut_before_a_character(tmp_path: Path) -> None:
    words = [w.enter(1, 1), w.error("x" + "é" * 600), w.leave(1, 2)]
    sums = Windows(written(tmp_path / "x.ftrace", *words)).finish()
    assert sums.texts == {(_OUTER, "x" + "é" * 499, False): 1}


def test_a_follower_that_lists_calls_has_no_windows(tmp_path: Path) -> None:
    follower = Follower(written(tmp_path / "x.ftrace"))
    with pytest.raises(ValueError, match="lists calls"):
        follower._feed.window()
