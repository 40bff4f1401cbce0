from __future__ import annotations

from collections.abc import Callable

import pytest

from functrace.analysis import Listing, Selection, calls, fold
from functrace.tracefile import Trace
from tests.tracefile import writer as w
from tests.tracefile.meaning import names

Read = Callable[[bytes], Trace]


def trace_of(*words: bytes) -> bytes:
    return w.header() + w.FUNCTIONS + w.events(2, w.track(1, 1001), *words)


RECURSION = trace_of(
    w.enter(1, 1),
    w.enter(2, 10),
    w.enter(3, 20),
    w.enter(2, 30),
    w.leave(2, 40),
    w.leave(3, 50),
    w.leave(2, 60),
    w.leave(1, 101),
)


def test_nodes_of_a_recursive_function_are_marked_and_counted_once(read: Read) -> None:
    chains = fold(read(RECURSION))
    assert [names(chains, node)[-1] for node in range(4)] == [
        "main.main",
        "main.(*Shop).Sell",
        "main.price",
        "main.(*Shop).Sell",
    ]
    assert chains.recursive.tolist() == [False, False, False, True]
    assert chains.total.tolist() == [100, 50, 30, 10]
    assert chains.self.tolist() == [50, 20, 20, 10]
    functions = chains.functions()
    assert functions.total.tolist() == [100, 50, 30, 0]
    assert functions.calls.tolist() == [1, 2, 1, 0]
    assert functions.min.tolist() == [100, 10, 30, 0]
    assert functions.max.tolist() == [100, 50, 30, 0]


def test_recursion_over_tracks(read: Read) -> None:
    spawned = w.events(3, w.track(2, 1002, parent=1, starter=1), w.enter(1, 2), w.leave(1, 3))
    chains = fold(read(trace_of(w.enter(1, 1), w.leave(1, 9)) + spawned))
    assert chains.recursive.tolist() == [False, True]
    assert chains.started.tolist() == [False, True]


def test_deep_recursion(read: Read) -> None:
    depth = 20_000
    words = [w.enter(1, 1 + i) for i in range(depth)]
    words += [w.leave(1, 1 + depth + i) for i in range(depth)]
    chains = fold(read(trace_of(*words)))
    assert (len(chains), len(chains.chain(depth - 1))) == (depth, depth)
    assert chains.recursive.sum() == depth - 1


def test_beyond_the_limit_a_chain_begins_at_its_last_function(read: Read) -> None:
    chains = fold(read(RECURSION), node_limit=2)
    assert [names(chains, node) for node in range(len(chains))] == [
        ["main.main"],
        ["main.main", "main.(*Shop).Sell"],
        ["main.price"],
        ["main.(*Shop).Sell"],
    ]
    (damage,) = chains.damage
    assert damage.startswith("2 calls exceed the limit on distinct chains")


def test_percentiles_are_within_three_percent(read: Read) -> None:
    words, now = [], 10
    for duration in range(1, 2001):
        words += [w.enter(2, now), w.leave(2, now + duration * 7)]
        now += duration * 7 + 1
    chains = fold(read(trace_of(*words)), histograms_of=[1])
    functions = chains.functions()
    for percent in (1, 25, 50, 90, 99):
        exact = percent / 100 * 2000 * 7
        assert functions.percentile(1, percent) == pytest.approx(exact, rel=0.035)
        assert chains.percentile(0, percent) == functions.percentile(1, percent)
    assert functions.percentile(1, 0) == 7
    assert functions.percentile(1, 100) == pytest.approx(14_000, rel=0.02)
    assert functions.percentile(0, 50) == 0


