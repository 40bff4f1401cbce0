"""functrace report: one line per function, for one trace and for several."""
# ruff: noqa: E501  # outputs are wide

from __future__ import annotations

import json
from pathlib import Path

import pytest

from functrace.cli import report
from tests.cli import shop
from tests.cli.conftest import Run

VECTORS = Path(__file__).resolve().parents[1] / "vectors"

ONE = """\
calls   total    self     min    mean     p50     p90     p99     max  errors  panics  function
   11  22.0µs  22.0µs  1.00µs  2.00µs  1.00µs  2.98µs  9.00µs  9.00µs       3       1  store.(*Store).Get
    1  22.5µs  15.0µs  22.5µs  22.5µs  22.5µs  22.5µs  22.5µs  22.5µs       0       0  main.main
    1   500ns   500ns   500ns   500ns   500ns   500ns   500ns   500ns       0       0  store.open
    1  15.0µs     0ns  15.0µs  15.0µs  15.0µs  15.0µs  15.0µs  15.0µs       0       0  main.invoice
    1  15.0µs     0ns  15.0µs  15.0µs  15.0µs  15.0µs  15.0µs  15.0µs       0       0  main.serve
    4  5.00µs     0ns  2.00µs  2.75µs  2.98µs  2.98µs  2.98µs  3.00µs       0       0  main.walk
"""
TWO = """\
calls   total    self     min    mean     p50     p90     p99     max  errors  panics  unfinished  function
   15  64.0µs  64.0µs  1.00µs  4.27µs  1.00µs  20.0µs  20.0µs  20.0µs       3       1           1  store.(*Store).Get
    4  5.00µs     0ns  2.00µs  2.75µs  2.98µs  2.98µs  2.98µs  3.00µs       0       0           0  main.walk
… 4 more functions; --limit 0 shows all
"""


@pytest.fixture(autouse=True)
def traces(module: Path) -> None:
    shop.monday(module)
    shop.tuesday(module)


def test_one_trace(functrace: Run) -> None:
    done = functrace("report", "monday.ftrace")
    assert (done.stdout, done.stderr, done.returncode) == (ONE, "", 0)


def test_two_traces(functrace: Run) -> None:
    done = functrace("report", "monday.ftrace", "tuesday.ftrace", "--sort", "calls", "--limit", "2")
    assert done.stdout == TWO


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (("--include", "store.*"), [shop.GET, "example.com/shop/store.open"]),
        (("--exclude", "main.*", "--exclude", "open"), [shop.GET]),
        (("--errors",), [shop.GET]),
        (("--include", "walk", "--include", "open", "--sort", "name"), ["open", "walk"]),
    ],
)
def test_filters(functrace: Run, filters: tuple[str, ...], expected: list[str]) -> None:
    report = json.loads(functrace("report", "monday.ftrace", "--json", *filters).stdout)
    names = [function["function"] for function in report["functions"]]
    assert [name[-len(end) :] for name, end in zip(names, expected, strict=True)] == expected


def test_json(functrace: Run) -> None:
    report = json.loads(functrace("report", "tuesday.ftrace", "--json", "--limit", "2").stdout)
    assert report["more_functions"] == 2
    assert report["functions"][1] == {
        "function": "main.invoice",
        "file": "main.go",
        "line": 12,
        "calls": 1,
        "failed": 0,
        "errors": 0,
        "panics": 0,
        "unfinished": 1,
        "total_ns": 1000,
        "self_ns": 0,
        "suspended_ns": 0,
        "mean_ns": 1000,
        "min_ns": None,
        "p50_ns": None,
        "p90_ns": None,
        "p99_ns": None,
        "max_ns": None,
    }


BAD = [b"", b"FTRACE\r\n", b"no trace at all\n" * 400]


def test_damaged_traces_in_a_folder(functrace: Run, module: Path) -> None:
    """They are reported and skipped; the report covers the others."""
    folder = module / "recorded"
    folder.mkdir()
    for number, content in enumerate(BAD):
        (folder / f"bad{number}.ftrace").write_bytes(content)
    (folder / "good.ftrace").write_bytes((module / "monday.ftrace").read_bytes())
    done = functrace("report", "recorded")
    assert (done.stdout, done.returncode) == (ONE, 0)
    assert done.stderr == (
        "functrace: recorded/bad0.ftrace: not a functrace trace: the file is empty\n"
        "functrace: recorded/bad1.ftrace: truncated header\n"
        "functrace: recorded/bad2.ftrace: not a functrace trace\n"
        "functrace: 3 of 4 traces ignored: unreadable\n"
    )
    (folder / "good.ftrace").unlink()
    done = functrace("report", "recorded")
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr.count("recorded/bad") == 3


def test_nothing_matches(functrace: Run) -> None:
    done = functrace("report", "monday.ftrace", "--include", "nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "functrace: no call of a matching function was recorded\n"


def test_narrow_terminal_has_fewer_columns() -> None:
    cells = {name: [name, "1.00µs"] for name in report._COLUMNS}
    assert report._fitting(cells, 30, 200) == list(report._COLUMNS)
    assert report._fitting(cells, 30, 80) == ["calls", "total", "self", "mean", "p99", "errors"]


def test_suspended_column_is_shown_if_not_zero(functrace: Run) -> None:
    done = functrace("report", str(VECTORS / "tasks.ftrace"), "--limit", "3")
    assert done.stdout.startswith(
        "calls  total  self  suspended    min   mean    p50    p90    p99    max  exceptions  unfinished  function\n"
    )
    assert "    1  295ns  30ns      235ns  295ns " in done.stdout


def test_former_name_of_suspended_is_refused(functrace: Run) -> None:
    done = functrace("report", str(VECTORS / "tasks.ftrace"), "--sort", "waiting")
    assert done.returncode == 2
    assert "--sort waiting was renamed; use --sort suspended" in done.stderr


def test_python_failures_are_exceptions(functrace: Run) -> None:
    trace = str(VECTORS / "tasks.ftrace")
    report = functrace("report", trace, "--sort", "exceptions").stdout
    assert "  exceptions  " in report
    assert "panics" not in report
    assert "  panics  " in functrace("report", trace, "monday.ftrace").stdout
