"""Answers of the server for small traces."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from functrace.view import api
from functrace.view.answers import encode
from tests.analysis.recorded import Recorded
from tests.cli import hostile
from tests.view.conftest import Printed
from tests.view.serving import Viewer, viewing


def without(value: Any, *keys: str) -> Any:
    """Return JSON without some keys."""
    if isinstance(value, dict):
        return {k: without(v, *keys) for k, v in value.items() if k not in keys}
    return [without(v, *keys) for v in value] if isinstance(value, list) else value


def test_session(viewer: Viewer) -> None:
    session = viewer.get("session")
    (trace,) = session.pop("traces")
    assert session.pop("version")
    assert session == {
        "origin_ns": "1700000000000000000",
        "duration_ns": 239120000,
        "live": False,
        "arguments": "faulty.ftrace",
        "command": "functrace info faulty.ftrace",
    }
    assert trace == {
        "id": 0,
        "name": "shop 4194303",
        "path": "faulty.ftrace",
        "program": "shop",
        "service": "shop",
        "pid": 4194303,
        "host": "web1",
        "language": "go",
        "start_ns": 0,
        "end_ns": 239120000,
        "events": 610,
        "calls": 307,
        "failed": 11,
        "tracks": 4,
        "notes": ["4 calls unfinished; their durations end with the trace"],
        "reason": None,
    }


def test_times_of_several_traces_have_one_origin(services: Viewer) -> None:
    traces = {trace["service"]: trace for trace in services.get("session")["traces"]}
    assert traces["gateway"]["start_ns"] == 0
    assert traces["payments"]["start_ns"] == 110_000
    # The clock of the store's host is 7 seconds ahead; its requests show that.
    assert 110_000 < traces["store"]["start_ns"] < 210_000


def test_triage_is_that_of_the_verb(viewer: Viewer, printed: Printed) -> None:
    found = viewer.get("triage")
    assert found.pop("command") == "functrace triage faulty.ftrace"
    assert without(found, "links") == printed("triage", "faulty.ftrace")


def test_findings_link_to_their_chains_and_example(viewer: Viewer) -> None:
    found = viewer.get("triage")
    (failing, *_), (slow,) = found["failing"], found["slow"]
    assert failing["links"]["chains"] == (
        "#/chains?function=example.com%2Fshop%2Fstore.%28%2AStore%29.Get&errors=1"
    )
    assert failing["links"]["timeline"] == "#/timeline?select=0%3A2000"
    start, duration = slow["example"]["start_ns"], slow["example"]["duration_ns"]
    parameters = parse_qs(urlsplit(slow["links"]["timeline"]).fragment.partition("?")[2])
    assert parameters["select"] == [f"0:{start}"]
    assert int(parameters["from"][0]) < start
    assert int(parameters["to"][0]) > start + duration
    linked = [each for kind in found.values() if isinstance(kind, list) for each in kind]
    functions = [each["links"]["chains"] for each in linked if isinstance(each, dict)]
    for link in functions:
        query = parse_qs(link.partition("?")[2])
        assert viewer.get("chains", function=query["function"][0])["chains"]


def test_chains_are_those_of_the_verb(viewer: Viewer, printed: Printed) -> None:
    found = viewer.get("chains", function="example.com/shop/store.Open", errors=1)
    command = "functrace callers --errors example.com/shop/store.Open faulty.ftrace"
    assert found.pop("command") == command
    assert without(found, "links") == printed("callers", "store.Open", "faulty.ftrace", "--errors")
    assert found["chains"][0]["links"]["timeline"] == "#/timeline?select=0%3A6000"
    slow = viewer.get("chains", function="Query", min_duration=10_000_000)
    assert slow["command"] == "functrace callers --min-duration 10ms Query faulty.ftrace"
    assert slow["chains"][0]["matching"] == 1
    first = viewer.get("chains", function="*", limit=1)
    assert (len(first["chains"]), first["more_chains"] > 1) == (1, True)


def test_chains_of_an_unknown_function(viewer: Viewer) -> None:
    reply = viewer.ask("chains", function="store.Opne")
    message = "no function matches store.Opne; did you mean store.Open?"
    assert (reply.status, reply.value) == (404, {"error": message})
    reply = viewer.ask("chains", function="a[")
    assert reply.status == 400


def test_commands_run(viewer: Viewer, services: Viewer, printed: Printed) -> None:
    """A command of an answer is one that prints."""
    answers = [
        viewer.get("triage"),
        viewer.get("chains", function="example.com/shop/store.(*Store).Get"),
        viewer.get("calls", errors=1, min_duration=1000, tracks=0, from_=2001, to=9000),
        viewer.get("call", track=0, start=2000),
        viewer.get("flame", function="example.com/shop/store.(*Store).Get"),
        viewer.get("flame", function="main.serve", direction="callers"),
        viewer.get("window", tracks="0,1"),
        viewer.get("session"),
        services.get("services"),
        services.get("chains", function="POST /checkout"),
        services.get("calls", include="POST /checkout", service="edge"),
    ]
    for answer in answers:
        words = shlex.split(answer["command"])
        assert printed(*(word for word in words[1:] if word != "--tree")), answer["command"]


def test_commands_about_functions_named_like_options_run(folder: Path, printed: Printed) -> None:
    with viewing("options.ftrace", cwd=folder) as started:
        for name in (*hostile.OPTIONS, *hostile.REQUEST_OPTIONS):
            answers = [
                started.get("chains", function=name, errors=1),
                started.get("source", function=name),
                started.get("flame", function=name),
                started.get("flame", function=name, direction="callers"),
                started.get("calls", include=name),
            ]
            for answer in answers:
                words = shlex.split(answer["command"])
                assert printed(*(word for word in words[1:] if word != "--tree")), answer["command"]


def test_a_long_name_is_cut_but_not_in_a_command(tmp_path: Path) -> None:
    name = f"main.{'x' * 5000}"
    recorded = Recorded(name)
    recorded.goroutine(1).call(name)
    recorded.write(tmp_path / "a.ftrace")
    with viewing("a.ftrace", cwd=tmp_path) as started:
        found = started.get("chains", function=name)
        assert found["functions"][0]["function"].endswith("… (5005 characters)")
        assert found["command"] == f"functrace callers {name} a.ftrace"
        assert json.loads(encode({name: name})) == {name: found["functions"][0]["function"]}


def test_functions(viewer: Viewer) -> None:
    found = viewer.get("functions", q="STORE.")
    assert [each["name"].rpartition("/")[2] for each in found] == [
        "store.(*Store).Get",
        "store.Query",
        "store.Lock",
        "store.Open",
        "store.Close",
    ]
    assert found[0] == {
        "id": found[0]["id"],
        "name": "example.com/shop/store.(*Store).Get",
        "file": "store.go",
        "line": 10,
        "calls": 59,
        "failed": 3,
    }
    assert len(viewer.get("functions", limit=2)) == 2


def test_services_are_those_of_the_verb(services: Viewer, printed: Printed) -> None:
    found = services.get("services")
    assert found.pop("command") == "functrace services mall"
    assert found == printed("services", "mall")


def test_hostile_names_and_texts_are_escaped(folder: Path) -> None:
    with viewing("hostile.ftrace", cwd=folder) as started:
        window = {"tracks": "0,1", "from": 0, "to": started.get("session")["duration_ns"]}
        parameters = {"window": window, "call": {"track": 0, "start": 0}}
        for endpoint in sorted({*api.ENDPOINTS} - {"chains", "source"}):
            answer = started.get(endpoint, **parameters.get(endpoint, {}))
            text = json.dumps(answer, ensure_ascii=False)
            assert not hostile.harm(re.sub(r"\\[nt]", "", text)), endpoint
        for function in started.get("functions"):
            shown = started.get("chains", function=function["name"])
            assert shown["functions"][0]["function"] == function["name"]
            assert started.get("calls", include=function["name"])["total"] >= function["calls"]
