"""The graph of services as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functrace.text import callers_json, coverage

if TYPE_CHECKING:
    from functrace.analysis.requests.services import EdgeChain, Service, ServiceEdge, ServiceGraph


def report(found: ServiceGraph) -> dict[str, Any]:
    """Return the services, the edges with all their chains, and what is missing."""
    joined = found.joined
    inbound = int(joined.rows.inbound.sum())
    methods = joined.methods()
    return {
        "traces": [str(trace.path) for trace in joined.traces],
        "services": [_service(each) for each in found.services],
        "edges": [_edge(found, each) for each in found.edges],
        "inbound_calls": inbound,
        "joined_inbound_calls": methods,
        "unknown_callers": inbound - sum(methods.values()),
        "outbound_calls": sum(found.belongings.values()),
        "attributed_outbound_calls": found.belongings,
        "clocks": [
            {
                "trace": str(joined.traces[index].path),
                "offset_ns": bounds.value,
                "error_ns": bounds.error,
            }
            for index, bounds in joined.offsets.items()
        ],
        "notes": found.notes,
        **coverage.as_json(joined.traces),
    }


def _service(each: Service) -> dict[str, Any]:
    return {
        "name": each.name,
        "external": each.is_external,
        "gateway": each.is_gateway,
        "process_count": each.processes,
        "inbound": each.inbound,
        "inbound_failed": each.inbound_failed,
        "without_caller": each.without_caller,
        "outbound": each.outbound,
        "outbound_failed": each.outbound_failed,
    }


def _edge(found: ServiceGraph, each: ServiceEdge) -> dict[str, Any]:
    return {
        "from": each.caller,
        "to": each.callee,
        "route": each.route,
        "calls": each.calls,
        "failed": each.failed,
        "unfinished": each.unfinished,
        "not_received": each.not_received,
        "p50_ns": each.p50,
        "p99_ns": each.p99,
        "join": each.methods,
        "chains": [_chain(found, chain) for chain in each.chains],
    }


def _chain(found: ServiceGraph, chain: EdgeChain) -> dict[str, Any]:
    return {
        "calls": chain.calls,
        "failed": chain.failed,
        "steps": callers_json.steps(found.forest, chain.chain, None),
    }
