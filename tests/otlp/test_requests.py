"""Spans of requests: their kinds, attributes, ids and parents, across processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from functrace.analysis.requests import joined
from functrace.export.otlp import Options, connect, export
from functrace.tracefile import open_trace
from tests.otlp.receiver import over_http
from tests.otlp.test_spans import attributes
from tests.tracefile.services import GRPC, Service, ServiceTrack

TRACE = "0af7651916cd43dd8448eb211c80319c"
EDGE = "b7ad6b7169203331"
"""span id of what calls the gateway"""
MINTED = "1111111111111111"
SIDECAR = "2222222222222222"
SERVER, CLIENT, INTERNAL = 2, 3, 1


class Spans:
    """Spans of an export, by service and name."""

    def __init__(self, *paths: Path, options: Options | None = None) -> None:
        with over_http() as receiver:
            transport = connect(receiver.endpoint)
            export([open_trace(path) for path in paths], transport, options or Options())
            transport.close()
        self.by_name: dict[str, Any] = {}
        for request in receiver.received.requests:
            for resource in request.resource_spans:
                service = attributes(resource.resource)["service.name"]
                for span in resource.scope_spans[0].spans:
                    self.by_name[f"{service}: {span.name}"] = span
        self.all = receiver.received.spans

    def __getitem__(self, name: str) -> Any:
        return self.by_name[name]

    def parent(self, name: str) -> str:
        """Return the name of a span's parent, the id of one that is not exported, or nothing."""
        parent = self[name].parent_span_id
        if not parent:
            return ""
        names = [
            other
            for other, span in self.by_name.items()
            if (span.span_id, span.trace_id) == (parent, self[name].trace_id)
        ]
        return names[0] if names else parent.hex()


def gateway(
    folder: Path, *, received: bool = True, made: tuple[str, str] | None = None, **sent: Any
) -> Path:
    """Write the trace of a service that is called by the edge, and calls payments.

    Its inbound call has received ids, or functrace has made some, or it has none.
    """
    service = Service("gateway", key=0xA)
    track = service.track()
    track.enter("main.serve", 5)
    ids = made or ((TRACE, EDGE) if received else None)
    track.begin_inbound("POST /checkout", 10, 1, ids=ids, minted=made is not None)
    track.enter("main.checkout", 12)
    track.begin_outbound("POST payments/pay", 20, 2, inbound=1, **sent)
    track.end("POST payments/pay", 90, status=502, error="502 Bad Gateway")
    track.leave("main.checkout", 92, error="payments: 502")
    track.end("POST /checkout", 95, status=200, route="POST /{action}")
    track.leave("main.serve", 100)
    return service.write(folder)


def payments(folder: Path, **received: Any) -> Path:
    """Write the trace of the service that the gateway calls."""
    service = Service("payments", key=0xB)
    track = service.track()
    track.begin_inbound("POST /pay", 30, 1, **received)
    track.enter("pay.handle", 40)
    track.leave("pay.handle", 60)
    track.end("POST /pay", 80, status=502, error="502 Bad Gateway")
    return service.write(folder)


def test_kinds_and_attributes(tmp_path: Path) -> None:
    spans = Spans(gateway(tmp_path, ids=(TRACE, EDGE)))
    inbound, outbound = spans["gateway: POST /{action}"], spans["gateway: POST payments/pay"]
    assert (inbound.kind, outbound.kind) == (SERVER, CLIENT)
    assert spans["gateway: main.checkout"].kind == INTERNAL
    assert attributes(inbound) == {
        "functrace.chain": ["main.serve"],
        "functrace.goroutine.id": 1,
        "functrace.request": "POST /checkout",
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/{action}",
        "url.path": "/checkout",
    }
    assert attributes(outbound) == {
        "error.type": "502",
        "functrace.goroutine.id": 1,
        "functrace.request": "POST payments/pay",
        "http.request.method": "POST",
        "http.response.status_code": 502,
        "server.address": "payments",
        "url.template": "/pay",
    }


def test_grpc(tmp_path: Path) -> None:
    service = Service("store", key=0xC)
    track = service.track()
    track.begin_inbound("grpc store.Store/Get", 10, 1, protocol=GRPC)
    track.end("grpc store.Store/Get", 20, status=5, grpc=True, error="NOT_FOUND")
    (span,) = Spans(service.write(tmp_path)).all
    assert (span.name, span.kind) == ("grpc store.Store/Get", SERVER)
    assert attributes(span) == {
        "error.type": "NOT_FOUND",
        "functrace.goroutine.id": 1,
        "functrace.request": "grpc store.Store/Get",
        "rpc.grpc.status_code": 5,
        "rpc.method": "Get",
        "rpc.service": "store.Store",
        "rpc.system": "grpc",
    }


