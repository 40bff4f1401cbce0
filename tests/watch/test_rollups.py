"""The watcher's rollups: every call of a ring in one window, whatever is killed or away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from functrace.rollup.store import Store
from functrace.tracefile import format as fmt
from functrace.watch import rollup_writer
from functrace.watch.following import Following
from functrace.watch.ring_rollups import Part, Rolling
from functrace.watch.rollup_writer import RollupWriter
from tests.support.waiting import PATIENCE, read_until, wait_until
from tests.tracefile import writer as w
from tests.watch.test_following import _SECOND, _STARTED, Hours, Ring

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="rings are found in /proc")

_MINUTE = 60 * _SECOND


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "rings"
    path.mkdir(mode=0o700)
    return path


def calls_in(ring: Ring, first: int, seconds: range) -> None:
    """Add a call of a nanosecond each second; ticks are nanoseconds."""
    for second in seconds:
        start = w.track(1, 1000) if second == first else w.switch(1, second - first)
        ring.add(start, w.base(1000 + second * _SECOND), w.enter(2, 0), w.leave(2, 1))


def counts(parts: list[Part]) -> dict[int, int]:
    """Return the calls of windows by their starts, in seconds before or after the trace began."""
    found: Counter[int] = Counter()
    for part in parts:
        for rollup in part.rollups:
            for (window, _), row in rollup.figures.items():
                found[window // _SECOND - _STARTED] += row.calls
    return dict(found)


def following(folder: Path, hours: Hours, parts: list[Part], position: int = 0) -> Following:
    rolling = Rolling(_MINUTE, lambda _ring, _started: position, parts.append)
    return Following(folder, clocks=hours.clocks(), rolling=rolling)


def test_windows_and_a_watcher_that_is_replaced(folder: Path) -> None:
    ring, hours, parts = Ring(folder), Hours(), []
    watcher = following(folder, hours, parts)
    calls_in(ring, 1, range(1, 21))
    hours.since_start = 20.5  # the trace began 40 seconds after a full minute
    watcher.poll()
    assert parts == []
    calls_in(ring, 1, range(21, 60))
    hours.since_start = 59.5
    watcher.poll()
    assert counts(parts) == {-40: 19}
    watcher.roll_up()
    watcher.close()
    assert counts(parts) == {-40: 19, 20: 40}

    watcher = following(folder, hours, parts, parts[-1].position)
    watcher.poll()
    calls_in(ring, 1, range(60, 70))
    hours.since_start = 69.5
    watcher.poll()
    ring.set_flags(fmt.OVERWRITTEN | fmt.ENDED_CLEANLY)
    watcher.roll_up()
    watcher.close()
    assert counts(parts) == {-40: 19, 20: 50}
    assert len({rollup.recording for part in parts for rollup in part.rollups}) == 3


def test_a_machine_that_sleeps_for_hours(folder: Path) -> None:
    ring, hours, parts = Ring(folder), Hours(), []
    watcher = following(folder, hours, parts)
    calls_in(ring, 1, range(1, 11))
    hours.since_start = 40
    watcher.poll()
    sleep = 5 * 3600
    words = w.base(1000 + sleep * _SECOND), w.enter(2, 0), w.leave(2, 1)
    ring.add(w.switch(1, 10), *words)
    hours.since_start = sleep + 1
    watcher.poll()
    watcher.roll_up()
    watcher.close()
    assert counts(parts) == {-40: 10, sleep - 40: 1}


def test_the_open_calls_of_a_process_that_died_are_unfinished(folder: Path) -> None:
    ring, hours, parts = Ring(folder, runs=False), Hours(), []
    ring.add(w.track(1, 1000), w.enter(1, 10), w.enter(2, 20), w.leave(2, 50))
    watcher = following(folder, hours, parts)
    watcher.poll()
    watcher.close()
    (rollup,) = parts[-1].rollups
    rows = {rollup.chains[chain].function: row for (_, chain), row in rollup.figures.items()}
    assert sorted((row.calls, row.unfinished) for row in rows.values()) == [(1, 0), (1, 1)]
    again: list[Part] = []
    watcher = following(folder, hours, again, parts[-1].position)
    watcher.poll()
    watcher.close()
    assert counts(again) == {}


def test_what_was_lost_is_in_the_windows_of_that_time(folder: Path) -> None:
    ring, hours, parts = Ring(folder), Hours(), []
    watcher = following(folder, hours, parts)
    calls_in(ring, 1, range(1, 3))
    hours.since_start = 3
    watcher.poll()
    ring.add(w.switch(1, 5), w.base(1000 + 4 * _SECOND), w.enter(2, 0), w.leave(2, 1), skip=3)
    hours.since_start = 4.01
    watcher.poll()
    watcher.roll_up()
    watcher.close()
    (rollup,) = parts[-1].rollups
    (coverage,) = rollup.coverage.values()
    (sentence,) = coverage.missing
    assert "overwritten before functrace watch read them" in sentence
    assert coverage.seconds == pytest.approx(4, abs=0.1)


def test_a_window_of_which_everything_was_lost_has_a_row(folder: Path) -> None:
    ring, hours, parts = Ring(folder), Hours(), []
    watcher = following(folder, hours, parts)
    calls_in(ring, 1, range(1, 3))
    hours.since_start = 3
    watcher.poll()
    ring.add(w.switch(1, 5), w.base(1000 + 70 * _SECOND), skip=3)
    hours.since_start = 300
    watcher.poll()
    watcher.close()
    found = [each for part in parts for rollup in part.rollups for each in rollup.coverage.values()]
    assert [bool(each.missing) for each in found] == [True] * 5


# ---- the writer ----


def parts_of(folder: Path) -> list[Part]:
    """Return the parts of a ring with a call in each of two windows."""
    ring, hours, parts = Ring(folder, runs=False), Hours(), []
    calls_in(ring, 1, range(1, 81, 60))
    watcher = following(folder, hours, parts)
    watcher.poll()
    watcher.close()
    return parts


def stored_calls(place: Path) -> int:
    store = Store(str(place))
    return sum(
        sum(tables["chains"]["calls"].to_pylist())
        for partition in store.partitions()
        for _, tables in store.read(partition)
    )


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    return path


def test_a_store_that_is_away(
    folder: Path, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rollups are kept, over the end of a watcher too, and one line says so."""
    monkeypatch.setattr(rollup_writer, "_RETRY_S", 0.02)
    place, lines = tmp_path / "store", []
    place.write_text("in the way of a folder")
    parts = parts_of(folder)
    writer = RollupWriter(str(place), state, lines.append)
    writer.start()
    for part in parts:
        writer.put(part)
    wait_until(lambda: writer.position(parts[0].ring, parts[0].started) > 0)
    writer.end(PATIENCE)
    assert [line.partition(":")[0] for line in lines] == [f"cannot write rollups to {place}"]

    lines.clear()
    writer = RollupWriter(str(place), state, lines.append)
    assert writer.position(parts[0].ring, parts[0].started) == parts[-1].position
    assert writer.position(parts[0].ring, parts[0].started + 1) == 0
    writer.start()
    wait_until(lambda: bool(lines))
    place.unlink()
    wait_until(lambda: len(lines) > 1)
    writer.end(PATIENCE)
    assert lines[1] == f"writing rollups to {place} again"
    assert stored_calls(place) == 2


