"""Reports on a store: the figures of the traces, their coverage, and what is refused."""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from functrace.cli import verbs
from functrace.errors import FunctraceError, UsageError
from functrace.rollup.stored_chains import stored_chains
from tests.analysis.recorded import Recorded
from tests.cli import faulty, hostile, shop
from tests.rollup import service


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two processes of a shop and one of a cart, and a store of their rollups."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "traces").mkdir()
    for number, (name, release) in enumerate((("shop", "1.4"), ("shop", "1.5"), ("cart", "2")), 1):
        service.write(
            tmp_path / "traces" / f"{number}.ftrace",
            key=f"{number:016x}",
            service=name,
            seconds=60 * number,
            options={"FUNCTRACE_RELEASE": release},
        )
    assert functrace("rollup traces -o store").exit_code == 0
    return tmp_path


def functrace(line: str) -> Result:
    return CliRunner().invoke(verbs.functrace, line.split())


def printed(line: str) -> Any:
    done = functrace(line)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


REPLAY = "functrace replay"
# What rollups do not have, or know less exactly.
_PLACES = re.compile(
    r"text|file|line|trace|traces|example|started_at|demoted|partial|partial_traces|coverage"
)


def without_places(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: each for key, each in value.items() if not _PLACES.fullmatch(key)}
        return {key: without_places(each) for key, each in kept.items()}
    if isinstance(value, list):
        return [without_places(each) for each in value]
    return value


@pytest.mark.parametrize(
    "line",
    [
        "callers Get {} --json",
        "callers main.main {} --json",
        "callers Get {} --errors --min-count 21 --json",
        "graph main.main {} --json",
        "graph Get {} --json",
        "report {} --json",
        "report {} --errors --sort calls --json",
    ],
)
def test_reports_are_those_of_the_traces(line: str) -> None:
    of_traces = printed(line.format("traces/1.ftrace traces/2.ftrace"))
    of_store = printed(line.format("--store store --service shop"))
    assert without_places(of_store) == without_places(of_traces)


def test_the_shop_with_recursion_goroutines_and_panics(folder: Path) -> None:
    shop.monday(folder)
    trace = str(next(folder.glob("*.ftrace")).name)
    assert functrace(f"rollup {trace} -o monday --window 1h").exit_code == 0
    for line in ("callers Get {} --json", "graph main.main {} --min-share 0 --json"):
        of_store, of_trace = printed(line.format("--store monday")), printed(line.format(trace))
        assert without_places(of_store) == without_places(of_trace)


def test_calls_that_never_ended(folder: Path) -> None:
    faulty.faulty(folder / "faulty.ftrace")
    assert functrace("rollup faulty.ftrace -o faulty --window 1h").exit_code == 0
    of_store = printed("callers * --store faulty --json")
    assert any(chain["example"] is None for chain in of_store["chains"])
    assert functrace("callers * --store faulty").exit_code == 0
    of_trace = printed("callers * faulty.ftrace --json")
    assert of_store["unfinished"] == of_trace["unfinished"] > 0


def test_a_store_does_not_tell_how_many_calls_lack_callers() -> None:
    found = printed("callers Get --store store --json")
    assert {each["partial"] for each in (found, *found["chains"])} == {None}
    (tree,) = printed("graph Get --store store --service shop --json")["functions"]
    assert tree["partial"] is None


def test_text_of_callers() -> None:
    done = functrace("callers store.Get --errors --store store --service shop")
    assert done.output.splitlines() == [
        "store.Get: 182 calls, 60 failed (33.0%), total 11.1s, p50 45.6ms, p99 998ms, 1 chain",
        "",
        "#1  60 of 180 failed (33.3%)  p50 44.6ms  p99 118ms  total 9.09s  self 9.09s",
        "    main.main → store.Get",
        "    60x item # is locked",
        f"    first failed, at 2023-11-14T22:13:20.000000Z: {REPLAY} traces/1.ftrace --track 1",
        "",
        "2 of 2 instances, 3.0 min recorded",
    ]


def test_a_store_in_a_bucket() -> None:
    url = "memory://traces/prod"
    assert functrace(f"rollup traces -o {url}").exit_code == 0
    of_bucket, of_folder = (
        printed(f"callers Get --store {each} --json") for each in (url, "store")
    )
    assert (of_bucket.pop("traces"), of_folder.pop("traces")) == ([url], ["store"])
    assert of_bucket == of_folder
    assert printed(f"triage --store {url} --json")["traces"] == [url]