def test_a_request_is_below_the_span_that_sent_it(tmp_path: Path) -> None:
    """It begins this process's part of the trace; what encloses it in the process is linked."""
    spans = Spans(gateway(tmp_path, ids=(TRACE, EDGE)))
    inbound = spans["gateway: POST /{action}"]
    assert (inbound.trace_id.hex(), inbound.parent_span_id.hex()) == (TRACE, EDGE)
    (link,) = inbound.links
    assert link.span_id == spans["gateway: main.serve"].span_id
    assert spans["gateway: main.serve"].trace_id.hex() != TRACE
    assert spans.parent("gateway: main.checkout") == "gateway: POST /{action}"
    assert spans.parent("gateway: POST payments/pay") == "gateway: main.checkout"
    assert spans["gateway: POST payments/pay"].trace_id.hex() == TRACE


def test_minted_ids_are_those_of_the_outbound_span(tmp_path: Path) -> None:
    """As `FUNCTRACE_PROPAGATE=span` sends them."""
    ids = (TRACE, MINTED)
    paths = gateway(tmp_path, ids=ids, minted=True), payments(tmp_path, ids=ids)
    spans = Spans(*paths)
    assert spans["gateway: POST payments/pay"].span_id.hex() == MINTED
    assert spans.parent("payments: POST /pay") == "gateway: POST payments/pay"
    alone = Spans(paths[1])
    assert alone.parent("payments: POST /pay") == MINTED


def test_minted_ids_of_another_trace(tmp_path: Path) -> None:
    """An outbound call of a request without ids begins a trace, which the receiver continues."""
    ids = (TRACE, MINTED)
    sending = gateway(tmp_path, received=False, ids=ids, minted=True)
    spans = Spans(sending, payments(tmp_path, ids=ids))
    assert spans["gateway: POST payments/pay"].trace_id.hex() == TRACE
    assert spans.parent("gateway: POST payments/pay") == ""
    assert spans.parent("payments: POST /pay") == "gateway: POST payments/pay"


def test_minted_ids_of_an_inbound_call(tmp_path: Path) -> None:
    """A request that brings no ids begins a trace, in which all outbound calls are."""
    made, ids = (TRACE, EDGE), (TRACE, MINTED)
    sending = gateway(tmp_path, made=made, ids=ids, minted=True)
    spans = Spans(sending, payments(tmp_path, ids=ids))
    inbound = spans["gateway: POST /{action}"]
    assert (inbound.trace_id.hex(), inbound.span_id.hex()) == made
    assert inbound.parent_span_id == b""
    assert spans.parent("gateway: POST payments/pay") == "gateway: main.checkout"
    assert spans.parent("payments: POST /pay") == "gateway: POST payments/pay"


def test_minted_ids_of_an_inbound_call_join_nothing(tmp_path: Path) -> None:
    """It has not received them, even if an outbound call has sent the same."""
    service = Service("edge", key=0xE)
    track = service.track()
    track.begin_outbound("POST gateway/checkout", 8, 1, ids=(TRACE, EDGE))
    track.end("POST gateway/checkout", 98, status=200)
    edge = open_trace(service.write(tmp_path))
    for made, joins in ((None, [-1, 0, -1]), ((TRACE, EDGE), [-1, -1, -1])):
        found = joined([edge, open_trace(gateway(tmp_path, made=made))])
        assert found.joins.outbound.tolist() == joins


def test_forwarded_ids(tmp_path: Path) -> None:
    """Without a sidecar the receiver is below the outbound call, which has an id of its own."""
    sending = gateway(tmp_path, ids=(TRACE, EDGE))
    spans = Spans(sending, payments(tmp_path, ids=(TRACE, EDGE), ft=(0xA, 2)))
    assert spans["gateway: POST payments/pay"].span_id.hex() != EDGE
    assert spans.parent("payments: POST /pay") == "gateway: POST payments/pay"


def test_forwarded_ids_through_a_sidecar(tmp_path: Path) -> None:
    """The receiver is below the span of the sidecar."""
    sending = gateway(tmp_path, ids=(TRACE, EDGE))
    spans = Spans(sending, payments(tmp_path, ids=(TRACE, SIDECAR), ft=(0xA, 2)))
    assert spans.parent("payments: POST /pay") == SIDECAR
    assert {span.trace_id.hex() for name, span in spans.by_name.items() if "serve" not in name} == {
        TRACE
    }