def test_calls_in_one_call_of_the_caller(read: Read) -> None:
    words, now = [], 1
    for prices in (2, 5, 0, 1):
        words.append(w.enter(2, now))
        for _ in range(prices):
            words += [w.enter(3, now), w.leave(3, now)]
        now += 1
        words.append(w.leave(2, now))
    chains = fold(read(trace_of(w.enter(1, 1), *words, w.leave(1, now))))
    assert chains.calls.tolist() == [1, 4, 8]
    assert chains.max_in_caller.tolist() == [0, 4, 5]
    assert chains.caller_calls.tolist() == [0, 1, 3]


FAILURES = trace_of(
    w.enter(1, 1),
    w.enter(2, 2),
    w.error("first"),
    w.leave(2, 5),
    w.enter(2, 10),
    w.error("second"),
    w.leave(2, 30),
    w.enter(3, 40),
    w.panic(value=2),
    w.leave(3, 41),
    w.enter(4, 50),
)


def test_failures_and_extremes(read: Read) -> None:
    chains = fold(read(FAILURES))
    assert chains.errors.tolist() == [0, 2, 0, 0]
    assert chains.panics.tolist() == [0, 0, 0, 0]
    assert chains.unfinished.tolist() == [1, 0, 0, 1]
    assert [chains.failure(node) for node in range(4)] == ["", "first", "", ""]
    assert chains.slowest_start.tolist()[1] == 10
    assert chains.last.tolist() == [1, 30, 41, 50]
    assert chains.min.tolist() == [0, 3, 1, 0]


@pytest.mark.parametrize(
    ("listing", "starts"),
    [
        (Listing(), [1, 2, 10, 40, 50]),
        (Listing(failed_only=True), [2, 10]),
        (Listing(min_duration_ns=20), [1, 10]),
        (Listing(functions=[0, 2]), [1, 40]),
        (Listing(functions=[]), []),
        (Listing(limit=0), []),
    ],
)
def test_listings(read: Read, listing: Listing, starts: list[int]) -> None:
    listed = calls(read(FAILURES), listing=listing)
    assert listed.start.tolist() == starts
    assert len(listed.chains) == 4


def test_a_listing_has_a_limit(read: Read) -> None:
    listed = calls(read(FAILURES), listing=Listing(limit=2))
    assert (listed.start.tolist(), listed.truncated) == ([2, 10], True)
    assert not calls(read(FAILURES), listing=Listing(limit=5)).truncated


def test_a_call_whose_caller_is_not_listed_belongs_to_the_one_around(read: Read) -> None:
    listed = calls(read(RECURSION), listing=Listing(functions=[0, 2]))
    assert listed.parent.tolist() == [-1, 0]
    assert listed.depth.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("since", "until", "counted"),
    [
        (None, None, [1, 2, 1, 1]),
        (None, 9, [1, 1]),
        (6, 9, [1]),
        (20, 40, [1, 1, 1]),
        (31, None, [1, 1, 1]),
    ],
)
def test_a_window(read: Read, since: int | None, until: int | None, counted: list[int]) -> None:
    chains = fold(read(FAILURES), Selection(since, until))
    assert chains.calls.tolist() == counted


def test_tracks_chosen_keep_their_whole_chains(read: Read) -> None:
    spawned = w.events(3, w.track(2, 1002, parent=1, starter=1), w.enter(4, 2), w.leave(4, 3))
    chains = fold(read(trace_of(w.enter(1, 1), w.leave(1, 9)) + spawned), Selection(tracks=[1]))
    assert names(chains, 1) == ["main.main", "main.work"]
    assert chains.calls.tolist() == [0, 1]


def test_a_parent_that_begins_later_is_not_believed(read: Read) -> None:
    chunks = [
        w.events(2, w.track(1, 1600, parent=2), w.enter(1, 600)),
        w.events(3, w.track(2, 1500, parent=1), w.enter(2, 500)),
    ]
    trace = read(w.header() + w.FUNCTIONS + b"".join(chunks))
    assert trace.tracks.id.tolist() == [2, 1]
    assert trace.tracks.parent.tolist() == [-1, 0]
    assert trace.tracks.parent_id.tolist() == [1, 2]
