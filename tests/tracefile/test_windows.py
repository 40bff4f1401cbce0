"""Folds by windows: a call counts in the one window in which it ended."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functrace.analysis import Listing, calls, fold
from functrace.analysis.fold import WindowFold, fold_windows
from functrace.rollup.duration_buckets import MAX_BUCKET
from functrace.tracefile import Trace, open_trace
from tests.otlp.program import Program
from tests.tracefile import writer as w
from tests.tracefile.meaning import implementation
from tests.tracefile.vectors import VECTORS

Read = Callable[[bytes], Trace]
_SUMS = ("calls", "total", "self", "suspended", "errors", "panics", "unfinished")
_EVERYTHING = [0, 1 << 60]


def _by_chain(found: WindowFold, column: str) -> list[int]:
    """Return the sums of a column over all windows, by the chain."""
    chains = found.chains
    sums: Counter[tuple[int, ...]] = Counter()
    of_window = np.flatnonzero(found.window >= 0)
    for node in of_window.tolist():
        chain = chains.chain(int(chains.parent[node]))
        key = tuple(int(chains.function[each]) for each in chain)
        sums[key] += int(getattr(chains, column)[node])
    return [sums[key] for key in sorted(sums)]


def _whole(trace: Trace, column: str) -> list[int]:
    chains = fold(trace)
    sums: Counter[tuple[int, ...]] = Counter()
    for node in np.flatnonzero(chains.calls).tolist():
        key = tuple(int(chains.function[each]) for each in chains.chain(node))
        sums[key] += int(getattr(chains, column)[node])
    return [sums[key] for key in sorted(sums)]


def _summary(found: WindowFold) -> list[object]:
    chains = found.chains
    columns = {name: column.tolist() for name, column in chains.columns().items()}
    owner, bucket, count = chains.node_histograms.buckets()
    blocks = sorted(zip(owner.tolist(), bucket.tolist(), count.tolist(), strict=True))
    rows = found.failures.tolist(), found.failure_window.tolist()
    return [columns, found.window.tolist(), blocks, rows, chains.damage]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(5, 200),
    st.lists(st.integers(0, 3000), min_size=2, max_size=9, unique=True),
)
def test_windows_of_programs(seed: int, steps: int, bounds: list[int]) -> None:
    bounds.sort()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.ftrace"
        path.write_bytes(Program(seed, steps).written())
        trace = open_trace(path)
        found = fold_windows(trace, bounds, max_failures=1000)
        with implementation("reference"):
            reference = fold_windows(open_trace(path), bounds, max_failures=1000)
        assert _summary(found) == _summary(reference)
        listed = calls(trace, listing=Listing())
        ends = listed.start + listed.duration
        inside = (ends >= bounds[0]) & (ends < bounds[-1])
        window = np.searchsorted(bounds, ends[inside], "right") - 1
        expected = Counter(window.tolist())
        counted: Counter[int] = Counter()
        for node in np.flatnonzero(found.window >= 0).tolist():
            counted[int(found.window[node])] += int(found.chains.calls[node])
        assert counted == expected
        trace.close()


@pytest.mark.parametrize("name", VECTORS)
def test_windows_of_vectors_add_up_to_the_fold(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.ftrace"
    path.write_bytes(VECTORS[name])
    trace = open_trace(path)
    middle = sum(trace.span) // 2 + 1
    for bounds in (_EVERYTHING, [0, middle, 1 << 60]):
        found = fold_windows(trace, bounds)
        for column in _SUMS:
            if trace.ticks_per_second == 1e9 or column in ("calls", "errors", "unfinished"):
                assert _by_chain(found, column) == _whole(trace, column), column


def test_a_call_on_a_bound_is_in_the_window_that_begins_there(read: Read) -> None:
    words = [w.enter(1, 1), w.leave(1, 10), w.enter(1, 11), w.leave(1, 20)]
    trace = read(w.header() + w.FUNCTIONS + w.events(2, w.track(1, 1001), *words))
    found = fold_windows(trace, [0, 10, 20])
    assert found.window.tolist() == [-1, 1]
    assert found.chains.calls.tolist() == [0, 1]


def test_durations_beyond_the_last_bucket_of_a_slow_clock(tmp_path: Path) -> None:
    """At one tick a second, a call may last more nanoseconds than any bucket has."""
    words = [w.enter(1, 1), w.leave(1, 1 << 41), w.enter(1, 1 << 41), w.leave(1, (1 << 41) + 9)]
    path = tmp_path / "x.ftrace"
    path.write_bytes(w.header(rate=1) + w.FUNCTIONS + w.events(2, w.track(1, 1001), *words))
    trace = open_trace(path)
    found = fold_windows(trace, [0, 1 << 72])
    with implementation("reference"):
        reference = fold_windows(trace, [0, 1 << 72])
    assert _summary(found) == _summary(reference)
    _, buckets, _ = found.chains.node_histograms.buckets()
    assert buckets[-1] == MAX_BUCKET


def test_bounds_in_the_same_tick(read: Read) -> None:
    trace = read(w.header() + w.FUNCTIONS + w.events(2, w.track(1, 1001), w.enter(1, 1)))
    assert fold_windows(trace, [5, 5, 5]).window.tolist() == []
