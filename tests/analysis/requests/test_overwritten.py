"""Requests of rings whose oldest words were overwritten."""

from __future__ import annotations

from pathlib import Path

from functrace.analysis.requests.services import service_graph
from functrace.tracefile import open_trace
from tests.tracefile import writer as w
from tests.tracefile.services import Service

_OVERWRITTEN = 4


def test_services_with_a_request_whose_entry_was_overwritten(tmp_path: Path) -> None:
    """Its trace has no chains, but another one has."""
    words = w.switch(1, 5, opened=1), w.request(1), w.leave(1, 50)
    ring = tmp_path / "ring.ftrace"
    ring.write_bytes(
        w.header(version=2, flags=_OVERWRITTEN) + w.REQUEST_FUNCTIONS + w.events(2, *words, track=1)
    )
    gateway = Service("gateway", key=0xA)
    track = gateway.track()
    track.begin_outbound("POST payments/pay", 20, 2)
    track.end("POST payments/pay", 90, status=200)
    traces = [open_trace(ring), open_trace(gateway.write(tmp_path))]
    (edge,) = service_graph(traces).edges
    assert (edge.caller, edge.callee, edge.calls) == ("gateway", "payments", 1)