@pytest.mark.parametrize("order", [1, -1])
def test_no_ids_but_the_number_of_the_request(tmp_path: Path, order: int) -> None:
    paths = gateway(tmp_path, received=False), payments(tmp_path, ft=(0xA, 2))
    spans = Spans(*paths[::order])
    assert spans.parent("payments: POST /pay") == "gateway: POST payments/pay"
    assert spans.parent("gateway: POST /{action}") == ""
    traces = {span.trace_id for name, span in spans.by_name.items() if "serve" not in name}
    assert len(traces) == 1


def in_request(folder: Path, child_end: int) -> Path:
    """Write a trace of a request with a goroutine that sends another."""
    service = Service("gateway", key=0xA)
    track = service.track()
    track.begin_inbound("POST /checkout", 10, 1, ids=(TRACE, EDGE))
    track.enter("main.checkout", 12)
    child = service.track(20, parent=1, starter="main.checkout")
    child.enter("main.notify", 30)
    _send(child, 40, 50)
    child.leave("main.notify", child_end)
    child.enter("main.later", 1000)
    child.leave("main.later", 1010)
    track.leave("main.checkout", 80)
    track.end("POST /checkout", 90, status=200)
    return service.write(folder)


def _send(track: ServiceTrack, start: int, end: int, **sent: Any) -> None:
    track.begin_outbound("POST mailer/send", start, 2, inbound=1, **sent)
    track.end("POST mailer/send", end, status=202)


def test_a_goroutine_that_ends_within_its_request_belongs_to_it(tmp_path: Path) -> None:
    spans = Spans(in_request(tmp_path, child_end=60))
    assert spans.parent("gateway: main.notify") == "gateway: main.checkout"
    assert spans.parent("gateway: POST mailer/send") == "gateway: main.notify"
    assert spans["gateway: main.later"].trace_id.hex() != TRACE


def test_a_goroutine_that_outlives_its_request(tmp_path: Path) -> None:
    """It may be a worker that serves others, too: only what is known to belong to it does."""
    spans = Spans(in_request(tmp_path, child_end=500))
    assert spans["gateway: main.notify"].trace_id.hex() != TRACE
    assert [link.trace_id.hex() for link in spans["gateway: main.notify"].links] == [TRACE]
    assert spans.parent("gateway: POST mailer/send") == "gateway: POST /checkout"
    (link,) = spans["gateway: POST mailer/send"].links
    assert link.span_id == spans["gateway: main.notify"].span_id


@pytest.mark.parametrize("minted", [True, False])
def test_selected_calls_have_no_phantom_parents(tmp_path: Path, minted: bool) -> None:
    """A failed call behind an outbound call that is not sent, as that did not fail."""
    service = Service("gateway", key=0xA)
    track = service.track()
    track.begin_inbound("POST /checkout", 10, 1, ids=(TRACE, EDGE))
    track.begin_outbound("POST payments/pay", 20, 2, inbound=1, ids=(TRACE, MINTED), minted=minted)
    track.end("POST payments/pay", 90, status=200)
    track.end("POST /checkout", 95, status=200)
    paths = service.write(tmp_path), payments(tmp_path, ids=(TRACE, MINTED))
    spans = Spans(*paths, options=Options(errors=True))
    assert spans.by_name.keys() == {"payments: POST /pay"}
    # An id that functrace did not make is that of somebody's span.
    assert spans.parent("payments: POST /pay") == ("" if minted else MINTED)


def test_a_share_of_the_traces_is_kept_whole(tmp_path: Path) -> None:
    paths = gateway(tmp_path, received=False), payments(tmp_path, ft=(0xA, 2))
    for rate in (0.2, 0.4, 0.6, 0.8):
        names = Spans(*paths, options=Options(rate=rate)).by_name
        assert ("payments: POST /pay" in names) == ("gateway: POST payments/pay" in names)


def test_requests_below_roots(tmp_path: Path) -> None:
    """A request that is a root has its own trace id; what is in no root is not sent."""
    path = gateway(tmp_path, ids=(TRACE, EDGE))

    def named(name: str) -> Options:
        return Options(
            roots=lambda trace: {
                index for index, each in enumerate(trace.functions) if each.name == name
            }
        )

    spans = Spans(path, options=named("POST /checkout"))
    assert spans.by_name.keys() == {
        "gateway: POST /{action}",
        "gateway: main.checkout",
        "gateway: POST payments/pay",
    }
    assert {span.trace_id.hex() for span in spans.all} == {TRACE}
    spans = Spans(path, options=named("main.checkout"))
    assert spans.by_name.keys() == {"gateway: main.checkout", "gateway: POST payments/pay"}
    assert spans.parent("gateway: main.checkout") == ""
