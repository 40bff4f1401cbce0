"""Requests of several traces, joined across their processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from functrace import units
from functrace.analysis.chains import Chains
from functrace.analysis.columns import Bools, Int32s, Int64s
from functrace.analysis.fold import fold_requests
from functrace.analysis.requests.clocks import Bounds
from functrace.analysis.requests.grouping import group, group_sizes
from functrace.analysis.requests.joining import METHOD_NAMES, Joins, Method, join
from functrace.analysis.requests.origins import MAX_DEPTH, Origins, drop_cycles, find_origins
from functrace.analysis.requests.rows import UNFINISHED, Process, RequestRows
from functrace.tracefile import Function, Trace
from functrace.tracefile.format import OWN_IDS
from functrace.tracefile.programs import host_name, service_name
from functrace.tracefile.requests import Requests

_OTHER = "(other)"
_MAX_STARTED = 1 << 61
INBOUND, OUTBOUND = 1, 2


@dataclass(frozen=True, eq=False)
class Joined:
    """Requests of several traces, with the joins between them.

    Requests are identified by their indices in ``rows``: those of the first trace come first, each
    trace's in the order of its table.
    """

    traces: tuple[Trace, ...]
    tables: tuple[Requests, ...]
    """requests of each trace"""
    services: tuple[str, ...]
    """name of each trace's service"""
    rows: RequestRows
    joins: Joins
    inbound: Int64s
    """for each outbound call, the inbound call of its process that it belongs to; else -1"""
    cyclic: int
    """number of joins that were dropped because a request would have caused itself"""

    @cached_property
    def first(self) -> Int64s:
        """Index of each trace's first request, and the number of all requests."""
        return np.cumsum([0, *map(len, self.tables)])

    @cached_property
    def origins(self) -> Origins:
        """Chains that the inbound calls continue."""
        chain = np.concatenate([np.empty(0, np.int64), *(t.chain for t in self.tables)])
        return find_origins(self.joins.outbound, self.inbound, self.rows.trace, chain)

    @cached_property
    def traces_with_origins(self) -> tuple[Trace, ...]:
        """Traces whose folds keep inbound calls of different origins apart, with aligned clocks."""
        return tuple(map(self._with_origins, range(len(self.traces))))

    @cached_property
    def offsets(self) -> dict[int, Bounds]:
        """Nanoseconds to add to the times of each trace to get those of the first one."""
        return self.joins.clocks.offsets(0, range(len(self.traces)))

    @cached_property
    def folds(self) -> tuple[tuple[Chains, Requests], ...]:
        """Chains of each trace, folded with origins, and its requests with nodes of these."""
        return tuple(map(fold_requests, self.traces_with_origins))

    def _with_origins(self, index: int) -> Trace:
        first, end = self.first[index : index + 2]
        origin = self.origins.of_request[first:end]
        chosen = np.flatnonzero(origin > 0)
        numbers = self.tables[index].number[chosen]
        order = np.argsort(numbers)
        ids = origin[chosen].astype(np.uint32)
        trace = self.traces[index]
        started = min(max(trace.started + self.offsets[index].value, 0), _MAX_STARTED)
        return replace(trace, started=started, origins=(numbers[order], ids[order]))

    @cached_property
    def is_received(self) -> Bools:
        """Mask of the outbound calls that an inbound call is joined to."""
        mask = np.zeros(len(self.rows), np.bool_)
        mask[self.joins.outbound[self.joins.outbound >= 0]] = True
        return mask

    @cached_property
    def outer_method(self) -> Int64s:
        """Method by which an inbound call is joined to each outbound call."""
        method = np.zeros(len(self.rows), np.int64)
        inner = np.flatnonzero(self.joins.outbound >= 0)
        method[self.joins.outbound[inner]] = self.joins.method[inner]
        return method

    def failed_elsewhere(self, trace: int) -> frozenset[tuple[int, int]]:
        """Return track and start of the outbound calls that failed in the process they reached."""
        inner = np.flatnonzero((self.joins.outbound >= 0) & self.rows.failed)
        outer = self.joins.outbound[inner]
        outer = outer[(self.rows.trace[outer] == trace) & self.rows.failed[outer]]
        start = self.rows.start[outer] - self.traces[trace].started
        return frozenset(zip(self.rows.track[outer].tolist(), start.tolist(), strict=True))

    def caller(self, trace: int, request: int) -> tuple[int, int] | None:
        """Return the trace and the row of the outbound call that a request was received from.

        Args:
            trace: index of the trace that contains the inbound call.
            request: its row in ``tables[trace]``.

        Returns:
            Indices like the arguments; None if the caller is not known or was not recorded.
        """
        outbound = int(self.joins.outbound[self.first[trace] + request])
        return self.place(outbound) if outbound >= 0 else None

    def place(self, row: int) -> tuple[int, int]:
        """Return the trace of a request and its row in the table of that trace."""
        trace = int(self.rows.trace[row])
        return trace, row - int(self.first[trace])

    def name(self, row: int) -> str:
        """Return the name of a request, such as ``POST payments/pay``; empty if it is unknown."""
        function = self.function(row)
        return function.name if function else ""

    def route(self, row: int) -> str:
        """Return the route of an inbound call as its framework names it, else its name."""
        trace, own = self.place(row)
        route = int(self.tables[trace].route_function[own])
        return self.traces[trace].functions[route].name if route >= 0 else self.name(row)

    def methods(self) -> dict[str, int]:
        """Return the number of joins by each method, without methods that joined nothing."""
        counts = Counter(self.joins.method[self.joins.outbound >= 0].tolist())
        return {name: counts[method] for method, name in METHOD_NAMES.items() if counts[method]}

    def notes(self) -> Iterator[str]:
        """Yield a sentence about each kind of joins that are missing."""
        keys = Counter(trace.process_key for trace in self.traces if trace.process_key)
        copies = sum(count for count in keys.values() if count > 1)
        if copies:
            yield f"{copies} traces are of the same processes; their requests are not joined"
        if self.cyclic:
            number = units.several(self.cyclic, "join")
            yield f"{number} dropped: a request would have caused itself"
        if self.origins.too_deep:
            number = units.several(self.origins.too_deep, "inbound call")
            yield f"the chains of {number} were cut: they passed more than {MAX_DEPTH} processes"
        unknown = int(self._has_lost_caller().sum())
        if unknown:
            number = units.several(unknown, "inbound call")
            yield f"the callers of {number} are not known; their chains begin there"

    def _has_lost_caller(self) -> Bools:
        """Return the inbound calls without a join whose chains began in another process.

        Their headers name a caller, or an outbound call of the same trace id came before them and
        its other side is not known. Others may have come from outside.
        """
        rows = self.rows
        offsets = np.array([self.offsets[i].value for i in range(len(self.traces))], np.int64)
        start = rows.start + offsets[rows.trace]
        open_ended = np.flatnonzero(~rows.inbound & ~self.is_received & (rows.trace_id >= 0))
        first = np.full(int(rows.trace_id.max(initial=-1)) + 2, UNFINISHED)  # the last is for -1
        np.minimum.at(first, rows.trace_id[open_ended], start[open_ended])
        first[-1] = UNFINISHED
        is_named = (rows.ft_process > 0) | (first[rows.trace_id] < start)
        lost: Bools = rows.inbound & (self.joins.outbound < 0) & is_named
        return lost

    def function(self, row: int) -> Function | None:
        """Return the function that stands for a request; None if its entry was overwritten."""
        trace, own = self.place(row)
        function = int(self.tables[trace].function[own])
        return self.traces[trace].functions[function] if function >= 0 else None


