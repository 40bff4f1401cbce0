"""functrace callers: complete output for one trace and for several."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.analysis.recorded import Recorded
from tests.cli import shop
from tests.cli.conftest import Run
from tests.tracefile import writer as w

SERVE = "    main.main → go main.serve (main.go:14) → main.invoice → store.(*Store).Get\n"
TEXTS = "    2x item # is locked\n    1x panic: nil map\n    1x timeout\n"

ONE = f"""\
store.(*Store).Get: 11 calls, 4 failed (36.4%), total 22.0µs, p50 1.00µs, p99 9.00µs, 3 chains

#1  7 calls  63.6%  p50 1.00µs  p99 9.00µs  total 15.0µs  self 15.0µs  4 failed, 1 panicked
{SERVE}{TEXTS}\
    first failed: functrace replay monday.ftrace --track 7 --from 0.000005s

#2  2 calls  18.2%  p50 1.00µs  p99 1.00µs  total 2.00µs  self 2.00µs
    main.main → store.(*Store).Get
    slowest, 1.00µs: functrace replay monday.ftrace --track 1 --from 0.000000s

#3  2 calls  18.2%  p50 2.00µs  p99 2.98µs  total 5.00µs  self 5.00µs
    main.main → main.walk (x1-3) → store.(*Store).Get
    slowest, 3.00µs: functrace replay monday.ftrace --track 1 --from 0.000017s
"""

SEVERAL = f"""\
store.(*Store).Get: 15 calls, 4 failed (26.7%), 1 unfinished, total 64.0µs, p50 1.00µs, p99 20.0µs,
    3 chains in 2 traces

#1  8 calls  53.3%  p50 1.00µs  p99 9.00µs  total 16.0µs  self 16.0µs  \
4 failed, 1 panicked, 1 unfinished
{SERVE}{TEXTS}\
    first failed: functrace replay monday.ftrace --track 7 --from 0.000005s

#2  5 calls  33.3%  p50 1.00µs  p99 20.0µs  total 43.0µs  self 43.0µs
    main.main → store.(*Store).Get
    slowest, 20.0µs: functrace replay tuesday.ftrace --track 1 --from 0.000000s

… 1 more chain; --limit 0 shows all
"""

ERRORS = f"""\
store.(*Store).Get: 11 calls, 4 failed (36.4%), total 22.0µs, p50 1.00µs, p99 9.00µs, 1 chain

#1  4 of 7 failed (57.1%)  p50 1.00µs  p99 9.00µs  total 15.0µs  self 15.0µs  1 panicked
{SERVE}{TEXTS}\
    first failed: functrace replay monday.ftrace --track 7 --from 0.000005s
"""

SLOW = f"""\
store.(*Store).Get: 11 calls, 4 failed (36.4%), total 22.0µs, p50 1.00µs, p99 9.00µs, 2 chains

#1  2 of 2 took ≥ 2us (100.0%)  p50 2.00µs  p99 2.98µs  total 5.00µs  self 5.00µs
    main.main → main.walk (x1-3) → store.(*Store).Get
    slowest, 3.00µs: functrace replay monday.ftrace --track 1 --from 0.000017s

#2   1 of 7 took ≥ 2us (14.3%)  p50 1.00µs  p99 9.00µs  total 15.0µs  self 15.0µs  \
4 failed, 1 panicked
{SERVE}\
    1x item 14 is locked
    slowest, 9.00µs: functrace replay monday.ftrace --track 7 --from 0.000006s
"""

UNFINISHED = f"""\
main.invoice: 1 call, 1 unfinished, total 1.00µs, 1 chain

#1  1 call  100.0%  total 1.00µs  self 0ns  1 unfinished
{SERVE.removesuffix(" → store.(*Store).Get" + chr(10))}
    unfinished: functrace replay tuesday.ftrace --track 5 --from 0.000040s
"""


SUSPENDED = """\
server.Server.handle.read: 2 calls, 1 failed (50.0%), total 117ns, suspended 100ns, p50 2ns, p99
    114ns, 2 chains

