"""Requests of several traces, and the chains that they continue."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from functrace.analysis import fold, merge
from functrace.analysis.merge import Forest
from functrace.analysis.requests import joined
from functrace.analysis.requests.crossing import follow
from functrace.tracefile import Trace, open_trace
from tests.cli import mall, shop
from tests.tracefile.services import Service


def opened(folder: Path) -> list[Trace]:
    return [open_trace(path) for path in sorted(folder.glob("*.ftrace"))]


def chains(forest: Forest) -> dict[tuple[str, ...], int]:
    found = {}
    for node in range(len(forest)):
        path, each = [], node
        while each >= 0:
            function = int(forest.function[each])
            path.append(f"{forest.services[function]}: {forest.functions[function].name}")
            each = int(forest.parent[each])
        found[tuple(path[::-1])] = int(forest.calls[node])
    return found


def followed(traces: list[Trace]) -> Forest:
    with_origins, crossing = follow(traces)
    assert crossing
    return merge([fold(trace) for trace in with_origins], crossing)


def test_each_inbound_call_has_its_caller(tmp_path: Path) -> None:
    traces = opened(mall.write(tmp_path))
    found = joined(traces)
    names = set()
    for trace in range(len(traces)):
        for row in np.flatnonzero(found.tables[trace].direction == 1).tolist():
            inner = found.name(int(found.first[trace]) + row)
            caller = found.caller(trace, row)
            outer = found.name(int(found.first[caller[0]]) + caller[1]) if caller else None
            names.add(
                (found.services[trace], inner, found.services[caller[0]] if caller else None, outer)
            )
    assert names == {
        ("edge", "POST /checkout", None, None),
        ("gateway", "POST /checkout", "edge", "POST gateway/checkout"),
        ("payments", "POST /pay", "gateway", "POST payments/pay"),
        ("store", "grpc store.Store/Get", "payments", "grpc store.Store/Get"),
    }
    assert found.methods() == {"ft": 12, "span id": 6}


def test_chains_go_on_in_other_processes_with_the_same_figures(tmp_path: Path) -> None:
    traces = opened(mall.write(tmp_path))
    forest = followed(traces)
    request = ("edge: POST /checkout", "edge: POST gateway/checkout", "gateway: POST /checkout")
    get = (
        *request,
        "gateway: main.checkout",
        "gateway: POST payments/pay",
        "payments: POST /pay",
        "payments: pay.handle",
        "payments: grpc store.Store/Get",
        "store: grpc store.Store/Get",
        "store: store.Get",
    )
    assert chains(forest)[get] == 6
    for column in ("calls", "total", "self", "errors", "unfinished"):
        alone = sum(int(getattr(fold(trace), column).sum()) for trace in traces)
        assert int(getattr(forest, column).sum()) == alone


def test_traces_without_requests_stay_as_they_are(tmp_path: Path) -> None:
    traces = [open_trace(shop.monday(tmp_path)), open_trace(shop.tuesday(tmp_path))]
    same, crossing = follow(traces)
    assert same == traces
    assert crossing is None


def test_a_request_of_a_pool_is_shown_below_the_inbound_call_that_it_works_for(
    tmp_path: Path,
) -> None:
    """The worker's own chain keeps its figures; below the request, it has none."""
    front = Service("front", 0xA)
    handler, worker = front.track(), front.track()
    worker.enter("main.work", 5)
    handler.begin_inbound("GET /a", 10, 1)
    handler.enter("main.a", 11)
    worker.begin_outbound("GET back/x", 20, 2, inbound=1)
    worker.end("GET back/x", 30, status=200)
    handler.leave("main.a", 40)
    handler.end("GET /a", 41, status=200)
    worker.leave("main.work", 100)
    back = Service("back", 0xB)
    track = back.track()
    track.begin_inbound("GET /x", 22, 1, ft=(0xA, 2))
    track.enter("main.x", 23)
    track.leave("main.x", 24)
    track.end("GET /x", 25, status=200)
    forest = followed([open_trace(s.write(tmp_path)) for s in (front, back)])
    found = chains(forest)
    copied = ("front: GET /a", "front: main.work", "front: GET back/x")
    assert found[(*copied, "back: GET /x", "back: main.x")] == 1
    assert found[copied] == 0
    assert found["front: main.work", "front: GET back/x"] == 1


def test_a_request_whose_inbound_call_is_unknown_begins_with_its_own_track(tmp_path: Path) -> None:
    front = Service("front", 0xA)
    worker = front.track()
    worker.enter("main.work", 5)
    worker.begin_outbound("GET back/x", 20, 2)
    worker.end("GET back/x", 30, status=200)
    worker.leave("main.work", 100)
    back = Service("back", 0xB)
    track = back.track()
    track.begin_inbound("GET /x", 22, 1, ft=(0xA, 2))
    track.end("GET /x", 25, status=200)
    forest = followed([open_trace(s.write(tmp_path)) for s in (front, back)])
    assert chains(forest)["front: main.work", "front: GET back/x", "back: GET /x"] == 1


def test_two_traces_of_one_process_join_nothing(tmp_path: Path) -> None:
    folder = mall.write(tmp_path)
    copy = folder / "payments-2.ftrace"
    copy.write_bytes((folder / "payments.ftrace").read_bytes())
    found = joined(opened(folder))
    assert "2 traces are of the same process" in " ".join(found.notes())
    assert {found.services[trace] for trace in found.rows.trace[found.joins.outbound >= 0]} == {
        "gateway"
    }


def test_a_process_that_calls_itself(tmp_path: Path) -> None:
    one = Service("one", 0xA)
    track, other = one.track(), one.track()
    track.begin_inbound("GET /a", 10, 1)
    track.begin_outbound("GET one/b", 20, 2, inbound=1)
    other.begin_inbound("GET /b", 25, 3, ft=(0xA, 2))
    other.enter("main.b", 26)
    other.leave("main.b", 27)
    other.end("GET /b", 28, status=200)
    track.end("GET one/b", 30, status=200)
    track.end("GET /a", 40, status=200)
    forest = followed([open_trace(one.write(tmp_path))])
    chain = ("one: GET /a", "one: GET one/b", "one: GET /b", "one: main.b")
    assert chains(forest)[chain] == 1
