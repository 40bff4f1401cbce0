"""A trace that is followed has the calls that it has when it is read as a whole."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functrace._native.row_types import END_UNKNOWN
from functrace.errors import FunctraceError
from functrace.export.events import SpanReader
from functrace.tracefile import follower, open_trace
from functrace.tracefile import format as fmt
from functrace.tracefile.follower import Follower, Progress
from tests.live.growing import Growing
from tests.otlp.program import Program
from tests.tracefile import writer as w
from tests.tracefile.fuzz import mutated
from tests.tracefile.vectors import VECTORS, VERSION_1
from tests.tracefile.writers import Writers

_RINGS = ("overwritten", "deep", "inherited-overwritten", "ring")
_RING_CHUNKS = 16
_Ended = tuple[int, int, int, int] | None
_WHOLE = [name for name in VECTORS if name not in _RINGS]


class Following:
    """The rows of a trace that is followed, with names in place of indices."""

    def __init__(self, path: Path) -> None:
        self.follower = Follower(path)
        self.finished: list[tuple[Any, ...]] = []
        self.open: dict[int, tuple[int, int]] = {}
        """function and start of the calls that have begun and not ended"""
        self._ids: dict[int, int] = {}
        self._known: set[int] = set()

    def round(self) -> int:
        count = self.follower.advance()
        self._add(self.follower.drain())
        listed = self.follower.open_calls()
        now = zip(listed["function"].tolist(), listed["start"].tolist(), strict=True)
        assert dict(zip(listed["call"].tolist(), now, strict=True)) == self.open
        return count

    def finish(self) -> list[tuple[Any, ...]]:
        while self.round():
            pass
        self.follower.finish()
        self._add(self.follower.drain())
        assert self.open == {}
        return sorted(self.finished)

    def _add(self, progress: Progress) -> None:
        for row in progress.tracks.tolist():
            self._ids[row[4]] = row[0]
        for row in progress.begun:
            assert row["parent"] < 0 or int(row["parent"]) in self._known
            assert row["outer"] < 0 or int(row["outer"]) in self._known
            self._known.add(int(row["call"]))
            self.open[int(row["call"])] = int(row["function"]), int(row["start"])
        for row in progress.finished:
            function, start = self.open.pop(int(row["call"]))
            assert (int(row["function"]), int(row["start"])) == (function, start)
            names = ("start", "duration", "self", "suspended", "function", "depth", "flags")
            text = progress.text(int(row["text"]), int(row["text_length"]))
            values = (int(row[name]) for name in names)
            self.finished.append((self._ids[int(row["track"])], *values, text))
        released = set(progress.released.tolist())
        assert released <= self._known
        assert not released & self.open.keys()
        self._known -= released


def whole(path: Path) -> list[tuple[Any, ...]]:
    """The same rows by reading all of it."""
    trace = open_trace(path)
    return sorted(
        (
            int(trace.tracks.id[block.track[i]]),
            *(int(getattr(block, name)[i]) for name in ("start", "duration", "self", "suspended")),
            int(block.function[i]),
            int(block.depth[i]),
            int(block.flags[i]),
            trace.text(int(block.text_at[i]), int(block.text_bytes[i])),
        )
        for block in SpanReader(trace).spans(1000)
        for i in range(len(block))
    )


def follow(path: Path, content: bytes, chance: Random, most: int) -> list[tuple[Any, ...]]:
    growing = Growing(path, content, chance)
    following = Following(path)
    while not growing.is_whole:
        growing.step(most)
        following.round()
    growing.finish()
    return following.finish()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(10, 400), st.sampled_from((1, 5, 40, 300)))
def test_programs_cut_anywhere(seed: int, steps: int, most: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "growing.ftrace"
        found = follow(path, Program(seed, steps).written(), Random(seed), most)
        assert found == whole(path)


@pytest.mark.parametrize("most", [1, 4, 50])
@pytest.mark.parametrize("name", _WHOLE)
def test_vectors_cut_anywhere(tmp_path: Path, name: str, most: int) -> None:
    path = tmp_path / "growing.ftrace"
    if name == "bases":  # its clock is another one
        pytest.skip("times of the whole trace are not ticks")
    for seed in range(100 if most == 50 else 1):
        assert follow(path, VECTORS[name], Random(seed), most) == whole(path), seed


def test_demotions_of_a_growing_trace(tmp_path: Path) -> None:
    path = tmp_path / "growing.ftrace"
    content = VECTORS["demoted"]
    promotion = content.index(w.promotion(5, 1080))
    path.write_bytes(content[:promotion] + bytes(len(content) - promotion))
    follower = Follower(path)
    follower.advance()
    assert [(d.function, d.begin, d.end) for d in follower.demotions] == [
        ("main.price", 32, None),
        ("main.work", 70, None),
    ]
    path.write_bytes(content)
    follower.advance()
    assert tuple(follower.demotions) == open_trace(path).demotions
    follower.finish()


def test_version_1_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.ftrace"
    path.write_bytes(VERSION_1["calls"])
    with pytest.raises(FunctraceError, match="cannot follow a trace of format version 1, only of"):
        Follower(path)


def test_last_words_of_a_chunk_beyond_a_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunk with a successor is read to its end, even if another one takes all of a round."""
    monkeypatch.setattr(follower, "_ROUND_WORDS", 1)
    path = tmp_path / "growing.ftrace"
    calls = [word for at in range(55) for word in (w.enter(1, at), w.leave(1, at))]
    others = [w.track(3, 1000), w.enter(2, 50), w.leave(2, 60)]
    start = w.header(version=2) + w.FUNCTIONS
    path.write_bytes(
        start
        + w.events(2, *others[:2], track=1, size=1024)
        + w.events(3, w.track(7, 1000), *calls[:100], track=2, size=1024)
    )
    following = Following(path)
    while following.round():
        pass
    path.write_bytes(
        start
        + w.events(2, *others, track=1, size=1024)
        + w.events(3, w.track(7, 1000), *calls, track=2, size=1024)
        + w.events(4, w.switch(7, 1), w.enter(1, 70), w.leave(1, 80), track=2)
    )
    assert following.finish() == whole(path)


