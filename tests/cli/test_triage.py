"""functrace triage: the page, its commands, JSON, several traces and a narrow terminal."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from functrace.analysis.triage import triage
from functrace.text import triage_text
from functrace.tracefile import open_trace
from tests.cli import faulty, hostile, shop
from tests.cli.conftest import Run
from tests.tracefile import writer as w

PAGE = """\
faulty.ftrace: 307 calls in 239ms on 4 goroutines
Missing: figures cover only what was recorded
  3 events lost: functrace info faulty.ftrace
Failing (2 of 5; --limit 0 shows all)
  store.(*Store).Get failed 3x, 5.1% of 59 calls, 2.00µs to 4.00µs: item # is locked
    main.main → main.serve → store.(*Store).Get
    functrace callers --errors 'store.(*Store).Get' faulty.ftrace
  store.Open failed 2x, 100.0% of 2 calls, 6.00µs to 7.00µs: open #: timeout
    main.main → main.serve → store.Open
    functrace callers --errors store.Open faulty.ftrace
Not returned by the caller (2 of 5; --limit 0 shows all)
  main.serve failed 3x, main.main did not fail: serve: item # is locked
    main.main → main.serve
    functrace replay faulty.ftrace --track 1 --from 0.000002s --until 0.239121s
  store.Open failed 2x, main.serve did not fail: open #: timeout
    main.main → main.serve → store.Open
    functrace replay faulty.ftrace --track 1 --from 0.000006s --until 0.000010s
Never ended
  store.Lock open for 239ms on 2 goroutines, blocked
    main.main → go main.work (main.go:20) → store.Lock
    functrace replay faulty.ftrace --track 8 --from 0.000001s
Slow outliers
  store.Query took 200ms; p50 1.01ms, p99 199ms
    main.main → main.serve → store.Query
    functrace callers --min-duration 10076us store.Query faulty.ftrace
Repeated within one call
  store.(*Store).Get called up to 50x in one call of main.list, mean 18.3x, 100.0% of its time
    main.main → main.list → store.(*Store).Get
    functrace graph main.list faulty.ftrace
Growing recursion
  main.walk 150 levels deep, failed there
    main.main → main.walk (x150)
    functrace callers main.walk faulty.ftrace
