"""Calls whose callers were overwritten are counted as partial."""

from __future__ import annotations

from collections.abc import Callable

from functrace.analysis import fold
from functrace.tracefile import Trace
from tests.tracefile import writer as w
from tests.tracefile.meaning import names

Read = Callable[[bytes], Trace]
# 1 main.main, 2 Sell, 3 Price, 4 work
RING = w.header(version=2, flags=4, overwritten=5_000, last_overwritten=89) + w.FUNCTIONS
PRICE = w.enter(3, 5), w.leave(3, 6)


def partial(trace: Trace) -> dict[str, tuple[int, int]]:
    """Return the calls of each chain, and how many of them are partial."""
    chains = fold(trace)
    return {
        " ".join(each.rsplit(".")[-1] for each in names(chains, node)): (
            int(chains.calls[node]),
            int(chains.partial[node]),
        )
        for node in range(len(chains))
    }


def test_calls_inside_a_call_whose_entry_was_overwritten(read: Read) -> None:
    """main called Sell before the first event, as its exit shows; main is listed later."""
    before = w.events(90, w.switch(1, 10, opened=2), *PRICE, w.leave(2, 8), *PRICE, track=1)
    lists = w.switch(1, 11, opened=1), w.track(1, 1000, again=True), w.opened(1000, 1)
    after = w.events(91, *lists, *PRICE, w.leave(1, 9), track=1)
    assert partial(read(RING + before + after)) == {"main": (1, 0), "main price": (3, 1)}


def test_calls_that_end_with_the_call_around_the_hidden_one(read: Read) -> None:
    """Price is open where the exit of main ends it."""
    run = w.switch(1, 10, opened=2), w.track(1, 1000, again=True), w.opened(1000, 1)
    words = w.events(90, *run, w.enter(3, 5), w.leave(1, 9), track=1)
    assert partial(read(RING + words)) == {"main": (1, 0), "main price": (1, 1)}


def test_a_track_whose_parent_was_overwritten(read: Read) -> None:
    lost = w.events(90, w.track(7, 1000, parent=5, starter=2), *PRICE, track=7)
    assert partial(read(RING + lost)) == {"price": (1, 1)}


def test_a_track_whose_record_was_overwritten(read: Read) -> None:
    words = w.events(90, w.switch(7, 3), *PRICE, track=7)
    assert partial(read(RING + words)) == {"price": (1, 1)}


def test_a_track_whose_starter_was_overwritten(read: Read) -> None:
    """Of track 1, only main is known; Sell started track 7, whose call starts track 8."""
    run = w.switch(1, 10, opened=1), w.track(1, 1000, again=True), w.opened(1000, 1)
    first = w.events(90, *run, *PRICE, track=1)
    second = w.track(7, 1001, parent=1, starter=2), w.enter(4, 2), w.leave(4, 9)
    third = w.track(8, 1003, parent=7, starter=4), *PRICE
    words = first + w.events(91, *second, track=7) + w.events(92, *third, track=8)
    assert partial(read(RING + words)) == {
        "main": (1, 0),
        "main price": (1, 0),
        "main work": (1, 1),
        "main work price": (1, 1),
    }


def test_a_track_whose_starter_is_not_instrumented(read: Read) -> None:
    """Track 7 began before the first event of track 1 that is left, in main or in a call in it."""
    run = w.switch(1, 10, opened=1), w.track(1, 1000, again=True), w.opened(1000, 1)
    first = w.events(90, *run, *PRICE, track=1)
    before = w.track(7, 1003, parent=1), w.enter(4, 5), w.leave(4, 6)
    after = w.track(8, 1007, parent=1), w.enter(4, 8), w.leave(4, 9)
    counts = partial(read(RING + first + w.events(91, *before, track=7)))
    assert counts == {"main": (1, 0), "main price": (1, 0), "main work": (1, 1)}
    counts = partial(read(RING + first + w.events(91, *after, track=8)))
    assert counts == {"main": (1, 0), "main price": (1, 0), "main work": (1, 0)}


def test_chains_on_other_tracks_are_whole_where_the_starter_is_known(read: Read) -> None:
    run = w.switch(1, 10, opened=1), w.track(1, 1000, again=True), w.opened(1000, 1)
    first = w.events(90, *run, *PRICE, track=1)
    work = w.track(7, 1004, parent=1, starter=1), w.enter(4, 5), w.leave(4, 6)
    counts = partial(read(RING + first + w.events(91, *work, track=7)))
    assert counts == {"main": (1, 0), "main price": (1, 0), "main work": (1, 0)}


def test_nothing_is_partial_where_nothing_was_overwritten(read: Read) -> None:
    content = w.header(version=2) + w.FUNCTIONS
    content += w.events(90, w.track(7, 1000, parent=5, starter=2), *PRICE, track=7)
    assert partial(read(content)) == {"price": (1, 0)}
