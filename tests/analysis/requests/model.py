"""A simple model of services that call each other, which knows the cause of every request."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np

from functrace.analysis.requests.rows import UNFINISHED, Process, RequestRows

_START = 1_700_000_000_000_000_000


@dataclass
class _Request:
    process: int
    inbound: bool
    name: int
    number: int
    start: int
    trace_id: int = 0
    span_id: int = 0
    ft: tuple[int, int] | None = None
    end: int = 0
    cause: int = -1
    """for an inbound call, the index of the outbound call"""
    inside: int = -1
    """for an outbound call, the index of the inbound call"""


@dataclass
class Model:
    """Random call trees over several processes, with clocks that differ.

    Args:
        seed: of the random numbers.
        processes: number of processes; process 0 receives the first request of each tree.
        headers: what is on the wire: ``ft``, ``span``: each outbound call has a new span id,
            ``forward``: programs forward the ids that they received, ``sidecar``: a proxy replaces
            the span id.
        same_host: whether all run on one host, whose clocks agree.
        names: number of distinct names of requests.
    """

    seed: int
    processes: int = 4
    headers: tuple[str, ...] = ("ft",)
    same_host: bool = False
    names: int = 3
    trees: int = 12
    requests: list[_Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        skew = (
            (lambda: 0) if self.same_host else (lambda: self._random.randrange(-(10**10), 10**10))
        )
        self._skew = [skew() for _ in range(self.processes)]
        self._numbers = [0] * self.processes
        for _ in range(self.trees):
            start = self._random.randrange(20_000_000)
            trace_id = self._random.getrandbits(60) + 1
            self._receive(0, self._random.randrange(self.names), start, trace_id, 0, None, -1, 0)

    def _add(self, process: int, inbound: bool, name: int, start: int) -> tuple[int, _Request]:
        self._numbers[process] += 1
        made = _Request(process, inbound, name, self._numbers[process], start)
        self.requests.append(made)
        return len(self.requests) - 1, made

    def _wait(self) -> int:
        """Return a duration that exceeds what clocks of one host differ by."""
        return self._random.randrange(300_000, 900_000)

    def _receive(
        self,
        process: int,
        name: int,
        now: int,
        trace_id: int,
        span_id: int,
        ft: tuple[int, int] | None,
        cause: int,
        depth: int,
    ) -> int:
        """Add an inbound call and what it causes; return its end."""
        index, made = self._add(process, True, name, now)
        made.trace_id, made.span_id, made.ft, made.cause = trace_id, span_id, ft, cause
        last = now
        for _ in range(self._random.choice((0, 1, 2, 3)) if depth < 4 else 0):
            now += self._wait()
            end = self._send(process, index, now, depth)
            last = max(last, end)
            now = now if self._random.random() < 0.4 else end  # at the same time or one by one
        made.end = last + self._wait()
        if self._random.random() < 0.2:  # a handler that runs on after its answer
            made.end += 5 * self._wait()
            return last + self._wait()
        return made.end

    def _send(self, process: int, inside: int, now: int, depth: int) -> int:
        received = self.requests[inside]
        name = self._random.randrange(self.names)
        index, made = self._add(process, False, name, now)
        made.inside, made.trace_id = inside, received.trace_id
        kind = self._random.choice([h for h in self.headers if h != "ft"] or ["forward"])
        forwarded = received.span_id or 7
        made.span_id = forwarded if kind == "forward" else self._random.getrandbits(60) + 1
        arrived = self._random.getrandbits(60) + 1 if kind == "sidecar" else made.span_id
        has_ft = "ft" in self.headers and self._random.random() < 0.9
        ft = (100 + process, made.number) if has_ft else None
        target = self._random.randrange(self.processes)
        answered = self._receive(
            target, name, now + self._wait(), made.trace_id, arrived, ft, index, depth + 1
        )
        made.end = answered + self._wait()
        return made.end

    def rows(self) -> RequestRows:
        """Return the requests as they are in traces, each by the clock of its process."""
        ids = {each.trace_id: i for i, each in enumerate(self.requests)}
        every = self.requests
        clock = [_START + self._skew[each.process] for each in every]
        return RequestRows(
            trace=np.array([each.process for each in every], np.int32),
            inbound=np.array([each.inbound for each in every], np.bool_),
            name=np.array([each.name for each in every], np.int32),
            number=np.array([each.number for each in every], np.uint64),
            inbound_number=np.zeros(len(every), np.uint64),
            trace_id=np.array([ids[r.trace_id] if r.span_id else -1 for r in every], np.int64),
            span_id=np.array([each.span_id for each in every], np.uint64),
            ft_process=np.array([each.ft[0] if each.ft else 0 for each in every], np.uint64),
            ft_number=np.array([each.ft[1] if each.ft else 0 for each in every], np.uint64),
            track=np.zeros(len(every), np.int32),
            start=np.array([r.start + c for r, c in zip(every, clock, strict=True)], np.int64),
            end=np.array([r.end + c for r, c in zip(every, clock, strict=True)], np.int64),
            failed=np.zeros(len(every), np.bool_),
            status=np.full(len(every), 200, np.int32),
        )

    def facts(self) -> tuple[Process, ...]:
        return tuple(
            Process(100 + i, "host" if self.same_host else f"host{i}")
            for i in range(self.processes)
        )

    @property
    def counts(self) -> list[int]:
        """Number of requests of each process."""
        return self._numbers

    @property
    def cause(self) -> list[int]:
        return [each.cause for each in self.requests]

    @property
    def inside(self) -> list[int]:
        return [each.inside for each in self.requests]

    def skew(self, one: int, other: int) -> int:
        """Return what must be added to the times of the other process to get those of one."""
        return self._skew[one] - self._skew[other]


def unfinished(rows: RequestRows) -> RequestRows:
    """Return the same requests, none of which ended."""
    values = vars(rows) | {"end": np.full(len(rows), UNFINISHED)}
    return RequestRows(**values)
