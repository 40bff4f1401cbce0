"""Rollups of traces: what they have of a trace's chains, windows, labels and losses."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functrace.analysis import fold
from functrace.rollup.chain_ids import NO_PARENT, chain_id
from functrace.rollup.error_texts import ErrorText
from functrace.rollup.figures import ChainFigures, Example, merged
from functrace.rollup.from_trace import MINUTE_NS, rollups_of
from functrace.rollup.labels import Labels, labels_of, recording_id
from functrace.rollup.rollup import HOUR_NS, Rollup
from functrace.tracefile import open_trace
from tests.analysis.recorded import Recorded
from tests.otlp.program import Program
from tests.rollup import service
from tests.rollup.service import SECOND, STARTED
from tests.tracefile import writer as w

MAIN = chain_id(NO_PARENT, "main.main", started=False)
GET = chain_id(MAIN, "store.Get", started=False)
STARTED_GET = chain_id(MAIN, "store.Get", started=True)


def rollups(path: Path, width_ns: int = MINUTE_NS) -> list[Rollup]:
    trace = open_trace(path)
    return list(rollups_of(trace, labels_of(trace), width_ns))


def test_a_call_counts_in_the_window_in_which_it_ended(tmp_path: Path) -> None:
    (found,) = rollups(service.write(tmp_path / "x.ftrace"))
    first = STARTED // MINUTE_NS * MINUTE_NS  # at 22:13:00, 20 seconds before the trace
    calls = {
        ((window - first) // MINUTE_NS, chain): figures.calls
        for (window, chain), figures in found.figures.items()
    }
    assert calls == {(0, GET): 40, (0, STARTED_GET): 1, (1, GET): 60, (2, GET): 50, (2, MAIN): 1}
    assert found.hour_ns == STARTED // HOUR_NS * HOUR_NS
    assert found.chains[GET].parent == found.chains[STARTED_GET].parent == MAIN
    assert found.chains[STARTED_GET].started


def test_figures_of_a_chain(tmp_path: Path) -> None:
    path = service.write(tmp_path / "x.ftrace")
    (found,) = rollups(path)
    window = STARTED // MINUTE_NS * MINUTE_NS + MINUTE_NS
    figures = found.figures[window, GET]  # the seconds 40 to 99
    assert (figures.calls, figures.failed, figures.panicked) == (60, 20, 0)
    assert (figures.min_ns, figures.max_ns) == (41_000_000, 100_000_000)
    assert figures.total_ns == figures.self_ns == sum(range(41, 101)) * 1_000_000
    assert figures.errors.counts == {ErrorText("item # is locked", False): 20}
    assert figures.errors.undercount == 0
    assert figures.example == Example(STARTED + 42 * SECOND + 10, str(path), 1)
    assert sum(calls for _, calls in figures.buckets) == 60


def test_hours_are_rollups_of_their_own(tmp_path: Path) -> None:
    path = service.write(tmp_path / "x.ftrace", started=STARTED // HOUR_NS * HOUR_NS - 60 * SECOND)
    before, after = rollups(path)
    assert after.hour_ns - before.hour_ns == HOUR_NS
    assert before.recording == after.recording
    for chain, calls in ((GET, 150), (MAIN, 1)):
        rows = [r.figures for r in (before, after)]
        assert sum(f.calls for row in rows for (_, c), f in row.items() if c == chain) == calls


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 300))
def test_rollups_have_the_figures_of_the_fold(seed: int, steps: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.ftrace"
        path.write_bytes(Program(seed, steps).written())
        trace = open_trace(path)
        chains = fold(trace)
        found: Counter[tuple[str, str]] = Counter()
        for each in rollups(path):
            for (_, chain), figures in each.figures.items():
                assert sum(figures.errors.counts.values()) <= figures.failed <= figures.calls
                for name in ("calls", "unfinished", "total_ns", "self_ns", "suspended_ns"):
                    found[each.chains[chain].function, name] += getattr(figures, name)
        expected: Counter[tuple[str, str]] = Counter()
        columns = {
            "calls": chains.calls,
            "unfinished": chains.unfinished,
            "total_ns": chains.total,
            "self_ns": chains.self,
            "suspended_ns": chains.suspended,
        }
        for node in range(len(chains)):
            for name, column in columns.items():
                function = trace.functions[int(chains.function[node])].name
                expected[function, name] += int(column[node])
        for key in found.keys() | expected.keys():
            if key[1] in ("calls", "unfinished") or trace.ticks_per_second == 1e9:
                assert found[key] == expected[key], key
        trace.close()


def test_windows_of_any_length_add_up(tmp_path: Path) -> None:
    path = service.write(tmp_path / "x.ftrace")
    sums = []
    for width_ns in (SECOND, 10 * SECOND, MINUTE_NS, HOUR_NS):
        (found,) = rollups(path, width_ns)
        of_chain: dict[bytes, list[ChainFigures]] = {}
        for (_, chain), figures in found.figures.items():
            of_chain.setdefault(chain, []).append(figures)
        sums.append({chain: merged(several) for chain, several in of_chain.items()})
    assert all(each == sums[0] for each in sums)


def test_functions_of_the_same_name_are_one_chain(tmp_path: Path) -> None:
    functions = (w.function(1, "shop.Shop.total", line=3), w.function(2, "shop.Shop.total", line=8))
    words = [w.enter(1, 1), w.leave(1, 2), w.enter(2, 3), w.leave(2, 7)]
    path = tmp_path / "x.ftrace"
    path.write_bytes(w.header() + w.facts(1, *functions) + w.events(2, w.track(1, 1000), *words))
    (found,) = rollups(path)
    (figures,) = found.figures.values()
    assert (figures.calls, figures.total_ns) == (2, 5)


def test_labels(tmp_path: Path) -> None:
    options = {"FUNCTRACE_RELEASE": "1.4"}
    path = service.write(tmp_path / "x.ftrace", service="orders", options=options)
    trace = open_trace(path)
    key = "00000000000000aa"
    assert labels_of(trace) == Labels("orders", "1.4", key, "web1", "shop@v1.2")
    given = labels_of(trace, service="s", release="r", instance="i")
    assert given == Labels("s", "r", "i", "web1", "shop@v1.2")


def test_labels_of_a_trace_without_facts(tmp_path: Path) -> None:
    trace = open_trace(Recorded("main.f").write(tmp_path / "x.ftrace"))
    recording = recording_id(trace)
    assert labels_of(trace) == Labels("shop", "", recording, "web1", "")


@pytest.mark.parametrize("wrong", [7, None, ["x"], {"FUNCTRACE_RELEASE": 7}])
def test_labels_of_wrong_facts(tmp_path: Path, wrong: object) -> None:
    facts = dict.fromkeys(("service", "options", "build", "host", "argv"), wrong)
    trace = open_trace(service.write(tmp_path / "x.ftrace", **facts))
    assert labels_of(trace).service == "x"


def test_what_is_missing_is_in_the_rollup(tmp_path: Path) -> None:
    demoted = (w.demotion(2, 1000 + 70 * SECOND), w.promotion(2, 1000 + 80 * SECOND))
    path = service.write(tmp_path / "x.ftrace", flags=2, extra=demoted)
    (found,) = rollups(path)
    first = STARTED // MINUTE_NS * MINUTE_NS
    names = [found.coverage[first + n * MINUTE_NS].demoted for n in range(3)]
    assert names == [frozenset(), {"store.Get"}, frozenset()]
    for coverage in found.coverage.values():
        assert (
            "recording stopped because the file was full; later calls are missing"
            in coverage.missing
        )
    assert [round(each.seconds) for each in found.coverage.values()] == [40, 60, 50]


def test_a_window_without_calls_has_a_row_if_a_function_was_demoted(tmp_path: Path) -> None:
    """Demotions are from 0:00:20 to 1:20:00 after the start, which is 13:20 after the full hour."""
    found = rollups(service.write_with_demotion(tmp_path / "x.ftrace"))
    coverage = {start: each for rollup in found for start, each in rollup.coverage.items()}
    assert [len(rollup.coverage) for rollup in found] == [47, 34, 1]
    assert [len(rollup.figures) for rollup in found] == [1, 0, 1]
    assert sum(each.demoted == {"store.Get"} for each in coverage.values()) == 81
    assert not any(each.missing for each in coverage.values())
    assert sum(each.seconds for each in coverage.values()) == pytest.approx(
        81 * 60 - 20 + 20, abs=1
    )


def test_a_damaged_trace_of_many_years_is_read(tmp_path: Path) -> None:
    words = [w.enter(1, 1), w.base(1 << 60), w.leave(1, 5)]
    path = tmp_path / "x.ftrace"
    path.write_bytes(w.header() + w.FUNCTIONS + w.events(2, w.track(1, 1000), *words))
    assert [figures.calls for each in rollups(path) for figures in each.figures.values()] == [1]
