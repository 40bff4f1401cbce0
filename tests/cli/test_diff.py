"""functrace diff: changes, and differences that may be due to chance."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.tracefile import writer as w

MAIN, SELL, PRICE, WORK = 1, 2, 3, 4
Call = tuple[int, int, bool]
"""function, nanoseconds, whether it fails"""


def _trace(calls: Iterable[Call], *, inside: int = 0) -> bytes:
    """Return a trace: main.main calls functions in sequence, and each calls an inner one."""
    words = [w.track(1, 1000), w.enter(MAIN, 0)]
    now = 10
    for function, duration, fails in calls:
        words.append(w.enter(function, now))
        if inside:
            words += [w.enter(inside, now + 1), w.leave(inside, now + 2)]
        now += duration
        words += [w.error("item 13 is locked")] if fails else []
        words.append(w.leave(function, now))
        now += 5
    words.append(w.leave(MAIN, now))
    return w.header() + w.FUNCTIONS + w.events(2, *words)


def _varied(count: int, typical: int) -> list[int]:
    """Durations around one, the same each time."""
    return [typical + (n * 7919) % (typical // 5) for n in range(count)]


@pytest.fixture
def diff(module: Path, functrace: Run):  # type: ignore[no-untyped-def]
    def run(before: bytes | list[bytes], after: bytes | list[bytes], *options: str) -> str:
        for name, traces in (("a", before), ("b", after)):
            (module / name).mkdir()
            for n, trace in enumerate([traces] if isinstance(traces, bytes) else traces):
                (module / name / f"{n}.ftrace").write_bytes(trace)
        done = functrace("diff", "a", "b", *options)
        assert done.stderr == ""
        return f"{done.stdout}{done.returncode}"

    return run


NOTHING = "no change beyond chance\n"


def test_same_program_that_ran_longer(diff) -> None:  # type: ignore[no-untyped-def]
    short, long = (
        _trace([(SELL, ns, n % 10 == 0) for n, ns in enumerate(_varied(count, 5000))])
        for count in (100, 1000)
    )
    assert diff(short, long, "--exit-code") == NOTHING + "0"


def test_slower(diff) -> None:  # type: ignore[no-untyped-def]
    before, after = (
        _trace([(SELL, ns, False) for ns in _varied(100, typical)] + [(PRICE, 500, False)] * 50)
        for typical in (5000, 9000)
    )
    assert diff(before, after, "--exit-code") == (
        "slower\n"
        "  main.(*Shop).Sell\n"
        "      p50 5.44µs → 10.1µs, p99 5.95µs → 10.8µs, 100 → 100 calls\n"
        "      total +452µs, self +452µs\n"
        "1"
    )


def test_faster_in_every_run(diff) -> None:  # type: ignore[no-untyped-def]
    runs = [
        _trace([(SELL, ns, False) for ns in _varied(100, typical)])
        for typical in (9000, 9100, 5000, 5100)
    ]
    output = diff(runs[:2], runs[2:])
    assert output.startswith("faster\n  main.(*Shop).Sell\n")


def test_runs_of_one_side_differ(diff) -> None:  # type: ignore[no-untyped-def]
    runs = [
        _trace([(SELL, ns, False) for ns in _varied(100, typical)])
        for typical in (5000, 8000, 7000, 9000)
    ]
    assert diff(runs[:2], runs[2:]) == NOTHING + "0"


def test_too_few_calls(diff) -> None:  # type: ignore[no-untyped-def]
    before, after = (_trace([(SELL, ns, False)] * 3) for ns in (1000, 9000))
    output = diff(before, after, "--with-chance", "--limit", "0")
    assert "  main.(*Shop).Sell  (may be chance)\n" in output


@pytest.mark.parametrize(
    ("before", "after", "output"),
    [
        ((0, 1), (1, 1), "0.0% → 100.0% of 1 → 1 calls: item 13 is locked"),
        ((0, 200), (20, 200), "0.0% → 10.0% of 200 → 200 calls: item 13 is locked"),
        ((0, 200), (2, 200), ""),
        ((10, 200), (40, 200), "5.0% → 20.0% of 200 → 200 calls: item 13 is locked"),
        ((10, 200), (14, 200), ""),
        ((10, 200), (30, 600), ""),
    ],
)
def test_fails_more(
    diff,
    before: tuple[int, int],
    after: tuple[int, int],
    output: str,  # type: ignore[no-untyped-def]
) -> None:
    sides = [
        _trace([(SELL, 1000, n < failing) for n in range(count)])
        for failing, count in (before, after)
    ]
    expected = f"fails more\n  main.(*Shop).Sell\n      {output}\n" if output else NOTHING
    assert diff(*sides) == expected + "0"


def test_fails_less(diff) -> None:  # type: ignore[no-untyped-def]
    sides = [_trace([(SELL, 1000, fails)]) for fails in (True, False)]
    assert diff(*sides).startswith("fails less\n  main.(*Shop).Sell\n      100.0% → 0.0% of 1")


def test_functions_and_chains_of_one_side_only(diff) -> None:  # type: ignore[no-untyped-def]
    before = _trace([(SELL, 1000, False)] * 40 + [(PRICE, 1000, False)])
    after = _trace([(SELL, 1000, False)] * 30 + [(WORK, 1000, False)], inside=PRICE)
    assert diff(before, after) == (
        "appeared\n"
        "  main.work: 1 call, 1.00µs, 1 more function below\n"
        "      main.main → main.work\n"
        "  main.main → main.(*Shop).Sell → main.price: 30 calls, 30ns\n"
        "vanished\n"
        "  main.main → main.price: 1 call, 1.00µs\n"
        "0"
    )


def test_rare_branch_may_be_chance(diff) -> None:  # type: ignore[no-untyped-def]
    calls = [(SELL, 5, False)] * 40
    rare = w.events(
        3,
        *(word for n in range(40) for word in (w.enter(SELL, 10 * n), w.leave(SELL, 10 * n + 5))),
        w.enter(SELL, 500),
        w.enter(WORK, 501),
        w.leave(WORK, 502),
        w.leave(SELL, 510),
        w.leave(MAIN, 600),
        track=1,
        opened=1,
    )
    begin = w.events(2, w.track(1, 1000), w.enter(MAIN, 0))
    assert diff(_trace(calls), w.header() + w.FUNCTIONS + begin + rare) == NOTHING + "0"


def test_json(diff) -> None:  # type: ignore[no-untyped-def]
    before, after = _trace([(SELL, 1000, False)]), _trace([(WORK, 1000, True)])
    output = json.loads(diff(before, after, "--json", "--exit-code")[:-1])
    assert output.pop("more_differences") == 0
    assert {kind: len(entries) for kind, entries in output.items()} == {
        "appeared": 1,
        "vanished": 1,
        "slower": 0,
        "faster": 0,
        "fails_more": 0,
        "fails_less": 0,
        "demoted": 0,
        "partial_traces": 0,
    }
    assert output["appeared"][0] == {
        "function": "main.work",
        "is_function": True,
        "steps": [{"function": "main.main"}, {"function": "main.work"}],
        "calls": 1,
        "total_ns": 1000,
        "functions_below": 0,
        "by_chance": False,
    }


def test_limit(diff, functrace: Run) -> None:  # type: ignore[no-untyped-def]
    before = _trace([])
    after = _trace([(SELL, 1000, False)] * 50 + [(PRICE, 1000, False)] * 50)
    appeared = "  main.(*Shop).Sell: ", "  main.price: "
    one = diff(before, after, "--limit", "1")
    assert sum(each in one for each in appeared) == 1
    assert "  … 1 more; --limit 0 shows all\n" in one
    every = functrace("diff", "a", "b", "--limit", "0").stdout
    assert all(each in every for each in appeared)
    as_json = json.loads(functrace("diff", "a", "b", "--limit", "1", "--json").stdout)
    assert (len(as_json["appeared"]), as_json["more_differences"]) == (1, 1)
