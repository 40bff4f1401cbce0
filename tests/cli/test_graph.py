"""functrace graph: callees of a function in one trace and in several."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli import shop
from tests.cli.conftest import Run

TWO = """\
 share   total    self  calls  failed  unfinished  function
100.0%  63.5µs  15.0µs      2                   1  main.main
 67.7%  43.0µs  43.0µs      5                        store.(*Store).Get
 25.2%  16.0µs     0ns      2                   1    go main.serve
 25.2%  16.0µs     0ns      2                   1      main.invoice
 25.2%  16.0µs  16.0µs      8       4           1        store.(*Store).Get
  7.9%  5.00µs     0ns      4                        main.walk (recursive)
  7.9%  5.00µs  5.00µs      2                          store.(*Store).Get
  0.8%   500ns   500ns      1                        store.open
"""
SUSPENDED = """\
 share  total  suspended  self  calls  failed  unfinished  function
100.0%  295ns      235ns  30ns      1                      server.main
  6.8%   20ns             20ns      1                        server.Server.serve
 69.5%  205ns      145ns  35ns      1       1                  started server.Server.serve
 39.0%  115ns      100ns  15ns      1       1                    server.Server.handle.read
  3.4%   10ns             10ns      1                            server.audit
  6.8%   20ns        5ns  13ns      1                   1      started server.audit
  0.7%    2ns              2ns      1                            server.Server.handle.read
  3.4%   10ns             10ns      1                        server.audit
"""
VECTORS = Path(__file__).resolve().parents[1] / "vectors"
DEPTH = """\
 share   total    self  calls  function
100.0%  22.5µs  15.0µs      1  main.main
 66.7%  15.0µs     0ns      1    go main.serve
 66.7%  15.0µs              1      … 1 more
 22.2%  5.00µs     0ns      4    main.walk (recursive)
 22.2%  5.00µs              2      … 1 more
 11.1%  2.50µs              3    … 2 more
"""


@pytest.fixture(autouse=True)
def traces(module: Path) -> None:
    shop.monday(module)
    shop.tuesday(module)


def test_two_traces(functrace: Run) -> None:
    done = functrace("graph", "main", "monday.ftrace", "tuesday.ftrace")
    assert (done.stdout, done.stderr, done.returncode) == (TWO, "", 0)


def test_depth_and_share(functrace: Run) -> None:
    done = functrace("graph", "main", "monday.ftrace", "--depth", "1", "--min-share", "20")
    assert done.stdout == DEPTH


@pytest.mark.parametrize(("glob", "trees"), [("main.*", 1), ("*al?", 1), ("store.*", 2)])
def test_one_tree_per_outermost_function(functrace: Run, glob: str, trees: int) -> None:
    done = functrace("graph", glob, "monday.ftrace")
    assert done.stdout.count("  function\n") == trees


def test_json(functrace: Run) -> None:
    report = json.loads(functrace("graph", "walk", "monday.ftrace", "--json").stdout)
    (walk,) = report["functions"]
    (get,) = walk.pop("callees")
    assert walk == {
        "function": "main.walk",
        "file": "main.go",
        "line": 15,
        "started": False,
        "recursive": True,
        "calls": 4,
        "failed": 0,
        "total_ns": 5000,
        "self_ns": 0,
        "suspended_ns": 0,
        "share": 1.0,
        "errors": 0,
        "panics": 0,
        "unfinished": 0,
        "partial": 0,
        "more_callees": 0,
    }
    assert (get["function"], get["calls"], get["total_ns"]) == (shop.GET, 2, 5000)


@pytest.mark.parametrize("asked", ["nowhere", "walk"])
def test_nothing_found(functrace: Run, asked: str) -> None:
    done = functrace("graph", asked, "tuesday.ftrace")
    assert (done.stdout, done.returncode) == ("", 1)
    assert asked in done.stderr


def test_python_tracks_and_suspended_time(functrace: Run) -> None:
    done = functrace("graph", "server.main", str(VECTORS / "tasks.ftrace"))
    assert done.stdout == SUSPENDED
