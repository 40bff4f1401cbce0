"""Pages that functrace view --save writes."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functrace.tracefile import open_trace
from functrace.view import api, saved_answers
from functrace.view.answers import encode
from functrace.view.api import chains as chains_api
from functrace.view.function_chains import chains_by_function
from functrace.view.query import Query
from functrace.view.saved_answers import SavedAnswers, key
from functrace.view.session import Session
from tests.analysis.recorded import Recorded
from tests.cli.conftest import Run
from tests.view.serving import Viewer

_DATA = re.compile(r'<script id="saved" type="application/json">(.*?)</script>', re.DOTALL)


def save(folder: Path, *words: str) -> str:
    """Run functrace view --save and return the page."""
    command = [sys.executable, "-m", "functrace", "view", *words, "--save", "page.html"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("", "functrace view: page.html written\n")
    return (folder / "page.html").read_text()


def data(page: str) -> Any:
    (found,) = _DATA.findall(page)
    return json.loads(found)


def test_a_saved_page_has_the_answers_of_the_server(folder: Path, viewer: Viewer) -> None:
    saved = data(save(folder, "faulty.ftrace"))
    end = viewer.get("session")["duration_ns"]
    assert (saved["from"], saved["to"]) == (0, end)
    answers = saved["answers"]
    for name in ("session", "triage", "services", "functions", "overview", "tracks"):
        assert answers[name] == viewer.get(name), name
    assert answers["calls"]["calls"] == viewer.get("calls", limit=1000)["calls"]
    window = viewer.get("window", tracks="0,1,2,3", px=8192, depth=200)
    assert window["functions"].items() <= answers["window"]["functions"].items()
    assert sum(map(sum, (row["calls"] for row in answers["window"]["tracks"][0]["rows"]))) == 300
    function = viewer.get("triage")["failing"][0]["function"]
    chains = answers[key("chains", {"function": function})]
    assert chains == viewer.get("chains", function=function)
    for direction in ("callees", "callers"):
        found = answers[key("flame", {"direction": direction})]
        assert found["nodes"] == viewer.get("flame", direction=direction)["nodes"]


def test_a_part_of_the_time(folder: Path) -> None:
    saved = data(save(folder, "faulty.ftrace", "--from", "2500ns", "--until", "4us"))
    assert (saved["from"], saved["to"]) == (2500, 4000)
    calls = saved["answers"]["calls"]["calls"]
    assert "item 13 is locked" in [each["error"] for each in calls]
    assert "item 15 is locked" in [each["error"] for each in calls]
    assert all(
        each["start_ns"] <= 4000 and each["start_ns"] + each["duration_ns"] >= 2500
        for each in calls
    )


def test_a_saved_page_is_bounded_and_says_so(tmp_path: Path) -> None:
    program = Recorded("main.main", "main.work")
    main = program.goroutine(1)
    with main.inside("main.main"):
        main.call("main.work", times=100_000)
    program.write(tmp_path / "a.ftrace")
    page = save(tmp_path, "a.ftrace")
    assert len(page) < 8_000_000
    saved = data(page)
    (note,) = saved["answers"]["session"]["traces"][0]["notes"]
    assert "5,000 of 100,001 calls of the table" in note
    assert re.search(r"\d of 100,001 calls on the timeline one by one", note)
    assert saved["answers"]["window"]["tracks"][0]["rows"][0]["calls"] == [1]
    assert sum(saved["answers"]["window"]["tracks"][0]["rows"][1]["calls"]) == 100_000


def test_long_texts_are_bounded(tmp_path: Path) -> None:
    names = [f"main.f{number}" for number in range(1000)]
    program = Recorded(*names)
    goroutine = program.goroutine(1)
    for number, name in enumerate(names):
        goroutine.call(name, error=f"{number} {'x' * 4000}")
    program.write(tmp_path / "a.ftrace")
    page = save(tmp_path, "a.ftrace")
    assert len(page) < 10_000_000
    answers = data(page)["answers"]
    (note,) = answers["session"]["traces"][0]["notes"]
    shown = re.findall(r"(\d+) of 1,000 (findings|calls of the table)", note)
    assert shown == [
        (str(len(answers["triage"]["failing"])), "findings"),
        (str(len(answers["calls"]["calls"])), "calls of the table"),
    ]
    assert answers["triage"]["more_findings"] == 1000 - len(answers["triage"]["failing"])


def test_routes_and_arrows_are_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    traces = [open_trace(path) for path in sorted((folder / "mall").glob("*.ftrace"))]
    session = Session(traces, ["mall"])
    every = SavedAnswers(session, 0, session.duration_ns).saved()["answers"]
    edges, arrows = every["services"]["edges"], every["requests"]
    assert len(edges) > 2
    assert len(arrows) > 2
    chains_bytes = len(encode(edges[0]["chains"]))
    monkeypatch.setattr(saved_answers, "_MAX_REQUESTS_BYTES", chains_bytes)
    monkeypatch.setattr(saved_answers, "_MAX_ARROWS", 1)
    bounded = SavedAnswers(session, 0, session.duration_ns).saved()["answers"]
    (note,) = [
        each
        for each in bounded["session"]["traces"][0]["notes"]
        if each.startswith("this page contains")
    ]
    assert f"1 of {len(edges)} routes with their chains" in note
    assert f"1 of {len(arrows)} arrows" in note
    assert bounded["requests"] == arrows[:1]
    assert bounded["services"]["edges"][0] == edges[0]
    assert [each["chains"] for each in bounded["services"]["edges"][1:]] == [
        [] for _ in bounded["services"]["edges"][1:]
    ]


def limits_of(session: Session) -> str:
    """Return the note about what a saved page leaves out."""
    answers = SavedAnswers(session, 0, session.duration_ns).saved()["answers"]
    notes: list[str] = answers["session"]["traces"][0]["notes"]
    return next(each for each in notes if each.startswith("this page contains"))


def test_arrows_that_were_not_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session([open_trace(path) for path in sorted((folder / "mall").iterdir())], ["mall"])
    monkeypatch.setattr(saved_answers, "_MAX_ARROWS", 1)
    assert "of at least" not in limits_of(session)
    monkeypatch.setattr(saved_answers, "_COUNTED_ARROWS", 2)  # of requests, and of starts
    assert "1 of at least 3 arrows" in limits_of(session)


def test_routes_with_long_names(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A route that is left out does not count as one with its chains."""
    edges = [{"route": "x" * 100, "chains": []} for _ in range(5)]
    monkeypatch.setitem(api.ENDPOINTS, "services", lambda *_: {"edges": edges})
    monkeypatch.setattr(saved_answers, "_MAX_REQUESTS_BYTES", 300)
    session = Session([open_trace(folder / "faulty.ftrace")], ["faulty.ftrace"])
    note = limits_of(session)
    assert "2 of 5 routes between services, 2 of 5 routes with their chains" in note


