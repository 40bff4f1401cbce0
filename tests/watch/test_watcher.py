"""The loop of the watcher: no bundle is lost or made twice, whenever it is stopped or killed."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from functrace.errors import FunctraceError, UsageError
from functrace.watch.bundle_names import is_bundle_name
from functrace.watch.config import Config, Service
from functrace.watch.figures import Figures, RingProcess
from functrace.watch.state_folder import StateFolder, find_states, state_path
from functrace.watch.watcher import Asked, Watcher
from tests.support.pythons import ROOT
from tests.support.waiting import PATIENCE, wait_until
from tests.watch import firings
from tests.watch.made_up import START, configured, figures


class _Scripted:
    """Windows of a test, one list for each step."""

    def __init__(self, *steps: list[Figures]) -> None:
        self._steps = list(steps)

    def poll(self) -> list[Figures]:
        return self._steps.pop(0) if self._steps else []


@pytest.fixture
def process(tmp_path: Path) -> RingProcess:
    ring = firings.ring(tmp_path / "rings")
    return RingProcess("shop", 4711, "815", ring, "go")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFolder]:
    folder = StateFolder(tmp_path / "state")
    folder.create()
    with folder.locked():
        yield folder


class _Watched:
    """A watcher whose steps a test takes."""

    def __init__(self, tmp_path: Path, state: StateFolder) -> None:
        self.out = tmp_path / "out"
        self.lines: list[str] = []
        self._state = state

    def watcher(
        self,
        *steps: list[Figures],
        config: Config | None = None,
        load: Callable[[], Config] | None = None,
    ) -> Watcher:
        config = config or configured(["died"])
        following = _Scripted(*steps)
        return Watcher(following, config, str(self.out), self._state, self.lines.append, load)

    def bundles(self) -> list[str]:
        if not self.out.exists():
            return []
        return [
            path.name for path in self.out.iterdir() if is_bundle_name(path.name) and path.is_dir()
        ]


@pytest.fixture
def watched(tmp_path: Path, state: StateFolder) -> _Watched:
    return _Watched(tmp_path, state)


def _now(**others: object) -> Figures:
    return figures(time.time() - START, **others)  # type: ignore[arg-type]


def _run_to_end(watcher: Watcher) -> None:
    """Run a watcher that ends at once, after it has saved what is pending."""
    watcher.start()
    watcher.end()
    watcher.run()


def test_a_firing_gives_a_bundle(
    process: RingProcess, watched: _Watched, state: StateFolder
) -> None:
    watcher = watched.watcher([_now(process=process)], [_now(process=process, ended="died")])
    watcher.step()
    watcher.step()
    (firing,) = state.pending().values()
    assert firing.trigger == "died"
    _run_to_end(watcher)
    assert state.pending() == {}
    assert state.fired() == [firing]
    (name,) = watched.bundles()
    why = json.loads((watched.out / name / "why.json").read_text())
    assert (why["trigger"], why["process"]["pid"]) == ("died", 4711)
    assert why["values"]["window"]["ended"] == "died"
    assert any(line == f"saved {watched.out / name}" for line in watched.lines)


def test_a_firing_that_was_not_saved_is_saved_by_the_next_watcher(
    process: RingProcess, watched: _Watched, state: StateFolder
) -> None:
    first = watched.watcher([_now(process=process)], [_now(process=process, ended="died")])
    first.step()
    first.step()
    (firing,) = state.pending().values()
    _run_to_end(watched.watcher([_now(process=process, ended="died")]))
    assert state.fired() == [firing]
    assert len(watched.bundles()) == 1
    _run_to_end(watched.watcher([_now(process=process, ended="died")]))
    assert len(watched.bundles()) == 1


def test_a_held_fault_is_pending_and_saved_at_the_end(
    process: RingProcess, watched: _Watched, state: StateFolder
) -> None:
    config = configured(["threads"], settle_s=1000.0)
    watcher = watched.watcher([_now(process=process, threads=9000)], config=config)
    watcher.step()
    assert [firing.trigger for firing in state.pending().values()] == ["threads"]
    assert watched.bundles() == []
    _run_to_end(watcher)
    assert len(watched.bundles()) == 1


def test_what_had_died_before_the_first_watcher_is_no_news(
    process: RingProcess, watched: _Watched, state: StateFolder
) -> None:
    old = replace(_now(process=process, ended="died"), end=time.time() - 60)
    watched.watcher([old]).step()
    assert state.pending() == {}


def test_what_died_between_two_watchers_is_news(
    process: RingProcess, watched: _Watched, state: StateFolder
) -> None:
    watched.watcher([_now(process=process)]).step()
    old = replace(_now(process=process, ended="died"), end=time.time() - 60)
    watched.watcher([old]).step()
    assert [firing.trigger for firing in state.pending().values()] == ["died"]


def test_a_second_watcher_is_refused(state: StateFolder) -> None:
    message = r"is running already, process \d+; stop it"
    with pytest.raises(FunctraceError, match=message), StateFolder(state.path).locked():
        pass


def test_states_of_running_watchers_are_found(tmp_path: Path) -> None:
    rings = tmp_path / "rings"
    first, second = (state_path(str(tmp_path / name), rings) for name in "ab")
    assert first == state_path(str(tmp_path / "a"), rings) != second
    for path in (first, second):
        StateFolder(path).create()
    with StateFolder(first).locked():
        assert find_states(rings) == [first]
    assert find_states(rings) == []


def test_a_state_folder_of_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    with pytest.raises(FunctraceError, match="not a folder that only its user can use"):
        StateFolder(tmp_path / "open").create()


def test_a_wrong_configuration_leaves_the_one_before(
    process: RingProcess, watched: _Watched, state: StateFolder
) -> None:
    found: list[Config] = []

    def load() -> Config:
        if not found:
            raise UsageError("watch.toml:1: a: unknown key", "watch.toml:2: b: unknown key")
        return found[0]

    watcher = watched.watcher(
        [_now(process=process)],
        [_now(process=process)],
        [_now(process=process, threads=9000)],
        config=configured(["cpu"], settle_s=0.0),
        load=load,
    )
    watcher.reload()
    watcher.step()
    assert watched.lines[:3] == [
        "watch.toml:1: a: unknown key",
        "watch.toml:2: b: unknown key",
        "the configuration is invalid; the one before stays in use",
    ]
    found.append(configured(["threads"], settle_s=0.0))
    watcher.reload()
    watcher.step()
    assert "the configuration was read again" in watched.lines
    watcher.step()
    assert [firing.trigger for firing in state.pending().values()] == ["threads"]


@pytest.mark.parametrize("target", ["shop", "4711", "sh*", "pay"])
def test_bundles_by_hand(
    target: str, process: RingProcess, watched: _Watched, state: StateFolder
) -> None:
    service = Service("shop", group="pay", triggers=configured().triggers)
    config = replace(configured(), services=(service,))
    watcher = watched.watcher([_now(process=process)], [], config=config)
    watcher.step()
    asked = Asked(target)
    watcher.ask(asked)
    watcher.step()
    assert asked.done.is_set()
    assert asked.error is None
    assert list(state.pending()) == asked.identifiers
    (bundle,) = watcher.snapshot.bundles
    assert (bundle["id"], bundle["state"]) == (asked.identifiers[0], "pending")


def test_a_target_that_nothing_matches(process: RingProcess, watched: _Watched) -> None:
    watcher = watched.watcher([_now(process=process)])
    asked = Asked("car")
    watcher.ask(asked)
    watcher.step()
    assert asked.error == "car: no process or group of this name is followed"


def test_a_bundle_whose_ring_is_gone_is_lost(
    process: RingProcess, watched: _Watched, state: StateFolder
) -> None:
    watcher = watched.watcher([_now(process=process)], [_now(process=process, ended="died")])
    watcher.step()
    watcher.step()
    process.ring.unlink()
    _run_to_end(watcher)
    assert state.pending() == {}
    assert "was removed before it was saved; a bundle is lost" in watched.lines[-1]


def test_a_bundle_that_cannot_be_saved_stays_pending(
    process: RingProcess, watched: _Watched, state: StateFolder
) -> None:
    watched.out.write_text("a file is in the way")
    watcher = watched.watcher([_now(process=process)], [_now(process=process, ended="died")])
    watcher.step()
    watcher.step()
    _run_to_end(watcher)
    assert len(state.pending()) == 1
    assert "trying again later" in watched.lines[-1]


def test_a_watcher_that_is_killed_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    """SIGKILL and SIGTERM at random moments: one bundle for each process that died."""
    ring = firings.ring(tmp_path / "rings")
    rings = [ring.with_name(f"shop-{pid}-815.ftrace") for pid in range(1, 5)]
    for each in rings:
        shutil.copy(ring, each)
    state = StateFolder(tmp_path / "state")
    command = [sys.executable, "-m", "tests.watch.watcher_of_deaths"]
    command += [str(tmp_path / "deaths.json"), str(tmp_path / "out"), str(state.path)]

    never = dict.fromkeys(map(str, rings), 1e18)
    (tmp_path / "deaths.json").write_text(json.dumps(never))
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    wait_until(lambda: (state.followed() or (0, frozenset()))[1] == never.keys())
    process.kill()
    process.wait(PATIENCE)
    deaths = {str(each): time.time() + 1 + index for index, each in enumerate(rings)}
    (tmp_path / "deaths.json").write_text(json.dumps(deaths))
    chance = random.Random(7)
    longest = 1.0  # it grows, so that a slow machine comes to save a bundle
    while len(state.fired()) < len(rings) and longest < PATIENCE:
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        threading.Event().wait(chance.uniform(0.3, longest))
        longest *= 1.3
        process.send_signal(chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
        process.wait(PATIENCE)
    assert state.pending() == {}
    bundles = [path for path in (tmp_path / "out").iterdir() if is_bundle_name(path.name)]
    folders = sorted(path.name for path in bundles if path.is_dir())
    assert [name.split("-")[1] for name in folders] == ["1", "2", "3", "4"]
    for name in folders:
        assert (tmp_path / "out" / f"{name}.zip").exists()
        assert len(list((tmp_path / "out" / name).glob("*.ftrace"))) == 1