def test_services_are_kept_apart() -> None:
    found = printed("callers Get --store store --json")
    assert {step["service"] for chain in found["chains"] for step in chain["steps"]} == {
        "cart",
        "shop",
    }
    assert "cart: main.main → store.Get" in functrace("callers Get --store store").output
    (tree,) = [
        each
        for each in printed("graph main.main --store store --json")["functions"]
        if each["service"] == "cart"
    ]
    assert {each["service"] for each in tree["callees"]} == {"cart"}


@pytest.mark.parametrize(
    ("options", "calls"),
    [
        ("--release 1.4", 61),
        ("--release 1.?", 182),
        ("--release 1.4 --release 2", 242),
        ("--instance *3 --service cart", 181),
        ("--label host=web1 --label release=2", 181),
        ("--since 2023-11-14T22:15:20Z", 100),
        ("--until 2023-11-14T22:14", 123),
    ],
)
def test_selections(options: str, calls: int) -> None:
    assert printed(f"callers Get --store store {options} --json")["calls"] == calls


def test_triage(folder: Path) -> None:
    recorded = Recorded("main.main", "main.load", "store.Get")
    track = recorded.goroutine(1)
    track.call("store.Get", times=400, took=1000)
    track.call("store.Get", took=900_000_000)
    recorded.write(folder / "slow.ftrace")
    assert functrace("rollup slow.ftrace -o store --service slow --release 7").exit_code == 0
    lines = functrace("triage --store store --service slow").output.splitlines()
    assert lines[:4] == [
        "store: 401 calls",
        "Slow outliers",
        "  store.Get took 900ms; p50 1.00µs, p99 1.00µs",
        "    store.Get",
    ]
    command = "functrace callers --sort p99 --store store --service slow store.Get"
    assert lines[4].strip() == command
    assert functrace(command.removeprefix("functrace ")).exit_code == 0

    lines = functrace("triage --store store --service shop").output.splitlines()
    assert lines[1:4] == [
        "Failing",
        "  store.Get failed 60x, 33.0% of 182 calls: item # is locked",
        "    main.main → store.Get",
    ]
    found = printed("triage --store store --service shop --json")
    (failing,) = found["failing"]
    assert (failing["function"], failing["pattern"]) == ("store.Get", "item # is locked")
    assert (failing["count"], failing["calls"]) == (60, 182)
    assert failing["first_failure_ns"] is None
    assert found["coverage"]["instances"] == 2
    command = failing["command"].removeprefix("functrace ")
    assert printed(f"{command} --json")["failed"] == 60


def test_failures_count_where_they_came_from(folder: Path) -> None:
    shop.monday(folder)
    (trace,) = folder.glob("*.ftrace")
    assert functrace(f"rollup {trace.name} -o monday --window 1h").exit_code == 0
    of_store, of_trace = (printed(f"triage {a} --json") for a in ("--store monday", trace.name))
    of_store, of_trace = (
        sorted((each["function"], each["count"], each["is_panic"]) for each in found["failing"])
        for found in (of_store, of_trace)
    )
    assert of_store == of_trace
    assert len(of_store) > 1


def test_services_of_a_store() -> None:
    assert functrace("services --store store").output.splitlines() == [
        "instances  calls  failed           service",
        "        1    182      60  (33.0%)  cart @ 2",
        "        2    184      60  (32.6%)  shop @ 1.4, 1.5",
        "",
        "which service calls which requires traces: a store has no joins of requests",
        "",
        "3 of 3 instances, 6.0 min recorded",
    ]
    found = printed("services --store store --release 1.5 --json")
    assert found["services"] == [
        {"name": "shop", "releases": ["1.5"], "process_count": 1, "calls": 122, "failed": 40}
    ]
    assert found["coverage"]["instances"] == 1


@pytest.mark.parametrize("by", ["time", "calls", "errors"])
def test_folded_stacks_are_those_of_the_trace(by: str) -> None:
    of_trace = functrace(f"export traces/3.ftrace --to folded --by {by}").stdout
    of_store = functrace(f"export --store store --service cart --to folded --by {by}").stdout
    assert of_store
    assert sorted(of_store.splitlines()) == sorted(of_trace.splitlines())


