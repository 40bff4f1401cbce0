"""A store in the viewer: what it has is that of the other verbs, and the rest is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from functrace.cli import verbs
from functrace.errors import FunctraceError, UsageError
from functrace.rollup.selection import Selection
from functrace.view import stored_session
from functrace.view.query import Query
from functrace.view.store_api import flame
from functrace.view.stored_session import StoredSession
from tests.rollup import service
from tests.view.conftest import Printed
from tests.view.serving import Viewer, viewing

ONLY_ONE = {"links", "command", "partial_traces", "more_findings", "coverage", "demoted"}


def write_store(folder: Path) -> Path:
    """Write two processes of a shop and one of a cart, and a store of their rollups."""
    (folder / "traces").mkdir()
    for number, (name, release) in enumerate((("shop", "1.4"), ("shop", "1.5"), ("cart", "2")), 1):
        service.write(
            folder / "traces" / f"{number}.ftrace",
            key=f"{number:016x}",
            service=name,
            seconds=60 * number,
            options={"FUNCTRACE_RELEASE": release},
        )
    words = [sys.executable, "-m", "functrace", "rollup", "traces", "-o", "store"]
    subprocess.run(words, cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store."""
    return write_store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def viewer(folder: Path) -> Iterator[Viewer]:
    with viewing("--store", "store", cwd=folder) as started:
        yield started


def common(value: dict[str, Any]) -> Any:
    """Return what the page and the verb have in common."""
    if isinstance(value, dict):
        return {key: common(each) for key, each in value.items() if key not in ONLY_ONE}
    return list(map(common, value)) if isinstance(value, list) else value


def test_the_store_and_its_services(viewer: Viewer) -> None:
    found = viewer.get("session")
    assert found["traces"] == []
    assert found["store"] == {
        "place": "store",
        "services": [
            {"name": "cart", "releases": ["2"], "process_count": 1, "calls": 182, "failed": 60},
            {
                "name": "shop",
                "releases": ["1.4", "1.5"],
                "process_count": 2,
                "calls": 184,
                "failed": 60,
            },
        ],
        "notes": ["3 of 3 instances, 6.0 min recorded"],
    }
    assert found["arguments"] == "--store store"


def test_triage_is_that_of_the_verb(viewer: Viewer, printed: Printed) -> None:
    found = viewer.get("triage")
    assert common(found) == common(printed("triage", "--store", "store"))
    assert found["command"] == "functrace triage --store store"
    failing = found["failing"][0]
    assert failing["service"] == "cart"
    assert failing["links"] == {"chains": "#/chains?function=store.Get&errors=1"}
    assert viewer.get("triage", limit=1)["more_findings"] > 0


def test_chains_are_those_of_the_verb(viewer: Viewer, printed: Printed) -> None:
    found = viewer.get("chains", function="store.Get", errors=1)
    expected = printed("callers", "--errors", "--store", "store", "store.Get")
    assert common(found) == common(expected)
    assert found["command"] == "functrace callers --store store --errors store.Get"
    assert len(viewer.get("chains", function="Get")["chains"]) == 4
    assert viewer.ask("chains", function="Gott").status == 404
    assert viewer.ask("chains", function="Get", min_duration=1).status == 400


def test_functions_of_all_services_are_added_up(viewer: Viewer) -> None:
    found = viewer.get("functions", q="GET")
    assert [(each["name"], each["calls"], each["failed"]) for each in found] == [
        ("store.Get", 363, 120)
    ]


def names(flame: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(each["service"], each["function"], each["calls"]) for each in flame["nodes"]]


def test_flame_graph(viewer: Viewer) -> None:
    found = viewer.get("flame")
    assert sorted(names(found)) == [
        ("cart", "main.main", 1),
        ("cart", "store.Get", 1),
        ("cart", "store.Get", 180),
        ("shop", "main.main", 2),
        ("shop", "store.Get", 2),
        ("shop", "store.Get", 180),
    ]
    assert found["command"] == ("functrace export --store store --to flamegraph -o flamegraph.svg")
    callers = viewer.get("flame", function="store.Get", direction="callers", service="cart")
    assert {service for service, _, _ in names(callers)} == {"cart"}
    assert callers["command"] == ""


