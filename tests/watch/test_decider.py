"""Which windows give a bundle: one per fault, within cooldowns and the limit on all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from functrace.watch.decider import Decider
from functrace.watch.figures import Figures, OpenCall, RingProcess
from tests.watch.made_up import (
    CHECK,
    DIRECT,
    GET,
    HANDLE,
    MAIN,
    SHOP,
    START,
    Calls,
    configured,
    decide,
    figures,
)

OTHER = RingProcess("shop", 4712, "816", Path("/rings/shop-4712-816.ftrace"), "go")
CAR = RingProcess("car", 9, "9", Path("/rings/car-9-9.ftrace"), "go")


def _spikes(*starts: int, last: int = 1000, **others: Any) -> Iterator[Figures]:
    """Yield windows with 20 seconds of CPU time at each of ``starts``."""
    for second in range(last):
        is_spike = any(start <= second < start + 20 for start in starts)
        yield figures(second, cpu_cores=2.0 if is_spike else 0.1, **others)


def test_a_cooldown_separates_firings_of_a_trigger() -> None:
    found = decide(Decider(configured(["cpu"])), _spikes(100, 300, 800))
    assert [round(firing.at - START) for firing in found.firings] == [109, 809]
    (note,) = found.notes
    assert note.startswith("shop (4711): cpu: CPU: 2.00 cores, above 0.50 cores")
    assert "cooldown" in note


def test_a_fault_that_lasts_beyond_a_cooldown_was_reported() -> None:
    config = configured(["cpu"], cpu={"cooldown_s": 60.0, "diff": None, "above": 0.5})
    windows = (figures(s, cpu_cores=2.0 if s >= 100 else 0.1) for s in range(600))
    assert len(decide(Decider(config), windows).firings) == 1


def test_a_fault_that_began_in_a_cooldown_fires_when_that_ends() -> None:
    config = configured(["cpu"], cpu={"cooldown_s": 100.0, "diff": None, "above": 0.5})
    windows = (figures(s, cpu_cores=2.0 if 100 <= s < 110 or s >= 150 else 0.1) for s in range(600))
    found = decide(Decider(config), windows)
    assert [round(firing.at - START) for firing in found.firings] == [109, 209]


def test_instances_of_a_service_share_a_cooldown() -> None:
    decider = Decider(configured(["cpu"]))
    together = zip(
        _spikes(100), _spikes(100, process=OTHER), _spikes(100, process=CAR), strict=True
    )
    found = decide(decider, (window for windows in together for window in windows))
    assert [firing.process.name for firing in found.firings] == ["shop", "car"]


def test_a_limit_holds_over_all_triggers_and_programs() -> None:
    decider = Decider(configured(["cpu", "died"], bundles_per_hour=2))
    found = decide(decider, _spikes(100))
    found.firings += decide(decider, _spikes(100, process=CAR)).firings
    later = decide(decider, [figures(1001, process=OTHER, ended="died")])
    assert found.triggers() == ["cpu", "cpu"]
    assert later.triggers() == []
    assert "limit of 2 an hour" in later.notes[0]
    again = replace(CAR, pid=10)
    assert decide(decider, [figures(4000, process=again, ended="died")]).triggers() == ["died"]


def _failures(text: str = "locked", **others: Any) -> Iterator[Figures]:
    for second in range(200):
        failed = 50 if second >= 100 else 0
        calls = [Calls(chain, 100, failed, text) for chain in (HANDLE, GET, CHECK)]
        yield figures(second, *calls, **others)


def test_two_triggers_of_one_fault_give_one_bundle() -> None:
    found = decide(Decider(configured()), _failures())
    (firing,) = found.firings
    assert firing.trigger == "failure-rate"
    assert firing.chain == ("main.handle", "store.Get", "store.check")
    assert firing.also_true == (
        "new-error: 50 failing calls of store.check with a new text: locked",
    )
    assert found.notes == []


def test_what_fires_soon_after_is_the_same_fault() -> None:
    def windows() -> Iterator[Figures]:
        for window in _failures():
            second = window.end - START
            yield replace(window, cpu_cores=2.0 if second > 110 else 0.1)

    found = decide(Decider(configured()), windows())
    assert found.triggers() == ["failure-rate"]
    (note,) = found.notes
    assert "cpu" in note
    assert "same fault as the last one" in note


def test_a_death_that_follows_a_panic_is_the_same_fault() -> None:
    windows = [
        *(figures(second, Calls(HANDLE, 9)) for second in range(60)),
        figures(60, Calls(HANDLE, 9, 1, "nil map", 1)),
        figures(61, ended="died"),
    ]
    (firing,) = decide(Decider(configured()), windows).firings
    assert firing.trigger == "panic"
    assert firing.also_true[0].startswith("died: the process was killed or crashed")


def test_another_fault_later_gives_another_bundle() -> None:
    def windows() -> Iterator[Figures]:
        yield from _failures()
        for second in range(200, 300):
            yield figures(second, Calls(MAIN, 9, 9, "full", 1), Calls(DIRECT, 9, 9, "full", 1))

    found = decide(Decider(configured()), windows())
    assert found.triggers() == ["failure-rate", "panic"]


def test_a_restarted_watcher_knows_what_fired() -> None:
    def hang(first: int, last: int) -> Iterator[Figures]:
        for second in range(first, last):
            is_open = second > 100
            calls = [OpenCall(GET, 7, (second - 100) * 10**9, False)] if is_open else []
            usual = [Calls(HANDLE, 100), Calls(GET, 100)]
            yield figures(second, *usual, open_calls=calls)

    config = configured(["hang", "died"], hang={"cooldown_s": 1.0})
    before = decide(Decider(config), hang(0, 200)).firings
    assert [firing.trigger for firing in before] == ["hang"]
    after = Decider(config, before)
    assert decide(after, hang(90, 400)).firings == []

    died = decide(Decider(config), [figures(5, process=CAR, ended="died")]).firings
    again = [figures(900, process=CAR, ended="died")]
    assert decide(Decider(config, died), again).firings == []


def test_a_held_fault_is_shown_before_it_is_settled() -> None:
    decider = Decider(configured(settle_s=2.0))
    decisions = [decider.decide(window) for window in _failures()]
    held = [decision for decision in decisions if decision.held]
    settled = [decision for decision in decisions if decision.settled]
    assert {fault.id for d in held for fault in d.held} == {settled[0].settled[0].id}
    assert decisions.index(held[0]) < decisions.index(settled[0])


def test_new_settings_keep_the_past_of_unchanged_triggers() -> None:
    decider = Decider(configured(["cpu", "threads"]))
    decide(decider, _spikes(last=99))
    decider.reconfigure(configured(["cpu"], cpu={"cooldown_s": 9.0}))
    found = decide(decider, (figures(s, cpu_cores=2.0, threads=9000) for s in range(99, 110)))
    assert found.triggers() == []  # cpu learns again, threads is off
    decider = Decider(configured(["cpu", "threads"]))
    decide(decider, _spikes(last=99))
    decider.reconfigure(configured(["cpu"], bundles_per_hour=1))
    assert decide(decider, (figures(s, cpu_cores=2.0) for s in range(99, 110))).triggers() == [
        "cpu"
    ]


def test_a_bundle_by_hand() -> None:
    decider = Decider(configured())
    decide(decider, [figures(5)])
    firing = decider.by_hand(SHOP, START + 6)
    assert (firing.trigger, firing.process) == ("by-hand", SHOP)
    assert "window" in firing.values
    assert "window" not in decider.by_hand(CAR, START + 6).values
