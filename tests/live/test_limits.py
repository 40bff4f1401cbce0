"""What a sender forgets, so that it stays small however long the program runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from functrace.export.otlp import Options
from functrace.tracefile import follower
from tests.live.spans import Following, exported, followed
from tests.tracefile import writer as w

MAIN, SELL, PRICE, WORK = 1, 2, 3, 4


def test_tracks_that_each_start_the_next(tmp_path: Path) -> None:
    """Above the call that fails are 1,000; of these the next 256 at least."""
    path = tmp_path / "x.ftrace"
    tracks = [
        w.events(
            number + 1,
            w.track(number, 1000 + 10 * number, parent=number - 1, starter=WORK),
            w.enter(WORK, 10 * number),
            *([w.error("no")] if number == 1000 else []),
            w.leave(WORK, 10 * number + 20),
        )
        for number in range(1, 1001)
    ]
    path.write_bytes(w.header(version=2) + w.FUNCTIONS + b"".join(tracks))
    every = exported(path, Options(errors=True))
    assert len(every) == 1000
    found = followed(path, Options(errors=True))
    assert 256 <= len(found) <= 513
    assert set(found) <= set(every)
    assert len(followed(path, Options())) == 1000


def late(path: Path, between: int) -> list[str]:
    """The chain above a track that begins long after it was made, where the calls of then are
    remembered, and where so many have come since."""
    before, after = _calls(50, between), _calls(8600, 20)
    path.write_bytes(
        w.header(version=2)
        + w.FUNCTIONS
        + w.events(
            2,
            *(w.track(1, 1000), w.enter(MAIN, 10), w.enter(SELL, 20), w.leave(SELL, 40)),
            *(*before, *after, w.leave(MAIN, 9000)),
        )
        + w.events(
            3, w.track(7, 1030, parent=1, starter=SELL), w.enter(WORK, 8000), w.leave(WORK, 8500)
        )
    )
    following = Following(path, Options())
    following.finish()
    spans = map(Span.FromString, following.messages)
    (chain,) = [a.value for span in spans for a in span.attributes if a.key == "functrace.chain"]
    return [value.string_value for value in chain.array_value.values]


def _calls(start: int, count: int) -> list[bytes]:
    times = range(start, start + count)
    return [word for time in times for word in (w.enter(PRICE, time), w.leave(PRICE, time))]


def test_a_track_that_begins_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "_MAX_RECENT_CALLS", 50)
    monkeypatch.setattr(follower, "_EVICTION_INTERVAL", 10)
    path = tmp_path / "x.ftrace"
    assert late(path, 40) == ["main.main", "main.(*Shop).Sell"]
    assert late(path, 3000) == ["main.main"]


def test_tracks_without_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those are forgotten, and known again when they go on."""
    monkeypatch.setattr(follower, "_MAX_IDLE_TRACKS", 10)
    monkeypatch.setattr(follower, "_EVICTION_INTERVAL", 5)
    path = tmp_path / "x.ftrace"
    tracks = [
        w.events(
            number + 1,
            w.track(number, 1000 + 10 * number),
            *(w.enter(WORK, 10 * number), w.leave(WORK, 10 * number + 1)),
            *(w.enter(PRICE, 5000 + number), w.leave(PRICE, 6000 - number)),
        )
        for number in range(1, 101)
    ]
    path.write_bytes(w.header(version=2) + w.FUNCTIONS + b"".join(tracks))
    following = Following(path, Options())
    assert following.finish() == exported(path, Options())
    assert len(following.follower.process.tracks) <= 10
