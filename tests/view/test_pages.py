"""Answers for the timeline, flame graphs, tables of calls and sources."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functrace.tracefile import open_trace
from functrace.view import call_rows
from functrace.view.api import call as call_api
from functrace.view.api import calls
from functrace.view.api import source as source_api
from functrace.view.query import Query
from functrace.view.session import Session
from functrace.view.window import CallPage
from tests.analysis.recorded import Recorded
from tests.tracefile import writer as w
from tests.view.conftest import Printed
from tests.view.serving import Viewer, viewing

GET = "example.com/shop/store.(*Store).Get"
MAIN, WORKER = 0, 1


def test_tracks_follow_their_parents(viewer: Viewer) -> None:
    found = viewer.get("tracks")
    assert found["total"] == 4
    assert [(each["name"], each["parent"], each["function"]) for each in found["tracks"]] == [
        ("goroutine 1", None, "main.main"),
        ("goroutine 8", 0, "main.work"),
        ("goroutine 9", 0, "main.work"),
        ("goroutine 7", 0, "main.notify"),
    ]
    assert found["tracks"][3] == {
        "id": 3,
        "trace": 0,
        "name": "goroutine 7",
        "kind": "goroutine",
        "parent": 0,
        "parent_time_ns": 9000,
        "function": "main.notify",
        "start_ns": 9000,
        "end_ns": 10000,
        "calls": 1,
        "failed": 1,
        "max_depth": 1,
        "group": "shop 4194303",
    }


def test_tracks_by_name_window_and_page(viewer: Viewer) -> None:
    def names(**parameters: object) -> list[str]:
        return [each["name"] for each in viewer.get("tracks", **parameters)["tracks"]]

    assert names(q="GOROUTINE 9") == ["goroutine 9"]
    assert names(from_=20_000) == ["goroutine 1", "goroutine 8", "goroutine 9"]
    assert names(to=500) == ["goroutine 1", "goroutine 8"]
    assert names(errors=1) == ["goroutine 1", "goroutine 7"]
    assert names(tracks="3,2") == ["goroutine 9", "goroutine 7"]
    assert names(offset=1, limit=2) == ["goroutine 8", "goroutine 9"]
    assert viewer.get("tracks", limit=1)["total"] == 4


def test_tracks_of_several_traces_are_numbered_through(services: Viewer) -> None:
    tracks = services.get("tracks")["tracks"]
    assert [each["id"] for each in tracks] == [0, 1, 2, 3, 4]
    assert [each["group"] for each in tracks[:2]] == ["edge 11", "gateway 12"]
    assert [each["id"] for each in services.get("tracks", service="store")["tracks"]] == [4]


def test_window(viewer: Viewer) -> None:
    found = viewer.get("window", from_=1500, to=4500, px=3000, tracks="3,0", depth=3)
    late, main = found["tracks"]
    assert (late, main["id"]) == ({"id": 3, "rows": []}, MAIN)
    names = {int(key): each["name"] for key, each in found["functions"].items()}
    rows = {
        row["depth"]: list(
            zip(row["start"], row["duration"], map(names.get, row["function"]), strict=True)
        )
        for row in main["rows"]
    }
    assert rows == {
        0: [(0, 239_120_000, "main.main")],
        1: [(at, 1000, "main.serve") for at in (2000, 3000, 4000)],
        2: [(at, 1000, GET) for at in (2000, 3000, 4000)],
    }
    assert main["rows"][1]["flags"] == [1, 1, 1]
    assert found["functions"][str(main["rows"][0]["function"][0])]["file"] == "main.go"


def test_a_wide_window_has_a_slice_for_several_calls(viewer: Viewer) -> None:
    found = viewer.get("window", tracks=MAIN, px=100)
    row = found["tracks"][0]["rows"][1]
    assert sum(row["calls"]) == 49
    assert len(row["calls"]) < 49
    assert max(row["flags"]) >= 8


def test_a_window_is_bounded(viewer: Viewer) -> None:
    assert viewer.ask("window").value == {"error": "the parameter tracks is missing"}
    assert viewer.ask("window", tracks="9").value == {"error": "there is no track 9"}
    many = ",".join(["0"] * 501)
    assert viewer.ask("window", tracks=many).value == {"error": "more than 500 tracks"}
    assert viewer.get("window", tracks=0, from_=-5, to="1e30", px="1e9", depth=10**9)["tracks"]
    assert viewer.get("window", tracks=0, from_=9, to=3)["to"] == 9


def test_overview(viewer: Viewer, services: Viewer) -> None:
    found = viewer.get("overview", px=16)
    assert (sum(found["calls"]), sum(found["failed"]), max(found["tracks"])) == (307, 11, 4)
    found = services.get("overview", px=10)
    assert (sum(found["calls"]), sum(found["failed"])) == (69, 28)
    assert len(found["calls"]) == 10


def test_calls_are_those_of_replay(viewer: Viewer, printed: Printed) -> None:
    found = viewer.get("calls", limit=1000)
    assert (found["total"], found["exact"]) == (307, True)
    keys = ("function", "file", "line", "start_ns", "duration_ns")
    expected = [each for each in printed("replay", "faulty.ftrace") if each["type"] == "call"]
    assert Counter(
        (each["depth"], each["error"], *map(each.get, keys)) for each in found["calls"]
    ) == Counter(
        (each["level"] - 1, each.get("error", each.get("panic")), *map(each.get, keys))
        for each in expected
    )
    assert [each["start_ns"] for each in found["calls"]] == sorted(
        each["start_ns"] for each in found["calls"]
    )


def test_calls_by_filters(viewer: Viewer) -> None:
    def texts(**parameters: object) -> list[str]:
        return [each["error"] for each in viewer.get("calls", errors=1, **parameters)["calls"]]

    locked = [f"item {number} is locked" for number in (13, 14, 15)]
    assert texts(include=GET) == locked
    assert texts(include="store.Get") == locked
    assert texts(include=GET, from_=3500) == locked[1:]
    assert texts(include=GET, to=2500) == locked[:1]
    assert texts(exclude="store.*,main.serve,main.walk") == ["no route to host"]
    assert texts(tracks=3) == ["no route to host"]
    (slowest, *_) = viewer.get("calls", min_duration=10**8, sort="self", order="desc")["calls"]
    assert slowest["function"] == "example.com/shop/store.Lock"
    assert viewer.get("calls", offset=305)["calls"][0]["depth"] == 149


def test_calls_of_several_traces_are_merged(services: Viewer) -> None:
    every = services.get("calls", limit=1000)["calls"]
    pages = [
        call
        for offset in range(0, 69, 10)
        for call in services.get("calls", offset=offset, limit=10)["calls"]
    ]
    assert len(every) == 69
    assert pages == every
    assert {each["trace"] for each in every[:10]} == {0, 1, 2, 3}


@pytest.mark.parametrize("sort", ["start", "duration", "self"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_only_the_calls_of_a_page_become_objects(
    folder: Path, monkeypatch: pytest.MonkeyPatch, sort: str, order: str
) -> None:
    made = []

    def rows(session: Session, trace: int, page: CallPage) -> list[dict[str, Any]]:
        made.append(len(page))
        return call_rows.rows(session, trace, page)

    monkeypatch.setattr(calls, "call_rows", SimpleNamespace(rows=rows))
    session = Session([open_trace(path) for path in sorted((folder / "mall").iterdir())], ["mall"])
    asked = {"sort": sort, "order": order}
    every = calls.answer(session, Query({**asked, "limit": "1000"}))["calls"]
    assert len(every) == sum(made) == 69
    keys = [each[f"{sort}_ns"] for each in every]
    assert keys == sorted(keys, reverse=order == "desc")
    made.clear()
    page = calls.answer(session, Query({**asked, "offset": "30", "limit": "10"}))["calls"]
    assert page == every[30:40]
    assert sum(made) == 10


def test_unknown_sort(viewer: Viewer) -> None:
    reply = viewer.ask("calls", sort="name")
    message = "the parameter sort must be start or duration or self"
    assert (reply.status, reply.value) == (400, {"error": message})


def test_a_call_in_full(viewer: Viewer) -> None:
    call = viewer.get("call", track=MAIN, start=3000)
    assert (call["function"], call["error"]) == (GET, "item 14 is locked")
    assert [step["function"] for step in call["chain"]] == ["main.main", "main.serve", GET]
    assert viewer.get("call", track=MAIN, start=3000, depth=1)["function"] == "main.serve"
    reply = viewer.ask("call", track=MAIN, start=3001)
    assert reply.value == {"error": "no call starts at 3001 ns on this track"}


@pytest.mark.parametrize("max_open", [100_000, 1200])
def test_the_innermost_calls_of_a_long_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, max_open: int
) -> None:
    monkeypatch.setattr(call_api, "_MAX_OPEN", max_open)
    recorded = Recorded("main.main", "main.walk")
    main, work = recorded.goroutine(1), recorded.goroutine(2, parent=1, starter="main.main")
    for goroutine, count in ((main, 10), (work, 1500)):
        for _ in range(count):
            goroutine.enter("main.walk")
            recorded.now += 10
    started = recorded.now - 10
    session = Session([open_trace(recorded.write(tmp_path / "a.ftrace"))], ["a.ftrace"])
    found = call_api.answer(session, Query({"track": "1", "start": str(started - 1000)}))
    assert (found["depth"], found["chain_truncated"], len(found["chain"])) == (1499, True, 1000)
    assert [step["depth"] for step in found["chain"]] == list(range(500, 1500))
    assert not any(step["started"] for step in found["chain"])


def test_a_call_s_chain_begins_on_the_first_track(viewer: Viewer) -> None:
    call = viewer.get("call", track=3, start=9000)
    assert [(s["function"], s["track"], s["started"]) for s in call["chain"]] == [
        ("main.main", 0, False),
        ("main.notify", 3, True),
    ]


def test_a_call_s_requests(services: Viewer) -> None:
    (call, *_) = services.get("calls", service="store", include="store.Get")["calls"]
    found = services.get("call", track=call["track"], start=call["start_ns"])["requests"]
    assert [(each["direction"], each["route"]) for each in found] == [
        ("inbound", "grpc store.Store/Get")
    ]


def test_links_of_triage_lead_to_the_call(viewer: Viewer) -> None:
    failing = viewer.get("triage")["failing"][0]
    track, start = failing["links"]["timeline"].partition("select=")[2].split("%3A")
    call = viewer.get("call", track=track, start=start)
    assert (call["function"], call["error"]) == (failing["function"], failing["text"])


def nodes(found: Any) -> dict[str, Any]:
    """Return the nodes of a flame graph by their path."""
    paths: dict[int | None, str] = {None: ""}
    by_path = {}
    for node in found["nodes"]:
        name = node["function"].rpartition("/")[2]
        paths[node["id"]] = f"{paths[node['parent']]} {name}".strip()
        by_path[paths[node["id"]]] = node
    assert len(by_path) == len(found["nodes"])
    return by_path


def test_a_flame_graph_of_everything(viewer: Viewer) -> None:
    found = nodes(viewer.get("flame"))
    assert found["main.main"]["total_ns"] == 239_120_000
    assert found["main.main main.serve store.(*Store).Get"]["failed"] == 3
    assert found["main.main main.work store.Lock"]["self_ns"] == 478_237_000
    assert found["main.main main.work"]["started"] is True
    assert not viewer.get("flame")["truncated"]


def test_a_flame_graph_of_a_function_is_its_tree_of_callees(
    viewer: Viewer, printed: Printed
) -> None:
    found = nodes(viewer.get("flame", function="main.serve"))
    (tree,) = printed("graph", "main.serve", "faulty.ftrace", "--min-share", "0")["functions"]
    expected = {f"main.serve {each['function'].rpartition('/')[2]}" for each in tree["callees"]}
    assert set(found) == {"main.serve", *expected}
    assert found["main.serve"]["total_ns"] == tree["total_ns"]


def test_callers_of_a_function_are_its_chains(viewer: Viewer, printed: Printed) -> None:
    found = nodes(viewer.get("flame", function=GET, direction="callers"))
    chains = printed("callers", GET, "faulty.ftrace")["chains"]
    expected = {
        " ".join(step["function"].rpartition("/")[2] for step in reversed(chain["steps"])): (
            chain["calls"],
            chain["failed"],
            chain["total_ns"],
        )
        for chain in chains
    }
    assert expected == {
        path: (found[path]["calls"], found[path]["failed"], found[path]["total_ns"])
        for path in expected
    }
    assert found["store.(*Store).Get"]["calls"] == 59


def test_callers_of_everything_are_sized_by_self_time(viewer: Viewer) -> None:
    found = viewer.get("flame", direction="callers")
    assert found["total_ns"] == sum(node["self_ns"] for node in viewer.get("flame")["nodes"])
    assert nodes(found)["store.Lock main.work"]["total_ns"] == 478_237_000


def test_a_flame_graph_of_a_window_counts_time_inside_it(viewer: Viewer) -> None:
    found = nodes(viewer.get("flame", from_=2500, to=4500))
    assert found["main.main"]["total_ns"] == 2000
    assert found["main.main"]["self_ns"] == 0
    assert found["main.main main.serve"]["total_ns"] == 2000
    assert found["main.main main.serve store.(*Store).Get"]["self_ns"] == 2000
    assert found["main.main main.work"]["total_ns"] == 2 * 2000
    assert viewer.get("flame", from_=10**12)["nodes"] == []


def test_a_flame_graph_of_failed_calls(viewer: Viewer) -> None:
    found = nodes(viewer.get("flame", errors=1))
    assert found["main.main"]["calls"] == 11
    assert found["main.main"]["total_ns"] == 3000 + 2000 + 1000 + 1000
    assert found["main.main main.serve store.Open"]["calls"] == 2
    assert "main.main main.list" not in found


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    """A viewer of main.f, 10 us long and suspended for the first 8, with main.g from 9 us on."""
    folder = tmp_path_factory.mktemp("waiting")
    facts = w.facts(1, w.process("{}"), w.function(1, "main.f"), w.function(2, "main.g"))
    words = (
        w.enter(1, 0),
        w.suspended(0),
        w.resumed(8000),
        w.enter(2, 9000),
        w.leave(2, 9500),
        w.leave(1, 10_000),
    )
    track = w.events(2, w.track(1, 1000), *words, track=1)
    (folder / "a.ftrace").write_bytes(w.header() + facts + track)
    with viewing("a.ftrace", cwd=folder) as started:
        yield started


@pytest.mark.parametrize(
    ("parameters", "total", "own", "suspended"),
    [
        ({}, 10_000, 1500, 8000),
        ({"from": 8000, "to": 10_000}, 2000, 1500, None),
        ({"from": 8000}, 2000, 1500, None),
        ({"to": 4000}, 4000, 4000, None),
        ({"from": 8000, "include": "main.f"}, 2000, 2000, None),
        ({"include": "main.f"}, 10_000, 2000, 8000),
    ],
)
def test_self_time_of_a_window_contains_suspended_time(
    waiting: Viewer, parameters: dict[str, object], total: int, own: int, suspended: int | None
) -> None:
    found = nodes(waiting.get("flame", **parameters))["main.f"]
    figures = (found["total_ns"], found["self_ns"], found["suspended_ns"])
    assert figures == (total, own, suspended)


def test_two_selections_are_compared(viewer: Viewer) -> None:
    found = nodes(viewer.get("flame", against=1, tracks=WORKER, b_tracks=2))
    work = found["main.main main.work"]
    assert (work["total_ns"], work["other_total_ns"]) == (239_120_000, 239_119_000)
    assert (work["calls"], work["other_calls"]) == (1, 1)
    assert found["main.main"]["calls"] == 0


@pytest.mark.parametrize(
    ("parameters", "command"),
    [
        ({}, "functrace graph main.serve faulty.ftrace"),
        ({"direction": "callers"}, "functrace callers main.serve faulty.ftrace"),
        (
            {"direction": "callers", "errors": 1, "min_duration": 500},
            "functrace callers --errors --min-duration 500ns main.serve faulty.ftrace",
        ),
        ({"errors": 1}, ""),
        ({"from": 2000}, ""),
        ({"direction": "callers", "tracks": 0}, ""),
        ({"against": 1, "b_from": 3000}, ""),
    ],
)
def test_a_command_is_offered_only_if_it_prints_what_the_page_shows(
    viewer: Viewer, parameters: dict[str, object], command: str
) -> None:
    assert viewer.get("flame", function="main.serve", **parameters)["command"] == command


def test_two_selections_have_no_command(viewer: Viewer) -> None:
    assert viewer.get("flame", against=1, b_from=3000)["command"] == ""


def test_a_command_has_a_replay_for_each_trace(tmp_path: Path) -> None:
    for number in range(6):
        recorded = Recorded("main.f")
        recorded.goroutine(1).call("main.f")
        recorded.write(tmp_path / f"{number}.ftrace")
    with viewing(".", cwd=tmp_path) as started:
        assert len(started.get("calls", min_duration=1)["command"].split("; ")) == 6


def test_the_largest_nodes_are_kept(viewer: Viewer) -> None:
    found = viewer.get("flame", limit=3)
    assert found["truncated"]
    assert set(nodes(found)) == {
        "main.main",
        "main.main main.work",
        "main.main main.work store.Lock",
    }


def test_requests_are_arrows(services: Viewer) -> None:
    found = services.get("requests")
    (first, *_) = [each for each in found if each["route"] == "POST /checkout"]
    assert first == {
        "from_track": 0,
        "from_ns": 20_000,
        "to_track": 2,
        "to_ns": 40_000,
        "route": "POST /checkout",
        "failed": False,
        "kind": "request",
    }
    assert Counter(each["kind"] for each in found) == {"request": 18, "child": 1}
    assert all(each["from_ns"] <= each["to_ns"] for each in found)
    lengths = [each["to_ns"] - each["from_ns"] for each in found if each["kind"] == "request"]
    assert lengths == sorted(lengths, reverse=True)
    assert services.get("requests", limit=3) == [*found[:3], found[-1]]
    assert services.get("requests", limit=0) == [found[0], found[-1]]
    failed = services.get("requests", errors=1, tracks=4)
    assert {each["to_track"] for each in failed} == {4}


def test_children_are_arrows(viewer: Viewer) -> None:
    found = viewer.get("requests", to=500)
    (arrow,) = found
    assert (arrow["from_track"], arrow["to_track"], arrow["kind"]) == (0, 1, "child")


def test_source(tmp_path: Path) -> None:
    source = tmp_path / "shop.go"
    source.write_text("package main\n\n\tfunc main() {\n}\n")
    old = time.time() - 10**8 * 12  # before the trace
    os.utime(source, (old, old))
    trace = Recorded("shop.main", "shop.get")
    main = trace.goroutine(1)
    with main.inside("shop.main"):
        main.call("shop.get", error="locked", times=2)
    trace.write(tmp_path / "a.ftrace")
    with viewing("a.ftrace", cwd=tmp_path) as started:
        found = started.get("source", function="shop.get")
        assert found["lines"][2] == "    func main() {"
        assert (found["exists"], found["changed"], found["line"]) == (True, False, 10)
        assert found["figures"] == {
            "10": {"calls": 2, "failed": 2, "total_ns": 2000},
            "11": {"calls": 1, "failed": 0, "total_ns": 2000},
        }
        source.write_text("".join(f"// {number}\n" for number in range(1, 9001)))
        found = started.get("source", function="shop.get")
        assert (found["first_line"], len(found["lines"])) == (1, 4000)
        source.write_text("package other\n")
        assert started.get("source", function="shop.get")["changed"]
        source.write_bytes(b"x" * 4_000_001)
        assert not started.get("source", function="shop.get")["exists"]
        source.unlink()
        os.mkfifo(source)
        found = started.get("source", function="shop.get")
        assert (found["exists"], found["lines"], found["file"]) == (False, [], "shop.go")


@pytest.mark.parametrize(("line", "first"), [(10, 1), (5000, 3001), (8999, 5002), (10**6, 5002)])
def test_lines_around_a_function(tmp_path: Path, line: int, first: int) -> None:
    (tmp_path / "a.go").write_text("".join(f"// {number}\n" for number in range(1, 9001)))
    function = w.function(1, "main.f", str(tmp_path / "a.go"), line)
    track = w.events(2, w.track(1, 1000), w.enter(1, 0), w.leave(1, 9), track=1)
    path = tmp_path / "a.ftrace"
    path.write_bytes(w.header() + w.facts(1, w.process("{}"), function) + track)
    session = Session([open_trace(path)], ["a.ftrace"])
    found = source_api.answer(session, Query({"function": "main.f"}))
    assert (found["first_line"], len(found["lines"])) == (first, 4000)
    assert found["lines"][0] == f"// {first}"


@pytest.mark.parametrize("name", ["/etc/passwd", "id_rsa", "/dev/zero", "x.go\0y.go", "", "x.go/"])
def test_only_sources_are_read(tmp_path: Path, name: str) -> None:
    from functrace.view.sources import read_source

    (tmp_path / "id_rsa").write_text("secret")
    assert read_source(name and str(tmp_path / name)) is None


def test_a_link_to_another_kind_of_file_is_not_read(tmp_path: Path) -> None:
    from functrace.view.sources import read_source

    (tmp_path / "id_rsa").write_text("secret")
    (tmp_path / "real.go").write_text("package main")
    for link, target in (("a.go", "id_rsa"), ("b.go", "a.go"), ("c.go", "real.go")):
        (tmp_path / link).symlink_to(target)
    (tmp_path / "loop.go").symlink_to("loop.go")
    found = {name: read_source(str(tmp_path / name)) for name in ("a.go", "b.go", "loop.go")}
    assert found == {"a.go": None, "b.go": None, "loop.go": None}
    source = read_source(str(tmp_path / "c.go"))
    assert source is not None
    assert source.lines == ["package main"]


def test_live_is_a_revision(viewer: Viewer) -> None:
    assert viewer.get("live") == {"revision": 0, "session": viewer.get("session")}