@pytest.mark.parametrize("name", ["hostile.ftrace", "markup.ftrace"])
def test_texts_of_a_trace_stay_texts(folder: Path, name: str) -> None:
    attack = "</script><script>alert(1)</script><!--<script>"
    program = Recorded(f"main.{attack}", f"main.<img src=x onerror=alert(1)>{attack}")
    program.goroutine(1).call(f"main.{attack}", error=f"{attack}]]>&quot;'\"")
    program.write(folder / "markup.ftrace")
    page = save(folder, name)
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    assert "<!--" not in page
    assert "<img" not in page
    assert page.isprintable() or set(filter(lambda c: not c.isprintable(), page)) == {"\n"}
    if name == "markup.ftrace":
        assert data(page)["answers"]["calls"]["calls"][0]["function"] == f"main.{attack}"


def test_the_policy_permits_the_page_s_own_script_alone(folder: Path) -> None:
    page = save(folder, "faulty.ftrace")
    assert page.index("Content-Security-Policy") < page.index("<style>") < page.index("<script")
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert (rules["base-uri"], rules["form-action"]) == ("'none'", "'none'")
    for element, rule in (("script", "script-src"), ("style", "style-src")):
        (content,) = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert not re.findall(r'(?:src|href)="(?!data:)', page[: page.index("<style>")])


def test_chains_of_many_functions_are_those_of_each(folder: Path) -> None:
    session = Session([open_trace(path) for path in sorted((folder / "mall").iterdir())], ["mall"])
    names = [function.name for function in session.functions]
    found = dict(chains_by_function(session, names))
    assert {"main.main", "POST /pay", "store.Get"} <= set(found)
    for name, chains in found.items():
        single = chains_api.answer(session, Query({"function": name}))
        assert chains_api.report(session, chains, name, 100) == single, name
    assert list(chains_by_function(session, [])) == []


def test_keys_are_those_of_a_browser() -> None:
    """The result of `new URLSearchParams({function: name})` in a browser."""
    assert key("triage", {}) == "triage"
    named = {"function": "a.(*B).c~d* e/é-_.f[...]", "direction": "callers"}
    expected = "flame?direction=callers&function=a.%28*B%29.c%7Ed*+e%2F%C3%A9-_.f%5B...%5D"
    assert key("flame", named) == expected


def test_wrong_usage(functrace: Run, folder: Path) -> None:
    def message(*words: str) -> tuple[str, int]:
        done = functrace("view", *words, cwd=folder)
        return done.stderr, done.returncode

    either = (
        "functrace: name one or several traces, --store and a store, or --live and a running"
        " program\n"
    )
    assert message() == (either, 2)
    assert message("a.ftrace", "--live", "x") == (either, 2)
    assert message("faulty.ftrace", "--until", "1s")[1] == 2
    empty = "functrace: --from must be before --until and before the end of the traces\n"
    page = ("--save", "page.html")
    assert message("faulty.ftrace", *page, "--from", "2s") == (empty, 2)
    assert message("faulty.ftrace", *page, "--from", "2us", "--until", "1us") == (empty, 2)
    own = "functrace: output file faulty.ftrace is one of the traces; choose another\n"
    assert message("faulty.ftrace", "--save", "faulty.ftrace") == (own, 1)
    assert message("faulty.ftrace", "--save", "none/page.html")[1] == 1
