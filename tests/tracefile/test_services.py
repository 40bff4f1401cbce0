"""Traces of services that other tests write: their facts, and that requests are calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from functrace.analysis import fold
from functrace.analysis.merge import merge_functions
from functrace.analysis.requests.crossing import follow
from functrace.tracefile import open_trace
from tests.tracefile.meaning import names
from tests.tracefile.services import GRPC, INBOUND, OUTBOUND, Service


def payments(folder: Path) -> Path:
    service = Service("payments", key=0xB0B, host="b")
    track = service.track()
    ids = 32 * "a", 16 * "b"
    track.begin_inbound("POST /pay", 10, 1, ids=ids, sampled=True, ft=(0xA11CE, 1))
    track.enter("pay.handle", 20)
    track.begin_outbound("grpc store.Store/Get", 30, 2, inbound=1, protocol=GRPC)
    track.end("grpc store.Store/Get", 40, status=5, grpc=True, error="NOT_FOUND")
    track.leave("pay.handle", 50)
    track.end("POST /pay", 60, status=503, route="POST /{verb}", error="503 Service Unavailable")
    return service.write(folder)


@pytest.mark.usefixtures("each_implementation")
def test_requests_are_calls_of_functions_with_a_direction(tmp_path: Path) -> None:
    trace = open_trace(payments(tmp_path))
    assert (trace.service, trace.process_key) == ("payments", 0xB0B)
    assert [(f.name, f.direction, f.protocol) for f in trace.functions] == [
        ("POST /pay", INBOUND, 1),
        ("pay.handle", 0, 0),
        ("grpc store.Store/Get", OUTBOUND, GRPC),
        ("POST /{verb}", INBOUND, 1),
    ]
    chains = fold(trace)
    assert names(chains, 2) == ["POST /pay", "pay.handle", "grpc store.Store/Get"]
    assert (chains.calls.tolist(), chains.errors.tolist()) == ([1, 1, 1], [1, 0, 1])
    assert not trace.damage


def test_the_two_directions_of_a_method_are_two_functions(tmp_path: Path) -> None:
    proxy = Service("proxy", key=1)
    track = proxy.track()
    track.begin_inbound("grpc store.Store/Get", 10, 1, protocol=GRPC)
    track.begin_outbound("grpc store.Store/Get", 20, 2, inbound=1, protocol=GRPC)
    track.end("grpc store.Store/Get", 30)
    track.end("grpc store.Store/Get", 40)
    trace = open_trace(proxy.write(tmp_path))
    assert [f.direction for f in trace.functions] == [INBOUND, OUTBOUND]
    functions, indices = merge_functions([trace, trace])
    assert (len(functions), [each.tolist() for each in indices]) == (2, [[0, 1], [0, 1]])


@pytest.mark.parametrize("key", [7, "B0B", "00000000000000zz", "0000000000000b0b0", ""])
def test_a_process_key_that_is_none(tmp_path: Path, key: object) -> None:
    path = Service("", 0, process_key=key, service=["no name"]).write(tmp_path, "odd")
    trace = open_trace(path)
    assert (trace.process_key, trace.service) == (0, "")


def test_names_of_requests_without_requests_change_nothing(tmp_path: Path) -> None:
    """As in a trace that was cut off at once."""
    paths = []
    for name in ("gateway", "payments"):
        service = Service(name, 1)
        service.number("POST /pay", INBOUND)
        service.track().enter("main.main", 1)
        paths.append(service.write(tmp_path))
    traces = [open_trace(path) for path in paths]
    assert follow(traces) == (traces, None)
