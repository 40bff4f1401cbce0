"""However a trace is cut into what is there at one look and at the next: the spans are the same."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functrace.export.otlp.live.span_follower import SpanFollower
from functrace.tracefile import follower
from tests.live.growing import Growing
from tests.live.spans import Following, exported
from tests.live.test_same_spans import CHOICES, VECTORS
from tests.otlp.program import Program

_OVERWRITTEN = ("overwritten", "deep", "inherited-overwritten", "ring")
WHOLE = [vector for vector in VECTORS if vector.stem not in _OVERWRITTEN]


def _follow(folder: Path, trace: bytes, choice: int, seed: int, most: int) -> None:
    options, roots = CHOICES[choice]
    path = folder / "growing.ftrace"
    growing = Growing(path, trace, Random(seed))
    following = Following(path, options, roots)
    while not growing.is_whole:
        growing.step(most)
        following.follower.advance()
    growing.finish()
    found = following.finish()
    assert found == exported(path, options, roots)
    assert following.follower.overwritten == following.follower.dropped == 0


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 1000),
    st.integers(10, 400),
    st.integers(0, len(CHOICES) - 1),
    st.sampled_from((1, 5, 40, 300)),
)
def test_programs(seed: int, steps: int, choice: int, most: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _follow(Path(folder), Program(seed, steps).written(), choice, seed, most)


@pytest.mark.parametrize("most", [1, 4])
@pytest.mark.parametrize("vector", WHOLE, ids=lambda path: path.stem)
def test_vectors(tmp_path: Path, vector: Path, most: int) -> None:
    for choice in range(len(CHOICES)):
        _follow(tmp_path, vector.read_bytes(), choice, most, most)


def test_little_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than is read or gone through at once."""
    monkeypatch.setattr(follower, "_ROUND_WORDS", 50)
    monkeypatch.setattr(follower, "_EVICTION_INTERVAL", 20)
    trace = Program(3, 900).written()
    for choice in range(len(CHOICES)):
        _follow(tmp_path, trace, choice, choice, 300)


def test_calls_are_sent_soon_after_they_have_ended(tmp_path: Path) -> None:
    """Two looks later at most."""
    path = tmp_path / "growing.ftrace"
    growing = Growing(path, Program(5, 600).written(), Random(5))
    following = Following(path, CHOICES[0][0])
    sent = [0]
    while not growing.is_whole:
        growing.step(60)
        following.follower.advance()
        sent.append(len(following.messages))
    growing.finish()
    assert len(sent) > 10
    assert all(before < after for before, after in zip(sent[3:], sent[5:], strict=False))


def test_the_file_is_only_read(tmp_path: Path) -> None:
    path = tmp_path / "x.ftrace"
    path.write_bytes(Program(1, 50).written())
    before = path.stat()
    path.chmod(0o400)
    SpanFollower(path, CHOICES[0][0], (), lambda _: None).finish()
    assert path.stat().st_mtime_ns == before.st_mtime_ns