#1  1 call  50.0%  p50 115ns  p99 115ns  total 115ns  suspended 100ns  self 15ns  1 failed
    server.main → server.Server.serve → task server.Server.serve (server.py:14)
    → server.Server.handle.read
    1x ConnectionResetError: peer
    first failed: functrace replay tasks.ftrace --track 2 --from 0.000000s

#2  1 call  50.0%    p50 2ns    p99 2ns    total 2ns                    self 2ns
    server.main → server.Server.serve → thread server.audit → server.Server.handle.read
    slowest, 2ns: functrace replay tasks.ftrace --track 3 --from 0.000000s
"""
VECTORS = Path(__file__).resolve().parents[1] / "vectors"


@pytest.fixture
def traces(module: Path) -> None:
    shop.monday(module)
    shop.tuesday(module)


@pytest.mark.usefixtures("traces")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("Store.Get monday.ftrace", ONE),
        ("Get monday.ftrace tuesday.ftrace --limit 2", SEVERAL),
        ("Get . --limit 2", SEVERAL),
        ("Get monday.ftrace --errors", ERRORS),
        ("* monday.ftrace --errors", ERRORS.replace("store.(*Store).Get: 11", "")),
        ("Get monday.ftrace --min-duration 2us", SLOW),
        ("invoice tuesday.ftrace", UNFINISHED),
    ],
)
def test_output(functrace: Run, arguments: str, expected: str) -> None:
    done = functrace("callers", *arguments.split(" "))
    if arguments.startswith("*"):  # the first line is of all functions
        assert done.stdout.partition("\n")[2] == expected.partition("\n")[2]
    else:
        assert (done.stdout, done.stderr, done.returncode) == (expected, "", 0)


@pytest.mark.usefixtures("traces")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("geet monday.ftrace", "no function matches geet; did you mean store.(*Store).Get?\n"),
        ("zzz monday.ftrace", "no function matches zzz; functrace report lists all functions\n"),
        ("walk tuesday.ftrace", "walk was not called in this recording\n"),
        (
            "open monday.ftrace --errors",
            "open: none of 1 call failed; functions with failed calls: store.(*Store).Get 4\n",
        ),
        (
            "Get tuesday.ftrace --errors",
            "Get: none of 4 calls failed; no other call failed either\n",
        ),
        (
            "Get monday.ftrace --min-duration 1s",
            "Get: none of 11 calls took 1s or longer; the longest took 9.00µs\n",
        ),
        ("Get monday.ftrace --min-count 8", "no chain to Get has 8 matching calls\n"),
        ("Get go.mod", "go.mod: not a functrace trace\n"),
    ],
)
def test_nothing_found(functrace: Run, arguments: str, message: str) -> None:
    done = functrace("callers", *arguments.split())
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr == f"functrace: {message}"


@pytest.mark.usefixtures("traces")
@pytest.mark.parametrize(
    ("sort", "first"),
    [("calls", "main.serve"), ("errors", "main.serve"), ("total", ""), ("p99", "")],
)
def test_order(functrace: Run, sort: str, first: str) -> None:
    done = functrace("callers", "Get", ".", "--sort", sort, "--json")
    chain = json.loads(done.stdout)["chains"][0]["steps"]
    assert chain[1]["function"] == (first or shop.GET)


@pytest.mark.usefixtures("traces")
def test_full_unfolds_recursion(functrace: Run) -> None:
    done = functrace("callers", "Get", "monday.ftrace", "--full")
    assert "    main.main → main.walk → main.walk → main.walk → store.(*Store).Get\n" in done.stdout
    assert "    main.main → main.walk → store.(*Store).Get\n" in done.stdout


@pytest.mark.usefixtures("traces")
def test_json(functrace: Run) -> None:
    done = functrace("callers", "Get", "monday.ftrace", "tuesday.ftrace", "--errors", "--json")
    report = json.loads(done.stdout)
    (chain,) = report.pop("chains")
    assert report == {
        "functions": [{"function": shop.GET, "file": "store.go", "line": 10}],
        "traces": ["monday.ftrace", "tuesday.ftrace"],
        "calls": 15,
        "failed": 4,
        "errors": 3,
        "panics": 1,
        "unfinished": 1,
        "partial": 0,
        "total_ns": 64000,
        "self_ns": 64000,
        "suspended_ns": 0,
        "p50_ns": 1000,
        "p99_ns": 20000,
        "more_chains": 0,
        "sampled": False,
        "demoted": [],
        "partial_traces": [],
    }
    assert [step["function"] for step in chain["steps"]] == [*shop.FUNCTIONS[:3], shop.GET]
    assert [step["started"] for step in chain["steps"]] == [False, True, False, False]
    assert chain["steps"][1]["started_at"] == {"kind": "goroutine", "file": "main.go", "line": 14}
    assert chain["failures"][0] == {
        "pattern": "item # is locked",
        "text": "item 13 is locked",
        "is_panic": False,
        "calls": 2,
    }
    assert chain["example"] == {
        "reason": "first failed",
        "trace": "monday.ftrace",
        "track": 7,
        "kind": "goroutine",
        "start_ns": 5500,
        "duration_ns": None,
    }


def test_long_chains(module: Path, functrace: Run) -> None:
    """Their middle is left out, and their common beginning is printed once."""
    names = [f"main.step{number:02}" for number in range(20)]
    program = Recorded(*names, "main.one", "main.two", "main.end")
    track = program.goroutine(1)
    for name in names:
        track.enter(name)
    for name in ("main.one", "main.two"):
        with track.inside(name):
            track.call("main.end")
    program.write(module / "long.ftrace")
    lines = functrace("callers", "end", "long.ftrace").stdout.splitlines()
    steps = [f"main.step{number:02}" for number in (0, 1, 2, 3, 12, 13)]
    assert lines[2:8] == [
        "Every chain begins with:",
        "    " + " → ".join([*steps[:4], "… 8 more", *steps[4:]]),
        "    → main.step14 → main.step15 → main.step16 → main.step17 → main.step18 → main.step19",
        "",
        "#1  1 call  50.0%  p50 1.00µs  p99 1.00µs  total 1.00µs  self 1.00µs",
        "    … → main.one → main.end",
    ]


def test_cycles(module: Path, functrace: Run) -> None:
    program = Recorded("main.main", "main.even", "main.odd", "main.end")
    track = program.goroutine(1)
    with track.inside("main.main"):
        for rounds in (1, 4):
            for _ in range(rounds):
                track.enter("main.even")
                track.enter("main.odd")
            track.call("main.end")
            for _ in range(rounds):
                track.leave("main.odd")
                track.leave("main.even")
    program.write(module / "cycles.ftrace")
    done = functrace("callers", "end", "cycles.ftrace")
    assert "    main.main → (main.even → main.odd)x1-4 → main.end\n" in done.stdout
    assert ", 1 chain\n" in done.stdout


def test_python_names_tracks_and_exceptions(functrace: Run) -> None:
    for name in ("read", "handle.read", "Server.handle.<locals>.read", "handle.*"):
        done = functrace("callers", name, "tasks.ftrace", cwd=VECTORS)
        assert done.stdout.partition("\n")[2] == SUSPENDED.partition("\n")[2]
    assert functrace("callers", "read", "tasks.ftrace", cwd=VECTORS).stdout == SUSPENDED


def test_function_on_other_lines_in_another_build(module: Path, functrace: Run) -> None:
    """Functions with the same name and file are merged, unless one trace contains several."""
    for name, lines in (("a", {1: 10, 2: 20}), ("b", {1: 11, 2: 20, 3: 30})):
        facts = [
            w.function(n, "app.f" if n == 1 else "app.C.x", "app.py", at) for n, at in lines.items()
        ]
        words = [word for n in lines for word in (w.enter(n, n), w.leave(n, n))]
        content = w.header() + w.facts(1, *facts) + w.events(2, w.track(1, 1000), *words)
        (module / f"{name}.ftrace").write_bytes(content)
    report = json.loads(functrace("report", ".", "--json", "--sort", "calls").stdout)["functions"]
    assert [(f["function"], f["line"], f["calls"]) for f in report] == [
        ("app.C.x", 20, 2),
        ("app.f", 10, 2),
        ("app.C.x", 30, 1),
    ]