"""


def test_page(module: Path, functrace: Run) -> None:
    faulty.faulty(module / "faulty.ftrace", lost=3)
    done = functrace("triage", "faulty.ftrace")
    assert (done.stdout, done.stderr, done.returncode) == (PAGE, "", 0)


def test_all_findings(module: Path, functrace: Run) -> None:
    faulty.faulty(module / "faulty.ftrace")
    shown = functrace("triage", "--limit", "0", "faulty.ftrace").stdout
    assert "more" not in shown
    assert "\n  store.Close panicked 1x, recovered in main.serve: nil map\n" in shown
    assert (
        "\n  main.notify failed 1x, dropped by the go statement in main.main: no route to host\n"
        "    main.main → go main.notify (main.go:14)\n"
    ) in shown


def test_a_healthy_trace_takes_one_line(module: Path, functrace: Run) -> None:
    faulty.healthy(module / "a.ftrace")
    done = functrace("triage", "a.ftrace")
    expected = "a.ftrace: 151 calls in 90.0µs on 1 goroutine; nothing found, nothing missing\n"
    assert (done.stdout, done.returncode) == (expected, 0)


def test_a_trace_without_calls_takes_one_line(module: Path, functrace: Run) -> None:
    (module / "a.ftrace").write_bytes(w.header() + w.FUNCTIONS)
    done = functrace("triage", "a.ftrace")
    assert (done.stdout, done.returncode) == ("a.ftrace: no calls were recorded\n", 0)


def test_several_traces_and_folders(module: Path, functrace: Run) -> None:
    (module / "of one").mkdir()
    faulty.faulty(module / "of one" / "-a.ftrace", lost=1)
    shop.monday(module)
    shown = functrace("triage", "of one", "monday.ftrace").stdout.splitlines()
    text = ": item # is locked"
    assert shown[:8] == [
        "2 traces: 326 calls in 239ms on 6 goroutines",
        "Missing: figures cover only what was recorded",
        "  of one/-a.ftrace: 1 event lost: functrace info 'of one/-a.ftrace'",
        "Failing (2 of 7; --limit 0 shows all)",
        f"  store.(*Store).Get failed 5x, 7.1% of 70 calls, 2.00µs to 6.50µs, in 2 chains{text}",
        "    main.main → main.serve → store.(*Store).Get",
        "    functrace callers --errors 'store.(*Store).Get' 'of one' monday.ftrace",
        "  store.Open failed 2x, 100.0% of 2 calls, 6.00µs to 7.00µs: open #: timeout",
    ]


def test_every_command_can_be_pasted(module: Path, functrace: Run) -> None:
    (module / "it's").mkdir()
    faulty.faulty(module / "it's" / "-a b.ftrace", lost=1)
    for folder, argument in ((module, "it's"), (module / "it's", "./-a b.ftrace")):
        found = json.loads(functrace("triage", "--json", argument, cwd=folder).stdout)
        findings = [each for kind in found.values() if isinstance(kind, list) for each in kind]
        commands = [each["command"] for each in findings if isinstance(each, dict)]
        assert len(commands) == 15
        for command in sorted(set(commands)):
            _, *words = shlex.split(command)
            done = functrace(*words, cwd=folder)
            assert done.returncode == 0, (command, done.stderr)


def test_commands_about_functions_named_like_options(module: Path, functrace: Run) -> None:
    (module / "a.ftrace").write_bytes(hostile.options())
    found = json.loads(functrace("triage", "--json", "a.ftrace").stdout)
    assert len(found["failing"]) == len(hostile.OPTIONS + hostile.REQUEST_OPTIONS)
    for each in found["failing"]:
        _, verb, *words = shlex.split(each["command"])
        assert json.loads(functrace(verb, "--json", *words).stdout)["failed"]


def test_json(module: Path, functrace: Run) -> None:
    faulty.faulty(module / "a.ftrace", lost=3)
    found = json.loads(functrace("triage", "--json", "a.ftrace").stdout)
    assert (found["calls"], found["traces"], found["sampled_findings"]) == (307, ["a.ftrace"], [])
    assert found["losses"] == [
        {"trace": "a.ftrace", "loss": "3 events lost", "command": "functrace info a.ftrace"}
    ]
    (hung,) = found["never_ended"]
    assert hung["function"] == faulty.LOCK
    assert (hung["track_count"], hung["running_tracks"], hung["open_ns"]) == (2, 0, 239_119_000)
    assert [step["function"] for step in hung["steps"]] == ["main.main", "main.work", faulty.LOCK]
    assert hung["steps"][1]["started_at"] == {"kind": "goroutine", "file": "main.go", "line": 20}
    assert {len(found[kind]) for kind in ("failing", "swallowed")} == {5}
    less = json.loads(functrace("triage", "--json", "--limit", "1", "a.ftrace").stdout)
    assert (len(less["failing"]), less["more_findings"]) == (1, 8)


def test_what_is_missing(module: Path, functrace: Run) -> None:
    calls = w.events(2, w.track(1, 1000), w.enter(1, 0), w.leave(1, 9), w.leave(2, 10))
    (module / "a.ftrace").write_bytes(w.header(flags=2) + w.FUNCTIONS + calls)
    done = functrace("triage", "a.ftrace")
    reason = "recording stopped because the file was full; later calls are missing"
    assert done.stderr == ""
    assert done.stdout.splitlines()[1:] == [
        "Missing: figures cover only what was recorded",
        f"  {reason}: functrace info a.ftrace",
        "  1 exit has no entry: functrace info a.ftrace",
    ]


def test_entries_fit_a_narrow_terminal(tmp_path: Path) -> None:
    found = triage([open_trace(faulty.faulty(tmp_path / "a.ftrace", flags=2))])
    lines = list(triage_text.page(found, ["a.ftrace"], 0, 44))
    entries = [line for line in lines if line.startswith(" ") and "functrace " not in line]
    assert max(map(len, entries)) == 44
    assert "  recording stopped because the file was" in lines
    assert "    main.main → go main.work (main.go:20)" in lines
    assert "    → store.Lock" in lines
    # Commands are never broken or cut off.
    assert "    functrace callers --errors 'store.(*Store).Get' a.ftrace" in lines


def test_numbers_of_a_sample_are_lower_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "functrace.analysis.triage.listed_calls"
    monkeypatch.setattr(f"{module}.MAX_LISTED_CALLS", 5)
    monkeypatch.setattr(f"{module}._MIN_LISTED_CALLS", 0)
    found = triage([open_trace(faulty.faulty(tmp_path / "a.ftrace"))])
    lines = list(triage_text.page(found, ["a.ftrace"], 1, 100))
    assert "Failing; only a part of the calls was examined, there were too many" in str(lines)
    assert any(
        "store.(*Store).Get failed ≥3x, ≥5.1% of 59 calls, 2.00µs to ≥4.00µs" in each
        for each in lines
    )


FAULTS = """
import contextlib, threading, time

def get(item):
    if item % 7 == 3:
        raise KeyError(f"item {item}")
    return item

def load(item):
    try:
        return get(item)
    except KeyError:
        return None

def cell(number):
    return sum(range(1000))

def rows(count):
    return [cell(number) for number in range(count)]

def walk(level):
    return walk(level + 1)

def numbers():
    yield from range(3)

def wait(is_running, gate):
    is_running.set()
    gate.wait()

def main():
    begin = time.perf_counter()
    for item in range(30):
        load(item)
    for count in (1, 2, 300):
        rows(count)
    assert list(numbers()) == [0, 1, 2]
    next(numbers())
    with contextlib.suppress(RecursionError):
        walk(1)
    is_running = threading.Event()
    threading.Thread(target=wait, args=(is_running, threading.Event()), daemon=True).start()
    is_running.wait()
    now = time.perf_counter()
    end = now + (now - begin) / 5  # the last part of the trace is without an event of that thread
    while time.perf_counter() < end:
        get(0)

main()
"""


def test_faults_of_a_python_program(module: Path, functrace: Run) -> None:
    (module / "app.py").write_text(FAULTS)
    done = functrace("run", "--record", "-q", "-o", "x.ftrace", "app.py")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(functrace("triage", "--json", "x.ftrace").stdout)

    def names(kind: str, *keys: str) -> list[tuple[str | int, ...]]:
        return [tuple(each[key] for key in ("function", *keys)) for each in found[kind]]

    assert names("failing", "pattern", "count") == [
        ("__main__.get", "KeyError: #", 4),
        ("__main__.walk", found["failing"][1]["pattern"], 1),
    ]
    assert found["failing"][1]["text"].startswith("RecursionError: ")
    assert ("__main__.get", 4) in names("swallowed", "count")
    assert {each["caller"]["function"] for each in found["swallowed"]} == {
        "__main__.load",
        "__main__.main",
    }
    assert names("never_ended", "track_count") == [("__main__.wait", 1)]
    assert ("__main__.cell", 300) in names("repeated", "max_in_caller")
    ((_, levels, failed),) = names("recursion", "levels", "failed")
    assert levels > 900
    assert failed == 1