def test_a_writer_that_is_killed_before_it_has_removed_what_it_wrote(
    folder: Path, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "store"
    parts = parts_of(folder)
    for _ in range(2):  # the second one finds what the first one did not remove
        writer = RollupWriter(str(place), state, lambda _: None)
        with monkeypatch.context() as patched:
            patched.setattr(Store, "remove", lambda _self, _stored: None)
            writer.start()
            list(map(writer.put, parts))
            writer.end(PATIENCE)
    writer = RollupWriter(str(place), state, lambda _: None)
    writer.start()
    writer.end(PATIENCE)
    assert stored_calls(place) == 2


def test_the_oldest_rollups_are_dropped_beyond_a_limit(
    folder: Path, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollup_writer, "_MAX_KEPT_BYTES", 100)
    place, lines = tmp_path / "store", []
    place.write_text("in the way of a folder")
    writer = RollupWriter(str(place), state, lines.append)
    writer.start()
    for part in parts_of(folder):
        writer.put(part)
    wait_until(lambda: any("dropped" in line for line in lines))
    writer.end(PATIENCE)
    assert not list(state.rglob("*.parquet"))


# ---- the command ----

_SHOP = """
import sys

def get(item):
    return item

def serve(count):
    for item in range(count):
        get(item)

for line in sys.stdin:
    serve(int(line))
    print("served", flush=True)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    (tmp_path / "shop.py").write_text(_SHOP)

    def start(*words: str, **variables: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "FUNCTRACE_RING_DIR": str(tmp_path / "rings"), **variables}
        process = subprocess.Popen(
            [sys.executable, "-m", "functrace", *words],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        with process:
            process.wait(PATIENCE)


@pytest.mark.slow
def test_each_call_is_in_the_store_once(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """Over a watcher that is killed, one that is ended, and the end of the program."""
    store = tmp_path / "store"
    config = tmp_path / "watch.toml"
    config.write_text(f'[rollup]\nstore = "{store}"\nwindow = "1s"\n')
    watch = ("watch", "--out", str(tmp_path / "out"), "--config", str(config))
    release = {"FUNCTRACE_RELEASE": "1.5", "FUNCTRACE_SERVICE": "shop"}
    shop = start("run", "shop.py", FUNCTRACE="ring", **release)

    def serve(count: int) -> None:
        assert shop.stdin is not None
        shop.stdin.write(f"{count}\n")
        shop.stdin.flush()
        read_until(shop.stdout, "served")

    serve(1000)
    watcher = start(*watch)
    read_until(watcher.stderr, "following shop")
    serve(200)
    wait_until(lambda: store.exists() and stored_calls(store) > 0)
    watcher.kill()
    watcher.wait(PATIENCE)
    serve(30)
    watcher = start(*watch)
    read_until(watcher.stderr, "following shop")
    serve(4)
    watcher.send_signal(signal.SIGTERM)
    assert watcher.wait(PATIENCE) == 0
    serve(5000)
    watcher = start(*watch)
    read_until(watcher.stderr, "following shop")
    assert shop.stdin is not None
    shop.stdin.close()
    assert shop.wait(PATIENCE) == 0
    read_until(watcher.stderr, "has ended: clean")
    watcher.send_signal(signal.SIGTERM)
    assert watcher.wait(PATIENCE) == 0

    found: Counter[tuple[str, str, str]] = Counter()
    reader = Store(str(store))
    for partition in reader.partitions():
        for _, tables in reader.read(partition):
            for row in tables["chains"].to_pylist():
                found[partition.service, row["release"], row["function"]] += row["calls"]
    assert found["shop", "1.5", "__main__.get"] == 6234
    assert found["shop", "1.5", "__main__.serve"] == 5
