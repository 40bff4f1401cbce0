"""Spans of Zipkin and Jaeger in one form, and the paths from a span to its root."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Node:
    """Span of a trace.

    Attributes:
        label: the service, and the name of a span of ours or what Envoy did.
        is_shared: whether the sender of the request has a span with the same id.
    """

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    label: str
    is_envoy: bool
    is_shared: bool = False


class Forest:
    """Spans of several traces."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = list(nodes)
        self._by_id: dict[tuple[str, str], list[Node]] = {}
        for node in nodes:
            self._by_id.setdefault((node.trace_id, node.span_id), []).append(node)

    @property
    def phantoms(self) -> list[Node]:
        """Spans with a parent that nobody has sent."""
        return [
            node
            for node in self.nodes
            if node.parent_id and (node.trace_id, node.parent_id) not in self._by_id
        ]

    def named(self, label: str) -> list[Node]:
        """Return the spans with a label."""
        return [node for node in self.nodes if node.label == label]

    def path(self, node: Node) -> list[str]:
        """Return the labels from the root of a trace to a span."""
        return [each.label for each in self._up(node)][::-1]

    def _up(self, node: Node | None) -> Iterator[Node]:
        while node is not None:
            yield node
            node = self._sender(node) if node.is_shared else self._parent(node)

    def _sender(self, node: Node) -> Node | None:
        same = self._by_id[node.trace_id, node.span_id]
        return next((each for each in same if not each.is_shared), None)

    def _parent(self, node: Node) -> Node | None:
        """Return the parent: of two with the same id, the one that received the request."""
        found = self._by_id.get((node.trace_id, node.parent_id), [])
        return max(found, key=lambda each: each.service == node.service, default=None)


def of_zipkin(traces: Sequence[Sequence[dict[str, Any]]]) -> Forest:
    """Return the spans of Zipkin's API."""
    return Forest([_of_zipkin(span) for trace in traces for span in trace])


def _of_zipkin(span: dict[str, Any]) -> Node:
    is_envoy = span.get("tags", {}).get("component") == "proxy"
    service = span["localEndpoint"]["serviceName"]
    kind = str(span.get("kind", "")).lower()
    return Node(
        trace_id=span["traceId"],
        span_id=span["id"],
        parent_id=span.get("parentId", ""),
        service=service,
        label=f"{service}: envoy {kind}" if is_envoy else f"{service}: {span['name']}",
        is_envoy=is_envoy,
        is_shared=span.get("shared", False),
    )


def of_jaeger(traces: Sequence[dict[str, Any]]) -> Forest:
    """Return the spans of Jaeger's API."""
    return Forest([_of_jaeger(span, trace) for trace in traces for span in trace["spans"]])


def _of_jaeger(span: dict[str, Any], trace: dict[str, Any]) -> Node:
    tags = {tag["key"]: tag["value"] for tag in span["tags"]}
    parents = [each["spanID"] for each in span["references"] if each["refType"] == "CHILD_OF"]
    service = trace["processes"][span["processID"]]["serviceName"]
    is_envoy = tags.get("component") == "proxy"
    kind = tags.get("span.kind", "")
    return Node(
        trace_id=trace["traceID"],
        span_id=span["spanID"],
        parent_id=parents[0] if parents else "",
        service=service,
        label=f"{service}: envoy {kind}" if is_envoy else f"{service}: {span['operationName']}",
        is_envoy=is_envoy,
    )
