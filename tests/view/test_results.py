"""Results that the viewer keeps: in memory for as long as it runs, and of triage between runs."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from functrace.cache import folders
from functrace.tracefile import open_trace
from functrace.view import api, triage_report
from functrace.view.once import Once
from functrace.view.query import Query
from functrace.view.served import ServedTraces
from functrace.view.server import Server
from functrace.view.session import Session
from functrace.view.sessions import Sessions
from tests.cli import faulty


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trace that counts as large, and an empty cache."""
    monkeypatch.setenv(folders.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(triage_report, "_MIN_EVENTS", 1)
    return faulty.faulty(tmp_path / "a.ftrace")


def kept(trace: Path) -> list[Path]:
    return [path for path in (trace.parent / "cache").rglob("siphash*") if path.is_file()]


def ask(trace: Path, *arguments: str) -> Any:
    session = Session([open_trace(trace)], arguments or ["a.ftrace"])
    return json.loads(json.dumps(api.ENDPOINTS["triage"](session, Query({}))))


def test_triage_of_a_large_trace_is_kept(trace: Path) -> None:
    first = ask(trace)
    (file,) = kept(trace)
    assert file.stat().st_mode & 0o777 == 0o600
    content = file.read_bytes()
    file.write_bytes(content.replace(b"item 13", b"item 99"))  # damaged: ignored and replaced
    assert ask(trace) == first
    assert file.read_bytes() == content


def test_kept_findings_are_used(trace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask(trace)
    monkeypatch.setattr(triage_report, "_report", lambda _: pytest.fail("it was computed again"))
    assert ask(trace) == first


def test_findings_of_another_trace_are_not_used(trace: Path) -> None:
    ask(trace)
    ask(trace, "./a.ftrace")
    assert len(kept(trace)) == 2  # its commands differ
    os.utime(trace, (1, 1))
    ask(trace)
    assert len(kept(trace)) == 3
    faulty.healthy(trace)
    assert ask(trace)["failing"] == []


def test_small_and_vanished_traces_are_not_kept(
    trace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_trace(trace)
    trace.unlink()
    assert api.ENDPOINTS["triage"](Session([opened], ["a.ftrace"]), Query({}))["failing"]
    faulty.faulty(trace)
    monkeypatch.setattr(triage_report, "_MIN_EVENTS", 2_000_000)
    assert ask(trace)["failing"]
    assert kept(trace) == []


def test_a_limit_on_findings(trace: Path) -> None:
    session = Session([open_trace(trace)], ["a.ftrace"])
    every = api.ENDPOINTS["triage"](session, Query({}))
    some = api.ENDPOINTS["triage"](session, Query({"limit": "1"}))
    assert len(some["failing"]) == 1
    assert every["more_findings"] == 0
    assert some["more_findings"] == sum(
        len(every[kind]) - len(some[kind]) for kind in ("failing", "swallowed", "slow", "repeated")
    )


def test_chains_are_those_of_triage_unless_other_processes_continue_them(
    trace: Path, folder: Path
) -> None:
    session = Session([open_trace(trace)], ["a.ftrace"])
    assert session.chains(0) is not session.triage.forest.chains[0]
    session = Session([open_trace(trace)], ["a.ftrace"])
    assert session.triage.forest.chains[0] is session.chains(0)
    services = Session([open_trace(path) for path in sorted((folder / "mall").iterdir())], ["mall"])
    assert any(chains.origin.any() for chains in services.triage.forest.chains)
    assert not any(services.chains(index).origin.any() for index in range(len(services.traces)))


def test_a_result_is_computed_once_for_several_threads() -> None:
    once = Once()
    started, may_end = threading.Event(), threading.Event()
    computed: list[int] = []

    def compute() -> int:
        computed.append(1)
        started.set()
        may_end.wait()
        return 7

    results: list[int] = []
    threads = [
        threading.Thread(target=lambda: results.append(once.get("a", compute))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    started.wait()
    assert not once.is_known("a")
    may_end.set()
    for thread in threads:
        thread.join()
    assert (computed, results) == ([1], [7, 7, 7, 7])
    assert once.is_known("a")


def test_errors_are_not_kept_and_old_results_are_dropped() -> None:
    once = Once(capacity=2)
    with pytest.raises(ZeroDivisionError):
        once.get("a", lambda: 1 // 0)
    assert not once.is_known("a")
    assert [once.get(key, lambda: 1) for key in ("a", "b")] == [1, 1]
    assert once.get("a", lambda: 2) == 1  # used again
    once.get("c", lambda: 1)
    assert once.get("b", lambda: 3) == 3
    assert once.get("c", lambda: 4) == 1


@pytest.mark.parametrize("error", [RuntimeError("the index\nis \x1b[2J broken"), MemoryError()])
def test_a_fault_is_a_sentence(
    trace: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setitem(api.ENDPOINTS, "tracks", fail)
    served = ServedTraces(Sessions(lambda: [open_trace(trace)], ["a.ftrace"]))
    with Server(served) as server:
        answer = server.answer("api/tracks", "")
    assert answer.status == 500
    sentence = json.loads(answer.content)["error"]
    assert sentence.isprintable()
    assert "Traceback" not in sentence


def test_calls_are_found_on_a_clock_finer_than_nanoseconds(tmp_path: Path) -> None:
    path = faulty.faulty(tmp_path / "a.ftrace", rate=2_893_412_345)
    session = Session([open_trace(path)], ["a.ftrace"])
    listed = api.ENDPOINTS["calls"](session, Query({"limit": "1000"}))["calls"]
    assert len(listed) == 307
    for call in listed:
        place = {name: str(call[name]) for name in ("track", "depth")}
        found = api.ENDPOINTS["call"](session, Query({**place, "start": str(call["start_ns"])}))
        assert found["function"] == call["function"]
        assert found["chain"][-1]["start_ns"] == call["start_ns"]