def test_whatever_the_file_contains() -> None:
    """Mutated traces, at once and in place of one another: nothing but the file's end ends it."""
    chance = random.Random(9)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.ftrace"
        for _ in range(150):
            _follow_mutated(path, chance)


def _follow_mutated(path: Path, chance: Random) -> None:
    path.write_bytes(mutated(chance))
    with suppress(FunctraceError):
        following = Following(path)
        for _ in range(chance.randrange(4)):
            following.round()
            content = mutated(chance)
            with path.open("r+b") as file:  # another chunk in the place of old ones
                file.seek(4096)
                file.write(content[4096:])
        following.finish()


def test_rings_that_are_overwritten_between_looks() -> None:
    """Calls whose exits were read are those of the program; of others the end is not known."""
    chance = random.Random(3)
    with tempfile.TemporaryDirectory() as folder:
        longest = [_follow_ring(Path(folder) / "x.ftrace", chance) for _ in range(20)]
    assert min(longest) < _RING_CHUNKS // 2 < _RING_CHUNKS * 2 < max(longest)


def _store(path: Path, writers: Writers) -> int:
    """Store the chunks that have changed, each in the place of one that began a lap before.

    Returns the highest sequence number of these.
    """
    sequence = 0
    with path.open("r+b") as file:
        for sequence, chunk in writers.drain():
            overwritten = max(sequence - _RING_CHUNKS, 0)
            file.seek(fmt.LAST_OVERWRITTEN_AT)
            file.write(overwritten.to_bytes(8, "little"))
            file.seek(4096 + 512 + sequence % _RING_CHUNKS * 1024)
            file.write(chunk.ljust(1024, b"\0"))
    return sequence


def _follow_ring(path: Path, chance: Random) -> int:
    path.write_bytes(w.header(version=2, flags=4) + w.FUNCTIONS + bytes(_RING_CHUNKS * 1024))
    following = Following(path)
    writers, expected = Writers(chance, ring=_RING_CHUNKS), set()
    begun: set[int] = set()
    seen = longest = 0  # sequence numbers between two looks
    looks = chance.choice([0.003, 0.03, 0.3])
    for track, word, stack, ended in _ring_words(chance):
        calls = [w.opened(1000 + start, function) for function, start in stack]
        record = b"" if track in begun else w.track(track, 1000)
        writers.put(track, word, calls, record, listed=w.track(track, 1000, again=True))
        begun.add(track)
        expected |= {ended} if ended else set()
        newest = _store(path, writers)
        longest = max(longest, newest - seen)
        if chance.random() < looks:
            following.round()
            seen = newest
    found = following.finish()
    sure = {(*row[:3], row[5]) for row in found if not row[7] & (END_UNKNOWN | 8)}
    assert sure <= expected
    if longest < _RING_CHUNKS // 2:
        assert following.follower.overwritten == 0
        assert sure == expected
    return longest


def _ring_words(chance: Random) -> Iterator[tuple[int, bytes, list[tuple[int, int]], _Ended]]:
    """Yield a track, its next word, function and start of its open calls, and what has ended."""
    now = 0
    stacks: dict[int, list[tuple[int, int]]] = {track: [] for track in range(1, 5)}
    track = 1
    for _ in range(3000):
        now += chance.randrange(1, 9)
        if chance.random() < 0.2:
            track = chance.choice(list(stacks))
        stack = stacks[track]
        before = list(stack)
        if stack and (len(stack) > 5 or chance.random() < 0.5):
            function, start = stack.pop()
            ended = (track, start, now - start, function - 1)
            yield track, w.leave(function, now), before, ended
        else:
            stack.append((chance.randrange(1, 5), now))
            yield track, w.enter(*stack[-1]), before, None
