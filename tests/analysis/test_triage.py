"""Triage: the rules by which findings are chosen; tests/cli/test_triage.py has the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from functrace.analysis.triage import Triage, listed_calls, triage
from functrace.tracefile import open_trace
from tests.analysis.recorded import Goroutine, Recorded
from tests.cli import faulty
from tests.tracefile import writer as w

MILLISECOND = 1_000_000


class Program:
    """A program whose functions are a to f, in the package main, below main.main."""

    def __init__(self, folder: Path, **header: int) -> None:
        self._path = folder / "a.ftrace"
        self.recorded = Recorded("main.main", *(f"main.{name}" for name in "abcdef"), **header)
        self.main = self.recorded.goroutine(1)
        self.main.enter("main.main")

    def triage(self, *, has_ended: bool = True) -> Triage:
        if has_ended:
            self.main.leave("main.main")
        return triage([open_trace(self.recorded.write(self._path))])


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def name(found: Triage, node: int) -> str:
    return found.forest.functions[int(found.forest.function[node])].name


def chain(found: Triage, node: int) -> list[str]:
    names: list[str] = []
    while node >= 0:
        names.insert(0, name(found, node).removeprefix("main."))
        node = int(found.forest.parent[node])
    return names


def failing(found: Triage) -> list[tuple[str, str, int]]:
    return [
        (found.forest.functions[each.function].name, each.pattern, each.count)
        for each in found.failing
    ]


def swallowed(found: Triage) -> list[tuple[str, str, int]]:
    functions = found.forest.functions
    return [
        (functions[each.function].name, functions[each.caller].name, each.count)
        for each in found.swallowed
    ]


def fails(track: Goroutine, *errors: tuple[str, str]) -> None:
    """Calls that are nested, outermost first, each with its error; empty: none."""
    (function, error), *inner = errors
    with track.inside(f"main.{function}"):
        if inner:
            fails(track, *inner)
        if error:
            track.fail(error)


def test_an_error_counts_where_it_came_from(program: Program) -> None:
    fails(program.main, ("a", "a: b: gone"), ("b", "b: gone"), ("c", "gone"))
    fails(program.main, ("a", "a: b: gone"), ("b", "b: gone"), ("c", "gone"))
    found = program.triage()
    assert failing(found) == [("main.c", "gone", 2)]
    (node,) = found.failing[0].nodes
    assert chain(found, node) == ["main", "a", "b", "c"]
    assert swallowed(found) == [("main.a", "main.main", 2)]


def test_an_error_that_does_not_contain_that_of_the_callee_is_another_one(program: Program) -> None:
    fails(program.main, ("a", "not found"), ("b", "timeout"))
    found = program.triage()
    assert failing(found) == [("main.a", "not found", 1), ("main.b", "timeout", 1)]


def test_texts_with_the_same_pattern_are_one_group(program: Program) -> None:
    for text in ('user "ann": gone', 'user "bob jones": gone', 'user "": gone', "user ann: gone"):
        fails(program.main, ("a", text))
    for text in ("key 'x' of 7", "key 'yy' of 8", "can't be 1", "can't be 2"):
        fails(program.main, ("b", text))
    for number in (1, 2):
        fails(program.main, ("c", f"id {number}f0e1d2c-3b4a-5968-7786-a5b4c3d2e1f{number}: gone"))
        fails(program.main, ("d", f"deadbee{number} at 0xc00{number}"))
    assert failing(program.triage()) == [
        ("main.a", "user #: gone", 3),
        ("main.b", "key # of #", 2),
        ("main.b", "can't be #", 2),
        ("main.c", "id #: gone", 2),
        ("main.d", "# at #", 2),
        ("main.a", "user ann: gone", 1),
    ]


def test_first_and_last_time_and_the_calls_of_the_function(program: Program) -> None:
    program.recorded.now += 500
    program.main.call("main.a", error="1")
    program.main.call("main.a", times=8)
    program.main.call("main.a", error="2")
    (each,) = program.triage().failing
    assert (each.first, each.last, each.count, each.calls) == (500, 9500, 2, 10)


def test_a_panic_that_nothing_caught_comes_before_what_fails_more_often(program: Program) -> None:
    program.main.call("main.a", error="gone", times=3)
    with program.main.inside("main.b"):
        program.main.call("main.c", panic="caught", times=2)
    other = program.recorded.goroutine(2)
    with other.inside("main.d"):
        other.call("main.e", panic="nil map")
        other.words.append(w.panic("nil map"))
    found = program.triage().failing
    assert [(each.pattern, each.count, each.uncaught) for each in found] == [
        ("nil map", 1, 1),
        ("gone", 3, 0),
        ("caught", 2, 0),
    ]


@pytest.mark.parametrize(("language", "uncaught"), [(1, 1), (2, 0)])
def test_an_exception_that_ends_a_python_program_is_not_uncaught(
    tmp_path: Path, language: int, uncaught: int
) -> None:
    program = Program(tmp_path, language=language)
    program.recorded.goroutine(2).call("main.a", panic="SystemExit: 1")
    assert [each.uncaught for each in program.triage().failing] == [uncaught]


def test_a_failure_in_a_call_that_has_not_ended_is_not_swallowed_yet(program: Program) -> None:
    program.main.enter("main.a")
    program.main.call("main.b", error="gone")
    found = program.triage(has_ended=False)
    assert failing(found) == [("main.b", "gone", 1)]
    assert not swallowed(found)


def test_a_panic_is_swallowed_where_it_is_recovered(program: Program) -> None:
    with program.main.inside("main.a"), program.main.inside("main.b"):
        program.main.call("main.c", panic="nil map")
        program.main.words.append(w.panic("nil map"))
    found = program.triage()
    assert swallowed(found) == [("main.b", "main.a", 1)]
    assert found.swallowed[0].is_panic


def test_a_go_statement_drops_errors_and_no_other_start_does(tmp_path: Path) -> None:
    for language, expected in ((1, [("main.b", "main.main", 1)]), (2, [])):
        program = Program(tmp_path, language=language)
        other = program.recorded.goroutine(2, parent=1, starter="main.main", line=7)
        other.call("main.b", error="gone")
        found = program.triage()
        assert swallowed(found) == expected
        assert [each.by_go_statement for each in found.swallowed] == [True] * len(expected)


def test_the_innermost_open_call_is_what_a_track_is_blocked_in(program: Program) -> None:
    for number in (2, 3):
        worker = program.recorded.goroutine(number, parent=1)
        worker.enter("main.a")
        worker.call("main.b")
        worker.enter("main.c")
    program.main.call("main.d", took=MILLISECOND)
    (each,) = program.triage().never_ended
    assert (each.tracks, each.running) == (2, 0)
    # The one that has been open for longer is the example.
    assert (each.example.start, each.open_for) == (1000, MILLISECOND + 1000)


def test_a_track_that_may_wait_for_those_that_it_started_comes_after_them(
    program: Program,
) -> None:
    program.main.enter("main.a")
    for number in (2, 3):
        program.recorded.now += MILLISECOND
        program.recorded.goroutine(number, parent=number - 1).enter("main.b")
    program.recorded.now += MILLISECOND
    program.recorded.goroutine(4).call("main.c", took=1)
    found = program.triage(has_ended=False)
    assert [(name(found, each.node), each.waiting) for each in found.never_ended] == [
        ("main.b", 0),
        ("main.a", 1),
        ("main.b", 1),
    ]


def test_calls_of_functions_that_never_returned_come_last(program: Program) -> None:
    program.recorded.goroutine(2).enter("main.a")
    program.recorded.goroutine(3).call("main.c", panic="gone")
    program.recorded.goroutine(4).enter("main.c")
    program.recorded.now += MILLISECOND
    worker = program.recorded.goroutine(5)
    worker.call("main.b")
    worker.enter("main.b")
    program.main.call("main.d", took=MILLISECOND)
    found = program.triage()
    assert [(name(found, each.node), each.may_never_end) for each in found.never_ended] == [
        ("main.b", False),
        ("main.a", True),
        ("main.c", True),
    ]


def test_a_running_track_comes_after_those_that_are_blocked(program: Program) -> None:
    worker = program.recorded.goroutine(2, parent=1)
    worker.enter("main.a")
    program.main.enter("main.b")
    program.main.call("main.c", took=MILLISECOND)
    found = program.triage(has_ended=False)
    assert [name(found, each.node) for each in found.never_ended] == ["main.a", "main.b"]
    assert [each.running for each in found.never_ended] == [0, 1]


def test_a_track_that_runs_on_in_its_outermost_call_is_left_out(program: Program) -> None:
    program.main.call("main.a", times=100)
    assert not program.triage(has_ended=False).never_ended


def test_a_call_whose_exit_alone_is_missing_is_not_open(program: Program) -> None:
    with program.main.inside("main.a"):
        program.main.enter("main.b")
    found = program.triage()
    assert not found.never_ended
    assert [loss.reason for loss in found.losses] == [
        "1 call has no exit although its caller has one"
    ]


def test_whether_tracks_run_is_unknown_if_too_many_calls_are_near_the_end(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed_calls, "MAX_LISTED_CALLS", 10)
    worker = program.recorded.goroutine(2, parent=1)
    worker.enter("main.a")
    program.recorded.now += MILLISECOND
    program.main.call("main.b", times=11, took=1)
    (first, second) = program.triage(has_ended=False).never_ended
    assert (first.running, second.running) == (None, None)


def test_only_the_innermost_slow_call_is_an_outlier(program: Program) -> None:
    for turn in range(30):
        with program.main.inside("main.a"), program.main.inside("main.b"):
            program.main.call("main.c", took=500 * MILLISECOND if turn == 20 else 1000)
    found = program.triage()
    (each,) = found.slow
    assert chain(found, each.node) == ["main", "a", "b", "c"]
    assert (each.count, each.max, each.total) == (1, 500 * MILLISECOND, 500 * MILLISECOND)
    assert each.p50 == pytest.approx(1000, rel=0.03)


@pytest.mark.parametrize(
    ("usual", "slow", "times"),
    [(1000, 9 * MILLISECOND, 30), (20 * MILLISECOND, 150 * MILLISECOND, 30), (1000, 10**9, 18)],
    ids=["short", "near the others", "few calls"],
)
def test_what_is_no_outlier(program: Program, usual: int, slow: int, times: int) -> None:
    program.main.call("main.a", took=usual, times=times)
    program.main.call("main.a", took=slow)
    assert not program.triage().slow


def test_slow_calls_of_several_chains(program: Program) -> None:
    program.main.call("main.a", times=100)
    program.main.call("main.a", took=50 * MILLISECOND, times=2)
    with program.main.inside("main.b"):
        program.main.call("main.a", took=70 * MILLISECOND)
    found = program.triage()
    assert [(chain(found, each.node), each.count, each.max) for each in found.slow] == [
        (["main", "a"], 2, 50 * MILLISECOND),
        (["main", "b", "a"], 1, 70 * MILLISECOND),
    ]


def test_outliers_among_more_long_calls_than_are_listed(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed_calls, "MAX_LISTED_CALLS", 40)
    program.main.call("main.a", took=20 * MILLISECOND, times=100)
    program.main.call("main.a", took=500 * MILLISECOND, times=3)
    program.main.call("main.a", took=20 * MILLISECOND, times=100)
    found = program.triage()
    assert [(each.count, each.max) for each in found.slow] == [(3, 500 * MILLISECOND)]
    assert "slow" not in found.sampled


def test_outliers_that_seemed_usual_are_missed_and_this_is_stated(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed_calls, "MAX_LISTED_CALLS", 20)
    program.main.call("main.a", took=20 * MILLISECOND, times=30)
    program.main.call("main.a", took=1000, times=1000)
    found = program.triage()
    (each,) = found.slow
    assert 10 <= each.count < 30
    assert "slow" in found.sampled


def test_repetition_within_one_call(program: Program) -> None:
    for rows in (1, 40, 0, 3):
        with program.main.inside("main.a"):
            program.main.call("main.b", took=3000)
            program.main.call("main.c", times=rows)
    found = program.triage()
    (each,) = found.repeated
    assert chain(found, each.node) == ["main", "a", "c"]
    assert (each.max, each.calls, each.caller_calls) == (40, 44, 3)
    assert (each.total, each.caller_total) == (44_000, 56_000)


def test_of_nested_loops_the_inner_one_is_found(program: Program) -> None:
    with program.main.inside("main.a"):
        for _ in range(20):
            with program.main.inside("main.b"):
                program.main.call("main.c", times=200)
    found = program.triage()
    assert [chain(found, each.node) for each in found.repeated] == [["main", "a", "b", "c"]]


def test_what_is_no_repetition(program: Program) -> None:
    for _ in range(50):  # the loop of the program
        with program.main.inside("main.a"):
            program.main.call("main.b", times=9)
            program.main.call("main.c", took=1_000_000)
            program.main.call("main.d", times=30, took=10)  # takes hardly any time
    assert not program.triage().repeated


def test_a_request_may_be_the_outermost_call_of_its_track(program: Program) -> None:
    for number in range(2, 8):
        request = program.recorded.goroutine(number)
        with request.inside("main.a"):
            for _ in range(20):
                with request.inside("main.b"):
                    request.call("main.c")
    found = program.triage()
    assert [chain(found, each.node) for each in found.repeated] == [["a", "b"]]


def test_the_loop_of_a_worker_is_no_repetition(program: Program) -> None:
    program.recorded.goroutine(2, parent=1).call("main.e")
    worker = program.recorded.goroutine(3, parent=1)
    with worker.inside("main.a"):
        worker.call("main.b", times=50)
    assert not program.triage().repeated


def test_the_outermost_call_repeats_a_call_without_callees(program: Program) -> None:
    program.main.call("main.a", times=50)
    found = program.triage()
    assert [chain(found, each.node) for each in found.repeated] == [["main", "a"]]


def test_recursion_through_several_functions_is_found_once(program: Program) -> None:
    for _ in range(100):
        program.main.enter("main.a")
        program.main.enter("main.b")
    program.main.call("main.c")
    for _ in range(100):
        program.main.leave("main.b")
        program.main.leave("main.a")
    found = program.triage()
    assert [(each.levels, each.failed, each.unfinished) for each in found.recursion] == [
        (100, 0, 0)
    ]


def test_recursion_of_less_than_a_hundred_levels(program: Program) -> None:
    for _ in range(99):
        program.main.enter("main.a")
    for _ in range(99):
        program.main.leave("main.a")
    assert not program.triage().recursion


def test_tracks_that_start_each_other_are_no_recursion(program: Program) -> None:
    for number in range(2, 152):
        program.recorded.now += 1
        program.recorded.goroutine(number, parent=number - 1).enter("main.a")
    assert not program.triage().recursion


def test_figures_of_a_sample_are_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = faulty.faulty(tmp_path / "a.ftrace")
    assert not triage([open_trace(path)]).sampled
    monkeypatch.setattr(listed_calls, "MAX_LISTED_CALLS", 1)
    monkeypatch.setattr(listed_calls, "_MIN_LISTED_CALLS", 0)
    assert triage([open_trace(path)]).sampled == {"failing", "swallowed", "slow"}


def test_the_limit_on_listed_calls_is_that_of_all_traces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traces = [open_trace(faulty.faulty(tmp_path / f"{name}.ftrace")) for name in "abc"]
    (one,) = (each.failed.calls for each in listed_calls.list_calls(traces[:1]))
    monkeypatch.setattr(listed_calls, "MAX_LISTED_CALLS", len(one))
    monkeypatch.setattr(listed_calls, "_MIN_LISTED_CALLS", 2)
    found = [each.failed.calls for each in listed_calls.list_calls(traces)]
    assert list(map(len, found)) == [len(one), 2, 2]
    assert [each.truncated for each in found] == [False, True, True]


def test_findings_of_several_traces_are_added(tmp_path: Path) -> None:
    paths = [faulty.faulty(tmp_path / f"{name}.ftrace") for name in "ab"]
    one = triage([open_trace(paths[0])])
    both = triage([open_trace(path) for path in paths])
    assert [each.count for each in both.failing] == [2 * each.count for each in one.failing]
    assert [each.count for each in both.swallowed] == [2 * each.count for each in one.swallowed]
    assert [each.tracks for each in both.never_ended] == [4]
    assert [each.count for each in both.slow] == [2]
    assert [(each.max, each.caller_calls) for each in both.repeated] == [(50, 6)]
    assert [(each.levels, each.failed) for each in both.recursion] == [(150, 2)]
