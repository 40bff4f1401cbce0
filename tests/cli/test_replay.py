"""functrace replay: output for small traces."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from functrace.analysis import stream
from functrace.tracefile import open_trace
from tests.cli import recorded
from tests.cli.conftest import Run
from tests.tracefile import writer as w

VECTORS = Path(__file__).resolve().parents[1] / "vectors"

LISTING = """\
g[01]:	->main.main
g[01]:		->main.(*Shop).Sell
g[01]:			->main.price
g[01]:			<-main.price 5ns
g[01]:		<-main.(*Shop).Sell 20ns
g[01]:		->main.(*Shop).Sell
g[01]:			->main.price
g[01]:			<-main.price 15ns error: item 13 is locked
g[01]:		<-main.(*Shop).Sell 30ns
g[01]:	<-main.main 80ns
g[35] started by main.(*Shop).Sell shop.go:22 on g[01]
g[35]:	->main.work
g[35]:	<-main.work 25ns
"""


@pytest.fixture
def replay(module: Path, functrace: Run):  # type: ignore[no-untyped-def]
    (module / "a.ftrace").write_bytes(recorded.trace(failing=True))

    def run(*options: str) -> str:
        done = functrace("replay", "a.ftrace", *options)
        assert (done.returncode, done.stderr) == (0, "")
        return str(done.stdout)

    return run


def test_time_after_the_end(module: Path, functrace: Run) -> None:
    (module / "a.ftrace").write_bytes(recorded.trace())
    done = functrace("replay", "a.ftrace", "--from", "999s")
    said = "functrace: --from 999s: the trace ends after 90ns\n"
    assert (done.stdout, done.stderr, done.returncode) == ("", said, 1)


def test_no_call_matches(module: Path, functrace: Run) -> None:
    for name in ("a", "b"):
        (module / f"{name}.ftrace").write_bytes(recorded.trace(failing=name == "b"))
    some = functrace("replay", "--errors", "a.ftrace", "b.ftrace").stdout
    assert some.startswith("b.ftrace:\ng[01]:\t->main.main\n")
    none = functrace("replay", "--errors", "a.ftrace")
    said = "functrace: no calls match the given filters\n"
    assert (none.stdout, none.stderr, none.returncode) == ("", said, 1)


def test_listing(replay) -> None:  # type: ignore[no-untyped-def]
    assert replay() == LISTING


def test_tree(replay) -> None:  # type: ignore[no-untyped-def]
    assert replay("--tree") == (
        "g[01]\n"
        "    80ns  main.main\n"
        "    20ns    main.(*Shop).Sell\n"
        "     5ns      main.price\n"
        "    30ns    main.(*Shop).Sell\n"
        "    15ns      main.price error: item 13 is locked\n"
        "g[35] started by main.(*Shop).Sell shop.go:22 on g[01]\n"
        "    25ns  main.work\n"
    )


def test_json(replay) -> None:  # type: ignore[no-untyped-def]
    objects = [json.loads(line) for line in replay("--json", "--errors").splitlines()]
    calls = [o for o in objects if o["type"] == "call"]
    assert [(c["call"], c["parent"], c["function"]) for c in calls] == [
        (0, None, "main.main"),
        (1, 0, "main.(*Shop).Sell"),
        (2, 1, "main.price"),
    ]
    assert calls[2]["error"] == "item 13 is\nlocked"


def test_merged_by_time(replay) -> None:  # type: ignore[no-untyped-def]
    assert replay("--merge", "--exclude", "Sell") == (
        "g[01]:\t->main.main\n"
        "g[01]:\t\t->main.price\n"
        "g[01]:\t\t<-main.price 5ns\n"
        "g[01]:\t\t->main.price\n"
        "g[35] started by main.(*Shop).Sell shop.go:22 on g[01]\n"
        "g[35]:\t->main.work\n"
        "g[01]:\t\t<-main.price 15ns error: item 13 is locked\n"
        "g[35]:\t<-main.work 25ns\n"
        "g[01]:\t<-main.main 80ns\n"
    )


SECOND_SALE = "".join(
    line for n, line in enumerate(LISTING.splitlines(keepends=True)) if n in (0, 5, 6, 7, 8, 9)
)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--errors",), SECOND_SALE),
        (("--track", "1", "--from", "45ns"), SECOND_SALE),
        (("--track", "1", "--from", "56ns", "--until", "58ns"), SECOND_SALE),
        (("--track", "35"), LISTING[LISTING.index("g[35] ") :]),
        (
            ("--min-duration", "25ns", "--depth", "1"),
            "g[01]:\t->main.main\ng[01]:\t<-main.main 80ns\n" + LISTING[LISTING.index("g[35] ") :],
        ),
        (
            ("--include", "price", "--include", "work", "--min-duration", "10ns", "--track", "1"),
            "g[01]:\t->main.price\ng[01]:\t<-main.price 15ns error: item 13 is locked\n",
        ),
        (("--around", "price"), LISTING[: LISTING.index("g[35] ")]),
    ],
)
def test_parts(replay, options: tuple[str, ...], expected: str) -> None:  # type: ignore[no-untyped-def]
    assert replay(*options) == expected


def test_around_shows_preceding_calls(module: Path, functrace: Run) -> None:
    calls = [w.enter(1, 10), w.enter(4, 11), w.leave(4, 12)]
    for ticks in (20, 30, 40):
        calls += [w.enter(3, ticks), w.leave(3, ticks + 1)]
    calls += [w.enter(2, 50), w.enter(3, 51), w.leave(3, 52), w.leave(2, 60)]
    calls += [w.enter(3, 70), w.leave(3, 71), w.leave(1, 90)]
    trace = w.header() + w.FUNCTIONS + w.events(2, w.track(1, 1010), *calls)
    (module / "a.ftrace").write_bytes(trace)
    done = functrace("replay", "a.ftrace", "--tree", "--around", "Shop.Sell", "--context", "2")
    assert done.stdout == (
        "g[01]\n"
        "    80ns  main.main\n"
        "     1ns    main.price\n"
        "     1ns    main.price\n"
        "    10ns    main.(*Shop).Sell\n"
        "     1ns      main.price\n"
    )


def test_calls_that_do_not_return_normally(functrace: Run) -> None:
    assert functrace("replay", str(VECTORS / "calls.ftrace")).stdout == (
        "g[01] main\n"
        "g[01]:\t->main.main\n"
        "g[01]:\t\t->main.(*Shop).Sell\n"
        "g[01]:\t\t\t->main.price\n"
        "g[01]:\t\t\t<-main.price 5ns\n"
        "g[01]:\t\t<-main.(*Shop).Sell 20ns error: out of stock\n"
        "g[01]:\t\t->main.(*Shop).Sell\n"
        "g[01]:\t\t<-main.(*Shop).Sell 10ns panic: index out of range\n"
        "g[01]:\t<-main.main 80ns Goexit\n"
    )
    assert functrace("replay", str(VECTORS / "killed.ftrace"), "--track", "1").stdout == (
        "g[01]:\t->main.main\n"
        "g[01]:\t\t->main.(*Shop).Sell\n"
        "g[01]:\t\t--main.(*Shop).Sell 60ns unfinished\n"
        "g[01]:\t--main.main 70ns unfinished\n"
    )


def test_suspended_time_and_python_tracks(functrace: Run) -> None:
    tasks = str(VECTORS / "tasks.ftrace")
    assert functrace("replay", tasks, "--track", "2", "--exclude", "audit").stdout == (
        "t[02] Task-2 started by server.Server.serve server.py:14 on t[01]\n"
        "t[02]:\t->server.Server.serve\n"
        "t[02]:\t\t->server.Server.handle.<locals>.read\n"
        "t[02]:\t\t<-server.Server.handle.<locals>.read 115ns, 100ns suspended "
        "exception: ConnectionResetError: peer\n"
        "t[02]:\t<-server.Server.serve 205ns, 145ns suspended "
        "exception: ValueError: xxxxxxxxxxxxxxxxxxxx…\n"
    )
    assert functrace("replay", tasks, "--tree", "--track", "3").stdout == (
        "t[03] worker started by server.main server.py on t[02]\n"
        "    20ns  server.audit (5ns suspended) unfinished\n"
        "     2ns    server.Server.handle.<locals>.read\n"
    )


def test_calls_at_the_same_time_keep_their_order(module: Path, functrace: Run) -> None:
    calls = [w.enter(1, 10), w.enter(2, 10), w.leave(2, 10), w.enter(4, 10), w.enter(3, 10)]
    calls += [w.leave(3, 10), w.leave(4, 10), w.leave(1, 10)]
    trace = w.header() + w.FUNCTIONS + w.events(2, w.track(1, 1010), *calls)
    (module / "a.ftrace").write_bytes(trace)
    done = functrace("replay", "a.ftrace", "--tree").stdout
    names = [line.split("  ", 2)[-1].rstrip() for line in done.splitlines()[1:]]
    assert [n.strip().split()[-1] for n in names] == [
        "main.main",
        "main.(*Shop).Sell",
        "main.work",
        "main.price",
    ]
    assert done.splitlines()[-1] == "     0ns      main.price"


def test_several_traces(module: Path, functrace: Run) -> None:
    for name in ("a", "b"):
        (module / f"{name}.ftrace").write_bytes(recorded.trace(failing=True))
    assert functrace("replay", ".").stdout == f"a.ftrace:\n{LISTING}b.ftrace:\n{LISTING}"


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (("--track", "3"), 1, "--track 3: no such track"),
        (("--around", "Nothing"), 1, "no function matches Nothing"),
        (("--from", "3"), 2, "3 is not a time"),
        (("--tree", "--merge"), 2, "--tree and --merge"),
        (("--around", "x", "--errors"), 2, "--around and --errors"),
    ],
)
def test_refusals(
    module: Path, functrace: Run, options: tuple[str, ...], status: int, said: str
) -> None:
    (module / "a.ftrace").write_bytes(recorded.trace())
    done = functrace("replay", "a.ftrace", *options)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr


def _long_trace(chunks: int) -> bytes:
    """One call around all, and twenty chunks of calls of two levels, on two tracks in turn."""
    parts = [w.header(), w.FUNCTIONS]
    for n in range(chunks):
        at = 1000 + 100 * n
        begin = [w.track(n % 2 + 1, at), w.enter(1, 0)] if n < 2 else []
        failure = [w.error("no")] if n % 3 else []
        calls = [w.enter(2, 10), w.enter(3, 20), *failure, w.leave(3, 30), w.leave(2, 50)]
        calls += [w.enter(4, 95)]
        end = [w.leave(4, 5)] if n > 1 else []
        head = {} if n < 2 else {"track": n % 2 + 1, "opened": 2}
        parts.append(w.events(n + 2, *begin, *end, *calls, base=at, **head))
    return b"".join(parts)


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--tree",),
        ("--merge",),
        ("--around", "price"),
        ("--around", "work", "--context", "2"),
        ("--errors",),
        ("--errors", "--merge"),
    ],
)
def test_long_traces_are_read_in_blocks(
    module: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    from click.testing import CliRunner

    from functrace.cli.replay import replay

    (module / "a.ftrace").write_bytes(_long_trace(20))
    runs = []
    for words in (1 << 19, 16, 1):
        monkeypatch.setattr(stream, "_BLOCK_WORDS", words)
        monkeypatch.setattr(stream, "_BLOCK_CALLS", words)
        runs.append(CliRunner().invoke(replay, [str(module / "a.ftrace"), *options]).output)
    assert runs[0].count("main.price" if "work" not in options else "main.work") >= 20
    assert runs[0] == runs[1] == runs[2]


def test_blocks_contain_every_call_once(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (module / "a.ftrace").write_bytes(_long_trace(20))
    trace = open_trace(module / "a.ftrace")
    whole = list(stream.stream(trace))
    monkeypatch.setattr(stream, "_BLOCK_WORDS", 8)
    assert list(stream.stream(trace)) == whole


def test_reader_that_stops_early(module: Path) -> None:
    (module / "a.ftrace").write_bytes(_long_trace(2000))
    command = f"{sys.executable} -m functrace replay a.ftrace | head -1"
    done = subprocess.run(
        command, shell=True, cwd=module, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("g[01]:\t->main.main\n", "")