def test_exports_of_several_services(folder: Path) -> None:
    stacks = functrace("export --store store --to folded --by calls").stdout.splitlines()
    assert sorted(stacks) == [
        "cart;main.main 1",
        "cart;main.main;store.Get 1",
        "cart;main.main;store.Get 180",
        "shop;main.main 2",
        "shop;main.main;store.Get 180",
        "shop;main.main;store.Get 2",
    ]
    done = functrace("export --store store --to flamegraph -o flames.svg")
    assert "3 of 3 instances" in done.stderr
    flames = (folder / "flames.svg").read_text()
    assert ">cart, shop</text>" in flames
    assert "item # is locked" in flames
    graph = functrace("export --store store --to dot").stdout
    assert "store.Get" in graph
    profile = functrace("export --store store --to pprof -o profile.pb.gz")
    assert profile.exit_code == 0
    assert b"item # is locked" in gzip.decompress((folder / "profile.pb.gz").read_bytes())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("export --store store --to perfetto", "allows folded, flamegraph, pprof, dot, svg"),
        ("export --store store --to folded --limit 1", "--limit does not apply to --to folded"),
        ("services --store store --to dot", "a store has no joins of requests"),
        ("callers Get traces --store store", "--store store is read in place of traces"),
        ("report traces --since 1h", "--since requires --store"),
        ("graph Get --store store --label color=red", "no such label; labels are service"),
        ("report --store store --since soon", "--since soon: not an age such as 24h or 7d"),
        ("callers Get --store store --min-duration 1s", "use --sort p99"),
    ],
)
def test_wrong_usage(line: str, message: str) -> None:
    done = functrace(line)
    assert isinstance(done.exception, UsageError)
    assert message in str(done.exception)


@pytest.mark.parametrize("line", ["callers Get", "report", "graph Get"])
def test_neither_traces_nor_a_store(line: str) -> None:
    done = functrace(line)
    assert done.exit_code == 2
    assert "Missing argument 'TRACE...', or option '--store'." in done.output


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("callers Gte --store store", "no function matches Gte; did you mean store.Get?"),
        ("graph Get --store store --service none", "no function was recorded"),
        ("callers main --store store --errors", "main: none of 3 calls failed"),
        ("report --store store --since 1h", "no call of a matching function was recorded"),
        ("services --store store --service none", "no rollup is selected"),
        ("report --store traces", "traces: not a store of functrace rollup"),
    ],
)
def test_nothing_to_report(line: str, message: str) -> None:
    done = functrace(line)
    assert isinstance(done.exception, FunctraceError)
    assert str(done.exception).startswith(message)


def test_damaged_files_are_named_and_the_rest_is_reported(folder: Path) -> None:
    file = next((folder / "store" / "chains" / "service=cart").rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-9])
    done = functrace("report --store store")
    assert "302" not in done.stdout
    assert "2 of 3 instances" in done.stdout
    path = file.relative_to(folder)
    assert done.stderr.startswith(f"functrace: {path}: not a rollup: ")
    assert str(done.exception) == "1 file of the store could not be read; the rest is above"
    found = json.loads(functrace("report --store store --json").stdout)
    assert found["coverage"]["expected_instances"] == 3


def test_what_traces_lack_is_below_the_report(folder: Path) -> None:
    service.write(folder / "full.ftrace", key="f" * 16, service="full", flags=3)
    assert functrace("rollup full.ftrace -o store").exit_code == 0
    found = printed("report --store store --service full --json")["coverage"]
    (loss,) = found["losses"]
    assert loss["instances"] == 1
    assert loss["loss"] in functrace("report --store store --service full").output


def test_chains_that_contradict_their_ids() -> None:
    row = {"service": "shop", "chain": b"x" * 16, "parent": b"x" * 16, "function": "main.main"}
    with pytest.raises(FunctraceError, match=r"store: the id of a chain of shop to main.main is"):
        stored_chains("store", [{**row, "started": False}])


def test_without_duckdb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    done = functrace("report --store store")
    assert "requires duckdb, a package of the extra store; install it" in str(done.exception)


def test_names_that_control_a_terminal(folder: Path) -> None:
    (folder / "x.ftrace").write_bytes(hostile.trace())
    assert functrace("rollup x.ftrace -o hostile").exit_code == 0
    for line in ("callers * --store hostile", "report --store hostile", "graph * --store hostile"):
        assert "\x1b" not in functrace(line).output


@pytest.mark.parametrize("until", ["2262-04-12T00:00Z", "9999-12-31T23:59-01:00"])
def test_times_beyond_those_of_windows(until: str) -> None:
    line = "report --store store --json"
    assert printed(f"{line} --until {until}") == printed(line)
    done = functrace(f"report --store store --since {until}")
    assert isinstance(done.exception, FunctraceError)
    assert "no call of a matching function was recorded" in str(done.exception)
    assert "not a rollup" not in done.output


@pytest.mark.parametrize("option", ["--service", "--release", "--instance"])
def test_a_label_that_is_not_utf_8(option: str) -> None:
    done = functrace(f"report --store store {option} web\udcff")
    assert isinstance(done.exception, UsageError)
    assert str(done.exception) == rf"{option[2:]} web\xff: not valid UTF-8"
