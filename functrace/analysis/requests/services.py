"""Graph of services: which one calls which other, and through which chains."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from functrace import units
from functrace.analysis.call_chains import CallChain, chains_to
from functrace.analysis.columns import Bools, Int64s
from functrace.analysis.losses import losses
from functrace.analysis.merge import Forest, merge
from functrace.analysis.requests.crossing import Crossing
from functrace.analysis.requests.joined import INBOUND, Joined, common_name, joined, peer_host
from functrace.analysis.requests.joining import METHOD_NAMES, Method
from functrace.analysis.requests.rows import UNFINISHED
from functrace.tracefile import Function, Trace
from functrace.tracefile.requests import BY_ANCESTRY, BY_CONTEXT, NO_JOIN

_BELONGING = {BY_CONTEXT: "context", BY_ANCESTRY: "ancestry", NO_JOIN: "unknown"}


@dataclass
class Service:
    """Service with its requests."""

    name: str
    is_external: bool = False
    """whether none of its processes was recorded: it is the host of outbound calls"""
    is_gateway: bool = False
    """whether it only passes requests on: no function calls between its two ends"""
    processes: int = 0
    inbound: int = 0
    inbound_failed: int = 0
    without_caller: int = 0
    """number of inbound calls whose caller is not known"""
    outbound: int = 0
    outbound_failed: int = 0


@dataclass(frozen=True)
class EdgeChain:
    """Chain that ends with calls of an edge; of a cycle, all rounds count as one chain."""

    chain: CallChain
    """chain to the outbound call in the forest"""
    calls: int
    failed: int


@dataclass
class ServiceEdge:
    """Calls of one route of a service by another service. Times are nanoseconds."""

    caller: str
    callee: str
    route: str
    calls: int = 0
    failed: int = 0
    unfinished: int = 0
    not_received: int = 0
    """number of calls whose other side was not recorded or could not be joined"""
    p50: int | None = None
    """percentiles of the ended calls as their caller measured them; None if none ended"""
    p99: int | None = None
    methods: dict[str, int] = field(default_factory=dict)
    """number of joins by what they were made by"""
    chains: list[EdgeChain] = field(default_factory=list)
    """most frequent first"""


@dataclass(frozen=True, eq=False)
class ServiceGraph:
    """Services and the calls between them."""

    joined: Joined
    forest: Forest
    services: list[Service]
    edges: list[ServiceEdge]
    belongings: dict[str, int]
    """number of outbound calls by how their inbound call is known"""
    notes: list[str]
    """a sentence for each reason why the graph is incomplete"""


def service_graph(traces: Sequence[Trace]) -> ServiceGraph:
    """Return the graph of the services that the traces are of."""
    found = joined(traces)
    forest = merge([chains for chains, _ in found.folds], Crossing(found))
    receivers = _Receivers(found)
    outer = np.flatnonzero(~found.rows.inbound).tolist()
    of_edge: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row in outer:
        trace, _ = found.place(row)
        of_edge[(found.services[trace], *receivers.receiver(row))].append(row)
    nodes = _forest_nodes(found, forest)
    edges = [_edge(found, key, rows) for key, rows in of_edge.items()]
    for edge, rows in zip(edges, of_edge.values(), strict=True):
        edge.chains = _chains(forest, nodes[rows], found.rows.failed[rows])
    edges.sort(key=lambda each: (-each.calls, each.caller, each.callee, each.route))
    belongings = Counter(
        _BELONGING.get(how, "unknown")
        for table in found.tables
        for how in table.join[table.direction != INBOUND].tolist()
    )
    return ServiceGraph(
        found,
        forest,
        _services(found, edges),
        edges,
        {name: belongings[name] for name in _BELONGING.values()},
        list(_notes(found, belongings["unknown"])),
    )


class _Receivers:
    """Service and route that outbound calls reach."""

    def __init__(self, found: Joined) -> None:
        self._found = found
        self._inner = {
            outer: inner for inner, outer in enumerate(found.joins.outbound.tolist()) if outer >= 0
        }
        self._of_host: defaultdict[str, set[str]] = defaultdict(set)
        self._of_name: defaultdict[str, set[str]] = defaultdict(set)
        self._routes: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._recorded = set(found.services)
        self._cache: dict[str, tuple[str, str]] = {}
        for outer, inner in self._inner.items():
            service = found.services[found.place(inner)[0]]
            self._of_host[_host(found, outer)].add(service)
            self._routes[service, found.name(outer)].add(found.route(inner))
        for trace, service in zip(found.traces, found.services, strict=True):
            for function in trace.functions:
                if function.direction == INBOUND and function.protocol == _GRPC:
                    self._of_name[common_name(function)].add(service)

    def receiver(self, row: int) -> tuple[str, str]:
        """Return the service that an outbound call reaches, and its route there.

        An outbound call without the other side is one to the only service that calls to the same
        host reach, to a service with the name of that host, or to an external service.
        """
        inner = self._inner.get(row)
        if inner is not None:
            return self._found.services[self._found.place(inner)[0]], self._found.route(inner)
        name = self._found.name(row)
        if name not in self._cache:
            service = self._unjoined(row)
            routes = self._routes[service, name]
            self._cache[name] = (service, next(iter(routes)) if len(routes) == 1 else name)
        return self._cache[name]

    def _unjoined(self, row: int) -> str:
        function = self._found.function(row)
        if function is None:
            return "unknown"
        host = _host(self._found, row)
        known = self._of_host[host] or self._of_name[common_name(function)]
        if len(known) == 1:
            return next(iter(known))
        for name in (host, host.partition(".")[0]):
            if name in self._recorded:
                return name
        return host or _grpc_service(function) or "unknown"


_GRPC = 2


def _host(found: Joined, row: int) -> str:
    function = found.function(row)
    return peer_host(function) if function else ""


def _grpc_service(function: Function) -> str:
    return function.name.removeprefix("grpc ").rpartition("/")[0]


def _edge(found: Joined, key: tuple[str, str, str], rows: list[int]) -> ServiceEdge:
    chosen = np.array(rows, np.int64)
    table = found.rows
    failed = table.failed[chosen]
    ended = table.end[chosen] < UNFINISHED
    durations = np.sort((table.end[chosen] - table.start[chosen])[ended])
    methods = Counter(found.outer_method[chosen].tolist())
    edge = ServiceEdge(
        *key,
        calls=len(rows),
        failed=int(failed.sum()),
        unfinished=int((~ended).sum()),
        not_received=methods[Method.UNKNOWN],
        methods={name: methods[method] for method, name in METHOD_NAMES.items()},
    )
    if len(durations):
        edge.p50, edge.p99 = (_percentile(durations, percent) for percent in (50, 99))
    return edge


def _chains(forest: Forest, nodes: Int64s, failed: Bools) -> list[EdgeChain]:
    """Return the chains to outbound calls, given their nodes and whether they failed."""
    calls = Counter(nodes.tolist())
    failures = Counter(nodes[failed].tolist())
    chains = [
        EdgeChain(
            chain,
            sum(calls[node] for node in chain.nodes),
            sum(failures[node] for node in chain.nodes),
        )
        for chain in chains_to(forest, sorted(node for node in calls if node >= 0))
    ]
    return sorted(chains, key=lambda each: (-each.calls, each.chain.nodes[0]))


def _percentile(durations: Int64s, percent: int) -> int:
    """Return the smallest duration that ``percent`` of all do not exceed."""
    return int(durations[max(-(-len(durations) * percent // 100), 1) - 1])


def _forest_nodes(found: Joined, forest: Forest) -> Int64s:
    """Return the forest's node of each request, or -1."""
    columns = [np.empty(0, np.int64)]
    for index, (_, table) in enumerate(found.folds):
        nodes = np.full(len(table), -1, np.int64)
        is_known = table.chain >= 0  # of a trace with none, the forest may have no nodes
        nodes[is_known] = forest.nodes.of(index, table.chain[is_known])
        columns.append(nodes)
    return np.concatenate(columns)


