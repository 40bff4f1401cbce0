"""Each trigger fires once on its fault, and not on what a healthy program does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functrace.watch.decider import Decider
from functrace.watch.figures import Figures, OpenCall
from functrace.watch.triggers import KINDS
from functrace.watch.triggers.panic import Panic, PanicSettings
from tests.watch.made_up import (
    CHECK,
    DIRECT,
    GET,
    HANDLE,
    LOOP,
    MAIN,
    SHOP,
    START,
    STARTED,
    Calls,
    Outcome,
    configured,
    decide,
    figures,
)

HEALTHY = [Calls(HANDLE, 100), Calls(GET, 100), Calls(CHECK, 100, failed=2)]
PYTHON = replace(SHOP, language="python")


def _run(name: str, windows: Iterator[Figures], **changes: Any) -> Outcome:
    return decide(Decider(configured([name], **changes)), windows)


def _healthy(seconds: int, **others: Any) -> Iterator[Figures]:
    yield from (figures(second, *HEALTHY, **others) for second in range(seconds))


def _then(*calls: Calls, healthy: int = 120, last: int = 240, **others: Any) -> Iterator[Figures]:
    """Yield healthy windows, then those of a fault."""
    yield from _healthy(healthy)
    yield from (figures(second, *(calls or HEALTHY), **others) for second in range(healthy, last))


def _failing(failed: int, of: int = 100) -> list[Calls]:
    return [Calls(HANDLE, of), Calls(GET, of, failed), Calls(CHECK, of, failed)]


def _open(second: float, since: float, chain: int = CHECK, **others: Any) -> OpenCall:
    return OpenCall(chain, 7, round((second - since) * 1e9), **{"suspended": False, **others})


def _hanging(*chains: int, since: float = 100.4, suspended: bool = False) -> Iterator[Figures]:
    yield from _healthy(101)
    for second in range(101, 400):
        calls = [_open(second, since, chain, suspended=suspended) for chain in chains]
        yield figures(second, *HEALTHY, open_calls=calls)


FAULTS: dict[str, tuple[str, Callable[[], Iterator[Figures]], dict[str, Any], str]] = {
    "cpu spike": (
        "cpu",
        lambda: _then(cpu_cores=0.98),
        {},
        (
            "CPU: 0.98 cores, above 0.50 cores in 10 consecutive windows;"
            " the average of the last 60s is 0.10 cores"
        ),
    ),
    "one function that spins": (
        "cpu",
        lambda: (
            figures(s, *HEALTHY, *[Calls(LOOP, 10**6)] * (s >= 120), cpu_cores=0.1 + (s >= 120))
            for s in range(240)
        ),
        {},
        (
            "CPU: 1.10 cores, above 0.50 cores in 10 consecutive windows;"
            " the average of the last 60s is 0.10 cores"
        ),
    ),
    "memory near its limit": (
        "memory",
        lambda: _then(rss_bytes=910_000_000),
        {"memory": {"diff": None}},
        (
            "memory: 91.0% of the limit, above 90.0% of the limit in 2 consecutive windows;"
            " the average of the last 60s is 10.0% of the limit"
        ),
    ),
    "goroutine leak": (
        "tracks",
        lambda: (figures(s, live_tracks=20 + max(0, s - 120) * 50) for s in range(240)),
        {},
        "live tracks: 620, above 500 in 3 consecutive windows; the average of the last 60s is 52",
    ),
    "threads at once": (
        "threads",
        lambda: _then(threads=6000),
        {},
        "threads: 6,000, above 5,000; the average of the last 60s is 8",
    ),
    "failures rise": (
        "failure-rate",
        lambda: _then(*_failing(30)),
        {},
        "store.check: 38 of 500 calls failed (7.6%) in 5 windows, before 2.0%: locked",
    ),
    "a new text": (
        "new-error",
        lambda: _then(Calls(GET, 9, 3, "disk 7 full"), Calls(CHECK, 9, 3, "disk 7 full")),
        {},
        "6 failing calls of store.check with a new text: disk 7 full",
    ),
    "a new chain": (
        "new-error",
        lambda: (
            figures(s, Calls(HANDLE, 9, 9), Calls(GET, 9, 9))
            if s < 90
            else figures(s, Calls(MAIN, 9, 9), Calls(DIRECT, 9, 9))
            for s in range(200)
        ),
        {},
        "9 failing calls of store.Get through a chain that never failed before: locked",
    ),
    "a panic": (
        "panic",
        lambda: _then(Calls(HANDLE, 9, 1, "nil map", 1), Calls(GET, 9, 1, "nil map", 1)),
        {},
        "1 call of store.Get panicked: nil map",
    ),
    "an uncaught exception of a thread": (
        "panic",
        lambda: _then(Calls(STARTED, 9, 1, "KeyError: 1", 1), process=PYTHON, healthy=0),
        {"panic": {"learning_s": 0.0}},
        "1 call of main.handle ended with an uncaught exception: KeyError: 1",
    ),
    "an uncaught exception": (
        "panic",
        lambda: _then(Calls(HANDLE, 9, 1, "KeyError: 'a'", 1), process=PYTHON, healthy=0),
        {"panic": {"learning_s": 0.0}},
        "1 call of main.handle ended with an uncaught exception: KeyError: 'a'",
    ),
    "a slow call": (
        "slow-call",
        lambda: _then(Calls(GET, 3, ns=3_000_000_000)),
        {"slow_call": {"above_s": 2.0}},
        "a call of store.Get took 3.00s, above 2.00s; 3 calls of it ended in this window",
    ),
    "slow calls": (
        "p99",
        lambda: _then(Calls(GET, 100, ns=1_000_000_000)),
        {},
        "p99 of store.Get is 1.00s, above 250ms, 3 times in a row over 5 windows, before 1.00µs",
    ),
    "a hang": (
        "hang",
        lambda: _hanging(HANDLE, GET, CHECK),
        {},
        "a call of store.check has been open for 30.6s; 13,200 earlier calls took at most 1.00µs",
    ),
    "a hang in a new function": (
        "hang",
        lambda: _hanging(HANDLE, GET, LOOP),
        {"hang": {"outermost": True}},
        "a call of store.Get has been open for 30.6s; 13,200 earlier calls took at most 1.00µs",
    ),
    "too few calls": (
        "call-rate",
        lambda: _then(Calls(GET, 3)),
        {"call_rate": {"functions": ("store.*",), "below": 50.0}},
        "3.0 calls/s of store.*, below 50.0 in 5 consecutive windows",
    ),
    "a death": (
        "died",
        lambda: _then(healthy=60, last=61, ended="died", rss_bytes=None),
        {},
        (
            "the process was killed or crashed: its ring is not marked as ended cleanly;"
            " it had 100.0 MB (10.0% of the limit)"
        ),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_fires_once(fault: str) -> None:
    name, windows, changes, summary = FAULTS[fault]
    found = _run(name, windows(), **changes)
    assert found.triggers() == [name]
    assert found.firings[0].summary == summary


def test_every_trigger_has_a_fault() -> None:
    assert {name for name, *_ in FAULTS.values()} == KINDS.keys()


QUIET: dict[str, tuple[str, Callable[[], Iterator[Figures]], dict[str, Any]]] = {
    "a short spike": ("cpu", lambda: _then(cpu_cores=2.0, last=124), {}),
    "three times the requests": (
        "cpu",
        lambda: (
            figures(s, *_failing(0, of=100 + 200 * (s >= 120)), cpu_cores=0.3 + 0.6 * (s >= 120))
            for s in range(300)
        ),
        {},
    ),
    "work at the start": (
        "cpu",
        lambda: (figures(s, cpu_cores=0.05 if s < 10 else 0.9) for s in range(300)),
        {},
    ),
    "no limit on memory": ("memory", lambda: _then(memory_limit_bytes=None), {}),
    "tracks that come and go": (
        "tracks",
        lambda: (figures(s, live_tracks=400 + 90 * (s % 2)) for s in range(300)),
        {},
    ),
    "an incomplete count of tracks": (
        "tracks",
        lambda: _then(live_tracks=9000, is_incomplete=True),
        {},
    ),
    "few calls": ("failure-rate", lambda: _then(*_failing(1, of=1)), {}),
    "failures from the start": (
        "failure-rate",
        lambda: (figures(s, *_failing(100)) for s in range(300)),
        {},
    ),
    "failures in incomplete windows": (
        "failure-rate",
        lambda: _then(*_failing(100), is_incomplete=True),
        {},
    ),
    "a number in a known text": (
        "new-error",
        lambda: (figures(s, Calls(HANDLE, 9, 9, f"item {s} is locked")) for s in range(300)),
        {},
    ),
    "a new text that the caller handles": (
        "new-error",
        lambda: _then(Calls(GET, 9), Calls(CHECK, 9, 9, "missing")),
        {},
    ),
    "a rare text": (
        "new-error",
        lambda: (
            figures(s, Calls(HANDLE, 9, int(s % 60 == 0), f"at {chr(97 + s // 60)}"))
            for s in range(61, 900)
        ),
        {},
    ),
    "an error is no panic": ("panic", lambda: _then(*_failing(50)), {}),
    "an exit is no exception": (
        "panic",
        lambda: _then(Calls(HANDLE, 9, 1, "SystemExit: 0", 1), process=PYTHON, healthy=0),
        {"panic": {"learning_s": 0.0}},
    ),
    "an exception that is caught": (
        "panic",
        lambda: _then(Calls(GET, 9, 1, "KeyError: 1", 1), process=PYTHON, healthy=0),
        {"panic": {"learning_s": 0.0}},
    ),
    "slow calls without a limit": (
        "slow-call",
        lambda: _then(Calls(GET, 1, ns=3_000_000_000)),
        {},
    ),
    "few slow calls": ("p99", lambda: _then(Calls(GET, 19, ns=3_000_000_000)), {}),
    "an outermost call": ("hang", lambda: _hanging(HANDLE), {}),
    "an outermost call of a goroutine": ("hang", lambda: _hanging(STARTED), {}),
    "a loop that never ended": ("hang", lambda: _hanging(MAIN, LOOP), {}),
    "a suspended call": ("hang", lambda: _hanging(GET, CHECK, suspended=True), {}),
    "a call that began before": ("hang", lambda: _hanging(GET, CHECK, since=-5), {}),
    "a call that often takes long": (
        "hang",
        lambda: (
            figures(s, Calls(GET, 9, ns=60_000_000_000), open_calls=[_open(s, s // 90 * 90, GET)])
            for s in range(900)
        ),
        {},
    ),
    "no band": ("call-rate", lambda: _then(Calls(GET, 1)), {}),
    "a clean end": ("died", lambda: _then(healthy=60, last=61, ended="clean"), {}),
}


@pytest.mark.parametrize("case", QUIET)
def test_what_is_usual_does_not_fire(case: str) -> None:
    name, windows, changes = QUIET[case]
    assert _run(name, windows(), **changes).triggers() == []


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_half_an_hour_of_noise_does_not_fire(seed: int) -> None:
    """Load, failures and resources of a healthy server vary from second to second."""
    random = np.random.default_rng(seed)

    def windows() -> Iterator[Figures]:
        for second in range(1800):
            calls = int(random.poisson(80))
            failed = int(random.binomial(calls, 0.04))
            waits = int(np.clip(random.exponential(4), 1, 25))
            yield figures(
                second,
                Calls(HANDLE, calls, ns=int(random.exponential(2e6))),
                Calls(GET, calls, failed, f"item {second} is locked"),
                Calls(CHECK, calls, failed, f"item {second} is locked"),
                Calls(LOOP, 1),
                cpu_cores=float(np.clip(random.normal(0.4, 0.07), 0, 2)),
                rss_bytes=int(random.normal(300e6, 20e6)),
                live_tracks=int(random.poisson(200)),
                threads=int(random.poisson(12)),
                is_incomplete=bool(random.random() < 0.05),
                open_calls=[
                    _open(second, -100, MAIN),
                    _open(second, second - waits, GET),
                    _open(second, second - waits, CHECK),
                ],
            )

    found = decide(Decider(configured()), windows())
    assert found.triggers() == []
    assert found.notes == []


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.3, 1.0))
def test_failures_that_rise_in_noise_fire_once(seed: int, rate: float) -> None:
    random = np.random.default_rng(seed)

    def windows() -> Iterator[Figures]:
        for second in range(300):
            calls = int(random.poisson(40))
            failed = int(random.binomial(calls, rate if second >= 100 else 0.03))
            yield figures(
                second,
                Calls(HANDLE, calls),
                Calls(GET, calls, failed),
                Calls(CHECK, calls, failed),
            )

    found = _run("failure-rate", windows())
    assert found.triggers() == ["failure-rate"]
    (firing,) = found.firings
    assert firing.chain == ("main.handle", "store.Get", "store.check")
    assert firing.function == "store.check"
    assert firing.file == "shop.go"
    assert START + 100 <= firing.at < START + 110


def test_a_gauge_says_why_nothing_fired() -> None:
    decider = Decider(configured(["cpu", "slow-call", "memory"]))
    decide(decider, _healthy(100))
    decide(decider, [figures(100, cpu_cores=0.45)])
    decide(decider, [figures(101, memory_limit_bytes=None)])
    standings = {each["trigger"]: each for each in decider.standings(START + 101)}
    cpu = standings["cpu"]
    assert (cpu["value"], cpu["threshold"], cpu["unit"]) == (0.1, 0.5, "cores")
    assert (cpu["close_at"], cpu["close_value"]) == (START + 100, 0.45)
    assert standings["slow-call"]["note"] == "`above` is not set"
    assert standings["memory"]["note"] == "its memory has no limit, or cannot be read"


def test_an_uncaught_exception_is_blamed_on_the_call_that_raised_it() -> None:
    texts = (("KeyError: 1", STARTED), ("KeyError: 1", CHECK), ("KeyError: 1", HANDLE))
    failed = [Calls(chain, 9, 1, text, 1) for text, chain in texts]
    window = figures(1, *failed, process=PYTHON)
    found = Panic(PanicSettings(learning_s=0.0)).observe(window)
    assert {(each.subject, each.chain) for each in found} == {(STARTED, STARTED), (HANDLE, CHECK)}