def test_two_services_compared(viewer: Viewer) -> None:
    found = viewer.get("flame", service="shop", against=1, b_service="cart")
    shop = next(each for each in found["nodes"] if each["service"] == "shop")
    cart = next(each for each in found["nodes"] if each["service"] == "cart")
    assert (shop["calls"], shop["other_calls"]) == (2, 0)
    assert (cart["calls"], cart["other_calls"]) == (0, 1)


def test_a_service_without_calls_has_none_of_those_of_another(tmp_path: Path) -> None:
    """In the second hour, a function of cart was demoted and none was called."""
    (tmp_path / "traces").mkdir()
    service.write_with_demotion(tmp_path / "traces" / "cart.ftrace")
    shop = tmp_path / "traces" / "shop.ftrace"
    service.write(shop, started=service.STARTED + 3600 * service.SECOND, seconds=60, service="shop")
    words = [sys.executable, "-m", "functrace", "rollup", "traces", "-o", "store"]
    subprocess.run(words, cwd=tmp_path, check=True)
    hour = (1_700_000_000 // 3600 + 1) * 3600 * service.SECOND
    selection = Selection(since_ns=hour, until_ns=hour + 3600 * service.SECOND)
    session = StoredSession(str(tmp_path / "store"), selection, ["store"])
    assert [row["service"] for row in session.figures.services] == ["cart", "shop"]
    calls = {}
    for name in ("", "shop", "cart", "none"):
        nodes = flame.answer(session, Query({"service": name}))["nodes"]
        calls[name] = sum(node["calls"] for node in nodes)
    assert calls == {"": 62, "shop": 62, "cart": 0, "none": 0}


def test_what_a_store_does_not_have(viewer: Viewer) -> None:
    for name in ("window", "calls", "source", "tracks", "overview", "call"):
        reply = viewer.ask(name, function="store.Get")
        assert (reply.status, reply.value["error"]) == (
            404,
            "a store has no single calls, tracks or sources",
        )
    assert viewer.ask("nothing").status == 404


def test_a_selection_of_a_store(folder: Path) -> None:
    words = ["--store", "store", "--service", "shop", "--release", "1.5", "--until", "2033-01-01"]
    with viewing(*words, cwd=folder) as viewer:
        found = viewer.get("session")
        assert [each["name"] for each in found["store"]["services"]] == ["shop"]
        assert found["arguments"] == " ".join(words)
        assert [each["calls"] for each in viewer.get("functions")] == [121, 1]
        assert "service" not in viewer.get("flame")["nodes"][0]


def test_a_damaged_file_is_named(folder: Path) -> None:
    (damaged, *_) = sorted((folder / "store").rglob("chains/service=cart/**/*.parquet"))
    content = damaged.read_bytes()
    try:
        damaged.write_bytes(content[:-8] + b"xxxxPAR1")
        with viewing("--store", "store", cwd=folder) as viewer:
            notes = viewer.get("session")["store"]["notes"]
            assert notes[0] == "2 of 3 instances, 3.0 min recorded"
            assert f"{damaged.relative_to(folder)}: not a rollup" in notes[-1]
            assert [each["count"] for each in viewer.get("triage")["failing"]] == [60]
    finally:
        damaged.write_bytes(content)


def test_a_store_that_cannot_be_read_gives_the_same_error_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object) -> None:
        raise FunctraceError("the id of a chain is wrong")

    session = StoredSession(str(folder / "store"), Selection(), ["store"])
    with monkeypatch.context() as changed:
        changed.setattr(stored_session, "stored_chains", damaged)
        for _ in range(2):
            with pytest.raises(FunctraceError, match="the id of a chain is wrong"):
                session.figures  # noqa: B018  # the access reads the store
    assert len(session.functions) == 4


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("view --store missing", "missing: not a store of functrace rollup"),
        ("view --store store --service none", "store: no rollup is selected"),
        ("view --store store traces", "name one or several traces, --store and a store"),
        ("view --store store --live shop", "name one or several traces, --store and a store"),
        ("view --store store --save x.html", "--save requires traces"),
        ("view --store store --from 1s", "--from and --until require --save"),
        ("view --service shop traces", "--service requires --store"),
        ("view --until 1s traces", "--from and --until require --save"),
    ],
)
def test_what_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, line: str, message: str
) -> None:
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(verbs.functrace, line.split())
    assert isinstance(done.exception, FunctraceError | UsageError)
    assert message in str(done.exception)