def _services(found: Joined, edges: Iterable[ServiceEdge]) -> list[Service]:
    services: dict[str, Service] = {}
    passes_on: defaultdict[str, list[bool]] = defaultdict(list)
    rows = found.rows
    for index, name in enumerate(found.services):
        service = services.setdefault(name, Service(name))
        service.processes += 1
        own = slice(int(found.first[index]), int(found.first[index + 1]))
        inbound, failed = rows.inbound[own], rows.failed[own]
        service.inbound += int(inbound.sum())
        service.inbound_failed += int((inbound & failed).sum())
        service.without_caller += int((inbound & (found.joins.outbound[own] < 0)).sum())
        service.outbound += int((~inbound).sum())
        service.outbound_failed += int((~inbound & failed).sum())
        if (~inbound).any():
            passes_on[name].append(_only_passes_on(found, index))
    for name, each in passes_on.items():
        services[name].is_gateway = all(each)
    for edge in edges:
        services.setdefault(edge.callee, Service(edge.callee, is_external=True))
    return list(services.values())


def _only_passes_on(found: Joined, index: int) -> bool:
    """Return whether each outbound call of a process is called by an inbound one itself."""
    chains, table = found.folds[index]
    nodes = table.chain[(table.direction != INBOUND) & (table.chain >= 0)]
    parents = chains.parent[nodes]
    is_inbound = [function.direction == INBOUND for function in chains.trace.functions]
    called_by = np.array(is_inbound, np.bool_)[chains.function[parents]]
    return bool(len(nodes) and ((parents >= 0) & called_by).all())


def _notes(found: Joined, unattributed: int) -> Iterator[str]:
    yield from found.notes()
    outer = ~found.rows.inbound
    missing = int((outer & ~found.is_received).sum())
    if missing:
        yield (
            f"the other side of {units.several(missing, 'outbound call')} was not recorded or is"
            " not known"
        )
    if unattributed:
        number = units.several(unattributed, "outbound call")
        yield f"no inbound call is known that caused {number}"
    for chains, table in found.folds:
        where = f"{chains.trace.path}: "
        for sentence in losses(chains):
            yield where + sentence
        lost = int((table.function < 0).sum())
        if lost:
            yield f"{where}the entries of {units.several(lost, 'request')} were overwritten"
        if table.invalid_records:
            yield f"{where}{units.several(table.invalid_records, 'invalid request record')}"