def joined(traces: Sequence[Trace], tables: Sequence[Requests] | None = None) -> Joined:
    """Return the requests of all traces, each inbound call joined to the outbound call behind it.

    Only certain joins are made, by the ``ft`` member of the tracestate header, by span ids, or
    because no other recorded call of the same trace id is left. ``Joined.caller`` returns the other
    end of an inbound call, ``Joined.joins.method`` what it was joined by.

    Args:
        traces: the traces of one or more processes.
        tables: their requests, if they have been read.
    """
    found = tuple(tables) if tables is not None else tuple(fold_requests(t)[1] for t in traces)
    rows = rows_of(traces, found)
    processes = tuple(
        Process(trace.process_key, host_name(trace), trace.span[1] - trace.span[0])
        for trace in traces
    )
    first = np.cumsum([0, *map(len, found)])
    inbound = _concatenated(
        [
            np.where(each.inbound >= 0, each.inbound + start, -1)
            for each, start in zip(found, first.tolist(), strict=False)
        ]
    )
    joins = join(rows, processes)
    is_known_once = group_sizes(group(rows.trace, rows.number), rows.number > 0) == 1
    unique = np.where(is_known_once & (joins.outbound >= 0), joins.outbound, -1)
    kept = drop_cycles(unique, inbound)
    cyclic = int((kept != unique).sum())
    joins = Joins(kept, np.where(kept >= 0, joins.method, Method.UNKNOWN), joins.clocks)
    services = tuple(map(service_name, traces))
    return Joined(tuple(traces), found, services, rows, joins, inbound, cyclic)


