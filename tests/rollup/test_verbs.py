"""functrace rollup and functrace store, as a user runs them, and the queries of docs/rollups.md."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from functrace.cli import verbs
from tests.cli import hostile
from tests.rollup import service

PAGE = (Path(__file__).parents[2] / "docs" / "rollups.md").read_text("utf-8")
QUERIES, OF_CLICKHOUSE = (
    re.findall(r"^```sql\n(.*?)^```", part, re.DOTALL | re.MULTILINE)
    for part in PAGE.split("\n### ClickHouse\n")
)
ROWS_OF_QUERIES = {
    0: [("1.4", "store.Get", 151, 50), ("1.4", "main.main", 1, 0)],
    1: [(["main.main", "store.Get"], 302, 100, 2)],
    2: [("1.4", 148_000_000.0)],
    3: [("1.4", "item # is locked", 50)],
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def functrace(*arguments: str) -> Result:
    return CliRunner().invoke(verbs.functrace, arguments)


def shops(folder: Path) -> None:
    for number, release in enumerate(("1.4", "1.5"), 1):
        service.write(
            folder / f"{number}.ftrace",
            key=f"{number:016x}",
            service="shop",
            options={"FUNCTRACE_RELEASE": release},
        )


def test_traces_into_a_store(folder: Path) -> None:
    shops(folder)
    done = functrace("rollup", ".", "-o", "traces")
    assert done.output.splitlines() == [
        "shop@1.4 0000000000000001 2023-11-14T22: 3 windows, 3 chains, 152 calls",
        "shop@1.5 0000000000000002 2023-11-14T22: 3 windows, 3 chains, 152 calls",
    ]
    done = functrace("store", "compact", "traces")
    assert re.fullmatch(r"shop 2023-11-14T22: 2 files into 1, [\d.]+ kB\n", done.output)
    assert functrace("store", "compact", "traces").output == "nothing to compact\n"
    assert functrace("store", "compact", "traces", "--max-age", f"{10**30}h").exit_code == 0
    done = functrace("store", "compact", "traces", "--max-age", "720h")
    assert done.output == "shop 2023-11-14T22: 1 file removed\n"


def test_json(folder: Path) -> None:
    shops(folder)
    labels = ["--service", "s", "--release", "r", "--instance", "i", "--window", "1h"]
    done = functrace("rollup", "1.ftrace", "-o", "traces", *labels, "--json")
    assert json.loads(done.output) == {
        "store": "traces",
        "rollups": [
            {
                "trace": "1.ftrace",
                "service": "s",
                "release": "r",
                "instance": "i",
                "hour": "2023-11-14T22",
                "window_count": 1,
                "chain_count": 3,
                "calls": 152,
                "failed": 50,
            }
        ],
    }
    assert json.loads(functrace("store", "compact", "traces", "--json").output)["compacted"] == []


def test_copies_of_a_recording_count_once(folder: Path) -> None:
    shops(folder)
    service.write(folder / "0.ftrace", key=f"{1:016x}", service="shop", seconds=10)
    done = functrace("rollup", "0.ftrace", "1.ftrace", "-o", "traces")
    assert (
        "0.ftrace: counts only in hours without calls in 1.ftrace, a longer trace of the same"
        " recording" in done.output
    )
    assert "152 calls" in done.output
    assert len(list(Path("traces").rglob("*.parquet"))) == 2


@pytest.mark.parametrize("window", ["0", "7m", "1500ms", "2h", "x"])
def test_windows_that_do_not_fit_an_hour(folder: Path, window: str) -> None:
    shops(folder)
    done = functrace("rollup", "1.ftrace", "-o", "traces", "--window", window)
    assert done.exit_code != 0
    assert not Path("traces").exists()


def test_a_store_that_does_not_exist() -> None:
    done = functrace("store", "compact", "nowhere")
    assert done.exit_code == 1
    assert "nowhere: not a store of functrace rollup" in str(done.exception)


def test_a_damaged_file_does_not_stop_the_compaction_of_other_hours(folder: Path) -> None:
    shops(folder)
    for name in ("a", "b"):
        functrace("rollup", ".", "-o", "traces", "--service", name)
    damaged = next(Path("traces/chains/service=a").rglob("*.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:-9])
    done = functrace("store", "compact", "traces")
    assert done.exit_code == 1
    assert f"{damaged}: not a rollup" in done.output
    assert "b 2023-11-14T22: 2 files into 1" in done.output
    assert damaged.exists()


def test_names_that_control_a_terminal(folder: Path) -> None:
    (folder / "x.ftrace").write_bytes(hostile.trace())
    done = functrace("rollup", "x.ftrace", "-o", "traces", "--service", hostile.ARGUMENT)
    assert done.exit_code == 0, done.output
    assert "\x1b" not in done.output


@pytest.mark.parametrize("number", range(len(QUERIES)))
def test_queries_of_the_page(folder: Path, number: int) -> None:
    duckdb = pytest.importorskip("duckdb")
    shops(folder)
    functrace("rollup", ".", "-o", "traces")
    found = [duckdb.sql(QUERIES[number]).fetchall()]
    functrace("store", "compact", "traces")
    found.append(duckdb.sql(QUERIES[number]).fetchall())
    assert sorted(map(str, found[0])) == sorted(map(str, found[1]))
    check_rows(found[0], number)


def check_rows(found: list[tuple[Any, ...]], number: int) -> None:
    """Check the rows that a query of the page found."""
    for row in ROWS_OF_QUERIES.get(number, []):
        if number == 2:
            ((p99,),) = [r[1:] for r in found if r[0] == row[0]]
            assert abs(p99 - row[1]) <= row[1] * 0.032
        else:
            assert row in found
    if number == 4:
        assert [(row[1], round(row[2])) for row in sorted(found)] == [
            (2, 80),
            (2, 120),
            (2, 100),
        ]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(OF_CLICKHOUSE)))
def test_queries_of_the_page_in_clickhouse(folder: Path, number: int) -> None:
    if importlib.util.find_spec("chdb") is None:
        pytest.skip("chdb, ClickHouse as a package, is not installed: pip install --group engines")
    shops(folder)
    functrace("rollup", ".", "-o", "traces")
    program = "import chdb, sys; print(chdb.query(sys.argv[1], 'JSONCompactEachRow'))"
    done = subprocess.run(
        [sys.executable, "-c", program, OF_CLICKHOUSE[number]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    check_rows([tuple(json.loads(line)) for line in done.stdout.splitlines() if line], number)


def test_windows_without_calls_are_in_the_store(folder: Path) -> None:
    """Functions were demoted in windows of three hours; calls ended in the first and the last."""
    service.write_with_demotion(folder / "cart.ftrace")
    assert functrace("rollup", "cart.ftrace", "-o", "carts").exit_code == 0
    for _ in range(2):
        found = json.loads(functrace("report", "--store", "carts", "--json").output)
        assert found["coverage"]["window_count"] == 82
        assert found["coverage"]["demoted_functions"] == [{"function": "store.Get", "instances": 1}]
        assert sum(row["calls"] for row in found["functions"]) == 2
        assert functrace("store", "compact", "carts").exit_code == 0
    hour = ("--since", "2023-11-14T23:00", "--until", "2023-11-15T00:00")
    for verb in (("callers", "store.Get"), ("graph", "store.Get"), ("report",)):
        done = functrace(*verb, "--store", "carts", *hour)
        shown = f"{done.output}{done.exception}"
        assert "1 function was not recorded all the time because of FUNCTRACE_BUDGET" in shown
