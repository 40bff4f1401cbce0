"""Every report names the functions that were not recorded because of FUNCTRACE_BUDGET."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.tracefile import writer as w

VECTOR = Path(__file__).parents[1] / "vectors" / "demoted.ftrace"
NOTE = (
    "2 functions were not recorded all the time because of FUNCTRACE_BUDGET=3%: main.price for"
    " 48ns, main.work from 70ns on; chains lack their calls, and the durations of their failed"
    " calls are unknown; failed calls of 1 function are missing too"
)
PRICE = {"begin_ns": 32, "end_ns": 80, "calls_per_second": 42_000_000, "has_failures": True}
WORK = {"begin_ns": 70, "end_ns": None, "calls_per_second": 9_000_000, "has_failures": False}


@pytest.fixture
def demoted(module: Path, functrace: Run) -> Run:
    shutil.copy(VECTOR, module / "x.ftrace")
    return functrace


def trace_of(*facts: bytes, calls: int = 1) -> bytes:
    words = [w.track(1, 1000)]
    for call in range(calls):
        words += [w.enter(1, 10 * call + 10), w.leave(1, 10 * call + 15)]
    names = [w.function(number, f"main.f{number}") for number in range(1, 8)]
    return w.header(version=2) + w.facts(1, *names, *facts) + w.events(2, *words, track=1)


def one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    "line",
    [
        "report x.ftrace",
        "callers price x.ftrace",
        "graph main.* x.ftrace",
        "replay x.ftrace",
        "replay x.ftrace --tree",
        "diff x.ftrace x.ftrace",
        "triage x.ftrace",
    ],
)
def test_below_every_report(demoted: Run, line: str) -> None:
    done = demoted(*line.split())
    assert done.returncode == 0
    assert one_line(done.stdout).count(NOTE) == 1
    assert "functrace info x.ftrace" in one_line(done.stdout)


def test_beside_an_export(demoted: Run) -> None:
    done = demoted("export", "--to", "folded", "x.ftrace")
    assert NOTE in done.stderr
    assert NOTE not in done.stdout


@pytest.mark.parametrize(
    "line",
    [
        "report --include main.work x.ftrace",
        "callers work x.ftrace",
        "graph work x.ftrace",
        "replay --around work x.ftrace",
    ],
)
def test_a_function_without_calls_may_be_demoted(demoted: Run, line: str) -> None:
    done = demoted(*line.split())
    assert (done.returncode, done.stdout) == (1, "")
    assert NOTE in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "report x.ftrace",
        "callers price x.ftrace",
        "graph main x.ftrace",
        "diff x.ftrace x.ftrace",
        "triage x.ftrace",
    ],
)
def test_json_of_reports(demoted: Run, line: str) -> None:
    spans = json.loads(demoted(*line.split(), "--json").stdout)["demoted"]
    assert spans[0] == {"trace": "x.ftrace", "function": "main.price", **PRICE}
    assert spans[2] == {"trace": "x.ftrace", "function": "main.work", **WORK}
    assert len(spans) == (6 if line.startswith("diff") else 3)


def test_json_of_one_trace(demoted: Run) -> None:
    (of_info,) = json.loads(demoted("info", "--json", "x.ftrace").stdout)["traces"]
    document = json.loads(demoted("export", "--to", "json", "x.ftrace").stdout)
    lines = demoted("replay", "--json", "x.ftrace").stdout.splitlines()
    for trace in (of_info, document["processes"][0], json.loads(lines[0])):
        assert trace["demoted"][2] == {"function": "main.work", **WORK}
    assert of_info["budget_ppm"] == 30_000


def test_info_lists_all(module: Path, functrace: Run) -> None:
    changes = [w.demotion(number, 1000 + number, 9 - number) for number in range(1, 8)]
    (module / "x.ftrace").write_bytes(trace_of(*changes))
    found = functrace("info", "x.ftrace").stdout
    assert [line.split()[1] for line in found.splitlines() if "demoted" in line] == [
        f"main.f{number}" for number in range(1, 8)
    ]
    assert "budget" not in found
    note = one_line(functrace("report", "x.ftrace").stdout)
    assert "because of FUNCTRACE_BUDGET: main.f1 from 1ns on, main.f2" in note
    assert "main.f3 from 3ns on and 4 more; chains lack" in note
    assert "missing too" not in note


def test_no_failures_at_all(module: Path, functrace: Run) -> None:
    (module / "x.ftrace").write_bytes(trace_of(w.demotion(1, 1030, value=3)))
    note = one_line(functrace("report", "x.ftrace").stdout)
    assert "main.f1 from 30ns on; chains lack its calls, failed ones included; functrace" in note


def test_a_demotion_before_the_oldest_event_affects_nothing(module: Path, functrace: Run) -> None:
    changes = w.demotion(1, 1001), w.promotion(1, 1005)
    (module / "x.ftrace").write_bytes(trace_of(*changes))
    assert "FUNCTRACE_BUDGET" not in functrace("report", "x.ftrace").stdout
    assert "nothing missing" in functrace("triage", "x.ftrace").stdout
    assert "demoted  main.f1 for 4ns" in functrace("info", "x.ftrace").stdout


def test_many_traces(module: Path, functrace: Run) -> None:
    for number in range(5):
        (module / f"{number}.ftrace").write_bytes(trace_of(w.demotion(2, 1000)))
    note = one_line(functrace("report", ".").stdout)
    assert note.count("1 function was not recorded all the time") == 3
    assert note.endswith("functions of 2 more traces were not recorded either")


@pytest.mark.parametrize(
    ("change", "spans", "invalid"),
    [
        (w.promotion(1, 1010), [], 0),
        (w.demotion(1, 5) + w.promotion(1, 3), [("main.f1", 0, 0)], 0),
        (w.demotion(1, (1 << 64) - 1), [("main.f1", 1 << 60, None)], 0),
        (w.demotion(1, 1050) + w.promotion(1, 1020), [("main.f1", 50, 50)], 0),
        (w.demotion(9, 1050), [], 1),
        (w.demotion(0, 1050), [], 1),
        (w.demotion((1 << 32) - 1, 1050) + w.promotion((1 << 32) - 1, 1), [], 2),
        (w.record(18, bytes(15), 1), [], 1),
        (w.record(18, w.demotion(1, 1007)[8:] + bytes(8), 1), [("main.f1", 7, None)], 0),
        (w.demotion(1, 1000, value=0xFFFF), [("main.f1", 0, None)], 0),
        (w.demotion(1, 1000) * 100_003, [("main.f1", 0, None)], 3),
    ],
)
def test_hostile_records(
    module: Path, functrace: Run, change: bytes, spans: list[tuple[object, ...]], invalid: int
) -> None:
    (module / "x.ftrace").write_bytes(trace_of(change))
    done = functrace("info", "--json", "x.ftrace")
    (found,) = json.loads(done.stdout)["traces"]
    assert [(s["function"], s["begin_ns"], s["end_ns"]) for s in found["demoted"]] == spans
    damage = " ".join(found["damage"])
    assert ("demoted function" in damage) == bool(invalid)
    assert not invalid or damage.startswith(f"{invalid} record")


@pytest.mark.parametrize("budget", ["true", '"3%"', "0", "-1", "1000001", "1e9", "[]", "null"])
def test_a_budget_that_is_none(module: Path, functrace: Run, budget: str) -> None:
    (module / "x.ftrace").write_bytes(trace_of(w.process(f'{{"budget_ppm": {budget}}}')))
    (found,) = json.loads(functrace("info", "--json", "x.ftrace").stdout)["traces"]
    assert found["budget_ppm"] is None
