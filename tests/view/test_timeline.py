"""Windows of a trace, of any width, against a plain list of its calls."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functrace.tracefile import Trace, open_trace
from functrace.view import index
from functrace.view import timeline as timeline_module
from functrace.view import window as view
from functrace.view.call_query import CallQuery, Order
from functrace.view.timeline import Timeline
from tests.otlp.program import Program
from tests.tracefile import fuzz
from tests.tracefile import writer as w
from tests.tracefile.vectors import FOLDER
from tests.view.contract import FAILED, check_window, spans_of

VECTORS = sorted(FOLDER.glob("*.ftrace"))


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    """One goroutine: f of 1,000 ns calls g ten times, for 10 ns each; the seventh fails."""
    calls = []
    for call in range(10):
        calls += [w.enter(2, 100 * call + 20)]
        calls += [w.error("boom")] if call == 6 else []
        calls += [w.leave(2, 100 * call + 30)]
    words = [w.track(1, 1000), w.enter(1, 0), *calls, w.leave(1, 1000)]
    path = tmp_path / "x.ftrace"
    functions = [w.function(1, "f"), w.function(2, "g")]
    path.write_bytes(w.header() + w.facts(1, *functions) + w.events(2, *words, track=1))
    return open_trace(path)


def test_calls_wider_than_a_pixel_are_slices_of_their_own(trace: Trace) -> None:
    outer, inner = Timeline.open(trace).window([0], 0, 1000, px=100).tracks[0].rows
    assert (outer.start.tolist(), outer.duration.tolist()) == ([0], [1000])
    assert inner.start.tolist() == list(range(20, 1020, 100))
    assert set(inner.duration.tolist()) == {10}
    assert inner.flags.tolist() == [view.FAILED if call == 6 else 0 for call in range(10)]


def test_calls_that_start_in_one_pixel_are_merged(trace: Trace) -> None:
    found = Timeline.open(trace).window([0], 0, 1000, px=2)
    inner = found.tracks[0].rows[1]
    assert found.resolution_ns == 500
    assert inner.calls.tolist() == [5, 5]
    assert (inner.start.tolist(), inner.duration.tolist()) == ([20, 520], [410, 410])
    assert inner.flags.tolist() == [view.MERGED, view.MERGED | view.FAILED]
    assert [trace.functions[index].name for index in inner.function.tolist()] == ["g", "g"]


def test_only_calls_in_the_window_are_returned(trace: Trace) -> None:
    outer, inner = Timeline.open(trace).window([0], 130, 320).tracks[0].rows
    assert (outer.start.tolist(), outer.duration.tolist()) == ([0], [1000])
    assert inner.start.tolist() == [120, 220, 320]


def test_levels_beyond_the_depth_are_left_out(trace: Trace) -> None:
    rows = Timeline.open(trace).window([0], 0, 1000, depth=1).tracks[0].rows
    assert [row.depth for row in rows] == [0]


def test_a_chain_is_a_call_and_its_callers(trace: Trace) -> None:
    found = Timeline.open(trace).chain(0, 620, 1)
    assert found.start.tolist() == [0, 620]
    assert found.parent_function.tolist() == [-1, 0]
    assert trace.text(int(found.text_at[1]), int(found.text_bytes[1])) == "boom"
    assert len(Timeline.open(trace).chain(0, 621, 1)) == 0


def test_an_overview_counts_calls_failures_and_tracks(trace: Trace) -> None:
    found = Timeline.open(trace).overview(5)
    assert found.bin_ns == 256
    assert found.calls.tolist() == [4, 2, 3, 2]
    assert found.failed.tolist() == [0, 0, 1, 0]
    assert found.tracks.tolist() == [1, 1, 1, 1]


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    return lambda name, value: monkeypatch.setattr(timeline_module, name, value)


def test_calls_of_some_pixels_are_merged_where_too_much_would_be_read(
    trace: Trace, limits: Callable[[str, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "STRIP_WORDS", 4)
    timeline = Timeline.open(trace)
    assert timeline.window([0], 0, 1000, px=100).resolution_ns == 10
    limits("_MAX_STRIPS", 0)
    found = timeline.window([0], 0, 1000, px=100)
    assert found.resolution_ns > 10
    check_window(trace, found, [0], 256)


def test_slices_are_merged_until_they_are_few_enough(
    trace: Trace, limits: Callable[[str, int], None]
) -> None:
    timeline = Timeline.open(trace)
    limits("_MAX_SLICES", 4)
    found = timeline.window([0], 0, 1000, px=1000)
    assert found.slices <= 4
    check_window(trace, found, [0], 256)


def test_a_list_of_which_only_a_part_was_read_is_not_exact(
    trace: Trace, limits: Callable[[str, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "STRIP_WORDS", 4)
    timeline = Timeline.open(trace)
    assert timeline.calls_in(CallQuery(functions=[1])).is_exact
    limits("_MAX_STRIPS_OF_PAGE", 1)
    found = timeline.calls_in(CallQuery(functions=[1]))
    assert not found.is_exact
    assert 0 < found.total < 10


def test_the_progress_ends_with_all_that_is_done(trace: Trace) -> None:
    parts: list[float] = []
    Timeline.open(trace, progress=parts.append)
    assert parts
    assert parts == sorted(parts)
    assert parts[-1] == 1.0


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(0, 600),
    st.sampled_from([0, 1, 1500]),
    st.sampled_from([1, 10, 50_000]),
    st.sampled_from([1, 2, 5, 16, 1024]),
    st.lists(
        st.tuples(
            st.integers(0, 4000), st.integers(0, 4000), st.integers(1, 60), st.integers(1, 9)
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_windows_of_random_programs(
    seed: int,
    steps: int,
    max_strips: int,
    max_slices: int,
    strip_words: int,
    windows: list[tuple[int, int, int, int]],
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(index, "STRIP_WORDS", strip_words),
        patch.object(timeline_module, "_MAX_STRIPS", max_strips),
        patch.object(timeline_module, "_MAX_SLICES", max_slices),
    ):
        path = Path(folder) / "x.ftrace"
        path.write_bytes(Program(seed, steps).written())
        trace = open_trace(path)
        timeline = Timeline.open(trace)
        tracks = range(len(trace.tracks))
        for first, second, px, depth in windows:
            since, until = sorted((first, second))
            check_window(trace, timeline.window(tracks, since, until, px, depth), tracks, depth)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 1 << 32))
def test_windows_of_traces_that_make_little_sense(seed: int) -> None:
    """With gaps, hidden, inherited and suspended calls in every strip."""
    chance = Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.ftrace"
        path.write_bytes(fuzz.generated(chance, forks=True))
        fuzz.view(path, chance)


@pytest.mark.parametrize("strip_words", [1, 3, 1024])
@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_windows_of_vectors(path: Path, strip_words: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "STRIP_WORDS", strip_words)
    trace = open_trace(path)
    timeline, tracks = Timeline.open(trace), range(len(trace.tracks))
    first, last = trace.span
    for parts in (1, 2, 5):
        width = (last - first) // parts + 1
        for part in range(parts):
            since = first + part * width
            found = timeline.window(tracks, since, since + width, px=10)
            if trace.ticks_per_second == 1e9:
                check_window(trace, found, tracks, 256)
            else:
                assert found.slices > 0 or trace.events == 0 or parts > 1


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_figures_of_tracks_of_vectors(path: Path) -> None:
    trace = open_trace(path)
    spans, found = spans_of(trace), Timeline.open(trace).tracks()
    for track in range(len(trace.tracks)):
        own = spans.track == track
        assert int(found.calls[track]) == int(own.sum())
        assert int(found.failed[track]) == int(((spans.flags[own] & FAILED) > 0).sum())
        assert int(found.depth[track]) == (int(spans.depth[own].max()) + 1 if own.any() else 0)
        assert int(found.start[track]) <= min([*spans.start[own].tolist(), 1 << 62])


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(0, 200),
    st.sampled_from(["start", "duration", "self"]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 60),
    st.integers(0, 20),
    st.sampled_from([1, 4, 1024]),
)
def test_pages_of_calls_of_random_programs(
    seed: int,
    steps: int,
    order: Order,
    descending: bool,
    failed_only: bool,
    min_duration_ns: int,
    offset: int,
    strip_words: int,
) -> None:
    query = CallQuery(
        from_ns=seed % 500,
        to_ns=seed % 500 + 2000,
        functions=range(seed % 4, 9),
        failed_only=failed_only,
        min_duration_ns=min_duration_ns,
        order=order,
        descending=descending,
        offset=offset,
        limit=10,
    )
    with tempfile.TemporaryDirectory() as folder, patch.object(index, "STRIP_WORDS", strip_words):
        path = Path(folder) / "x.ftrace"
        path.write_bytes(Program(seed, steps).written())
        trace = open_trace(path)
        spans = spans_of(trace)
        found = Timeline.open(trace).calls_in(query)
    chosen = (spans.start <= seed % 500 + 2000) & (spans.start + spans.duration >= seed % 500)
    chosen &= spans.duration >= min_duration_ns
    chosen &= spans.function >= seed % 4
    if failed_only:
        chosen &= (spans.flags & FAILED) > 0
    expected = np.sort(getattr(spans, order)[chosen])
    expected = expected[::-1] if descending else expected
    assert (found.total, found.is_exact) == (len(expected), True)
    assert getattr(found, order).tolist() == expected[offset:][:10].tolist()