def has_requests(traces: Sequence[Trace]) -> bool:
    """Return whether a trace has a function that stands for requests."""
    return any(function.direction for trace in traces for function in trace.functions)


def rows_of(traces: Sequence[Trace], tables: Sequence[Requests]) -> RequestRows:
    """Return the requests of all traces in one table."""

    def column(name: str) -> np.ndarray:
        return _concatenated([getattr(table, name) for table in tables])

    end = column("end")
    ids = _concatenated([_id_halves(table) for table in tables], (0, 2))
    is_inbound = column("direction") == INBOUND
    has_ids = ids.any(axis=1) & (column("span_id") > 0)
    has_ids &= ~(is_inbound & (column("flags") & OWN_IDS > 0))  # which it has not received
    return RequestRows(
        trace=np.arange(len(tables), dtype=np.int32).repeat([len(table) for table in tables]),
        inbound=is_inbound,
        name=_names(traces, tables),
        number=column("number"),
        inbound_number=column("inbound_number"),
        trace_id=np.where(has_ids, group(ids[:, 0], ids[:, 1]), -1),
        span_id=column("span_id"),
        ft_process=column("ft_process"),
        ft_number=column("ft_number"),
        track=column("track"),
        start=column("start"),
        end=np.where(end >= 0, end, UNFINISHED),
        failed=column("failed"),
        status=column("status"),
    )


def _concatenated(columns: list[np.ndarray], shape: tuple[int, ...] = (0,)) -> np.ndarray:
    return np.concatenate(columns) if columns else np.empty(shape, np.int64)


def _id_halves(table: Requests) -> np.ndarray:
    raw = np.ascontiguousarray(table.trace_id).tobytes()
    return np.frombuffer(raw, ">u8").astype(np.uint64).reshape(-1, 2)


def _names(traces: Sequence[Trace], tables: Sequence[Requests]) -> Int32s:
    """Return the number of each request's protocol, method and path, or -1 if it has none."""
    number_of: dict[str, int] = {}
    columns = []
    for trace, table in zip(traces, tables, strict=True):
        of_function = np.full(len(trace.functions) + 1, -1, np.int32)  # the last is for -1
        for index, function in enumerate(trace.functions):
            name = common_name(function)
            if name:
                of_function[index] = number_of.setdefault(name, len(number_of))
        columns.append(of_function[table.function])
    return _concatenated(columns).astype(np.int32)


def common_name(function: Function) -> str:
    """Return the part of a request's name that its two ends share; empty if it has none.

    ``POST payments/pay`` and ``POST /pay`` are both ends of ``POST /pay``.
    """
    if not function.direction or function.name.endswith(_OTHER):
        return ""
    method, _, target = function.name.partition(" ")
    if method == "grpc" or function.direction == INBOUND:
        return function.name
    return f"{method} /{target.partition('/')[2]}"


def peer_host(function: Function) -> str:
    """Return the host in the name of an outbound call; empty if it has none, as in gRPC."""
    method, _, target = function.name.partition(" ")
    if method == "grpc" or target == _OTHER:
        return ""
    return target.partition("/")[0]
