"""Joins of requests: right or unknown, never wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functrace.analysis.requests.joining import Method, join
from functrace.analysis.requests.origins import drop_cycles, find_origins
from functrace.analysis.requests.rows import Process, RequestRows
from tests.analysis.requests.model import Model, unfinished

HEADERS = st.sets(st.sampled_from(["ft", "span", "forward", "sidecar"]), min_size=1).map(
    lambda chosen: tuple(sorted(chosen))
)


@given(
    seed=st.integers(0, 1 << 30),
    processes=st.integers(1, 5),
    headers=HEADERS,
    same_host=st.booleans(),
    names=st.integers(1, 5),
    ends=st.booleans(),
)
def test_no_join_is_wrong(
    seed: int, processes: int, headers: tuple[str, ...], same_host: bool, names: int, ends: bool
) -> None:
    model = Model(seed, processes, headers, same_host, names)
    rows = model.rows() if ends else unfinished(model.rows())
    joins = join(rows, model.facts())
    cause = np.array(model.cause)
    is_joined = joins.outbound >= 0
    assert (joins.outbound[is_joined] == cause[is_joined]).all()
    assert (joins.outbound[cause < 0] == -1).all()
    has_ft = rows.ft_process > 0
    assert is_joined[has_ft].all()
    assert (joins.method[has_ft] == Method.FT).all()
    assert ((joins.method > 0) == is_joined).all()


@given(seed=st.integers(0, 1 << 30), headers=HEADERS)
def test_clocks_are_within_their_bounds(seed: int, headers: tuple[str, ...]) -> None:
    model = Model(seed, 4, headers)
    clocks = join(model.rows(), model.facts()).clocks
    for one in range(4):
        for other, bounds in clocks.offsets(one, range(4)).items():
            right = model.skew(one, other)
            assert bounds.low <= right <= bounds.high
            assert bounds.error is None or abs(bounds.value - right) <= bounds.error


@given(seed=st.integers(0, 1 << 30))
def test_every_span_id_is_joined_if_each_call_has_its_own(seed: int) -> None:
    model = Model(seed, 4, ("span",))
    joins = join(model.rows(), model.facts())
    assert joins.outbound.tolist() == model.cause
    assert set(joins.method.tolist()) <= {Method.UNKNOWN, Method.SPAN_ID}


@given(seed=st.integers(0, 1 << 30))
def test_chains_one_after_another_are_joined_behind_sidecars(seed: int) -> None:
    """Without calls at the same time, one candidate is left for each inbound call."""
    model = Model(seed, 3, ("sidecar",), same_host=True, names=40, trees=2)
    rows = model.rows()
    joins = join(rows, model.facts())
    cause = np.array(model.cause)
    names = {}
    for index, request in enumerate(model.requests):
        if not request.inbound:
            names.setdefault((request.trace_id, request.name), []).append(index)
    alone = [i for i, c in enumerate(cause) if c >= 0 and rows.trace_id[i] >= 0]
    for row in alone:
        request = model.requests[row]
        if len(names[request.trace_id, request.name]) == 1:
            assert joins.outbound[row] == cause[row]


@given(seed=st.integers(0, 1 << 30), headers=HEADERS)
def test_origins_lead_to_the_root(seed: int, headers: tuple[str, ...]) -> None:
    model = Model(seed, 4, headers)
    rows = model.rows()
    joins = join(rows, model.facts())
    inside = np.array(model.inside)
    chain = rows.name.astype(np.int64)
    origins = find_origins(joins.outbound, inside, rows.trace, chain)

    def path(row: int) -> list[tuple[int, int]]:
        outer = int(joins.outbound[row])
        if outer < 0:
            return []
        return [(int(rows.trace[outer]), int(chain[outer])), *path(int(inside[outer]))]

    by_origin: dict[int, list[tuple[int, int]]] = {}
    for row in np.flatnonzero(rows.inbound).tolist():
        origin = int(origins.of_request[row])
        steps, each = [], origin
        while each:
            steps.append((int(origins.trace[each]), int(origins.chain[each])))
            each = int(origins.parent[each])
        assert steps == path(row)
        assert by_origin.setdefault(origin, steps) == steps
    assert len({tuple(steps) for steps in by_origin.values()}) == len(by_origin)


def test_no_requests() -> None:
    model = Model(1, 2, trees=0)
    assert len(join(model.rows(), model.facts()).outbound) == 0


def test_a_header_that_two_requests_carry_joins_none() -> None:
    model = Model(3, 3)
    rows = model.rows()
    twice = RequestRows(
        **{name: np.concatenate([column, column]) for name, column in rows.columns().items()}
    )
    joins = join(twice, model.facts())
    assert (joins.outbound == -1).all()


def test_a_process_key_of_two_processes_joins_nothing_that_both_have() -> None:
    model = Model(3, 2)
    same = tuple(Process(100, each.host) for each in model.facts())
    rows = model.rows()
    rows.ft_process[rows.ft_process > 0] = 100
    joins = join(rows, same)
    in_both = rows.ft_number <= min(model.counts)
    assert (joins.method[in_both] != Method.FT).all()


@pytest.mark.parametrize(
    ("outbound", "inbound", "kept"),
    [
        # 0 in ← 1 out, which belongs to 0: a request that caused itself
        ([1, -1], [-1, 0], [-1, -1]),
        # 0 in ← 3 out of 2 in ← 1 out of 0 in
        ([3, -1, 1, -1], [-1, 0, -1, 2], [-1, -1, -1, -1]),
        # 0 in ← 1 out of 2 in, a root; 4 in ← 5 out of 0
        ([1, -1, -1, -1, 5, -1], [-1, 2, -1, -1, -1, 0], [1, -1, -1, -1, 5, -1]),
        # a cycle of three, and 6 in, which it leads to
        (
            [5, -1, 1, -1, 3, -1, 7, -1],
            [-1, 0, -1, 2, -1, 4, -1, 0],
            [-1, -1, -1, -1, -1, -1, 7, -1],
        ),
    ],
)
def test_cycles_are_dropped(outbound: list[int], inbound: list[int], kept: list[int]) -> None:
    assert drop_cycles(np.array(outbound), np.array(inbound)).tolist() == kept


def test_many_requests_of_one_trace_id() -> None:
    """Hostile ids: one trace id and one name for all, on many hosts."""
    count = 100_000
    rng = np.random.default_rng(1)
    start = rng.integers(0, 10**9, count)
    rows = RequestRows(
        trace=rng.integers(0, 8, count).astype(np.int32),
        inbound=rng.random(count) < 0.5,
        name=np.zeros(count, np.int32),
        number=np.arange(count, dtype=np.uint64),
        inbound_number=np.zeros(count, np.uint64),
        trace_id=np.zeros(count, np.int64),
        span_id=rng.integers(1, 50, count).astype(np.uint64),
        ft_process=np.zeros(count, np.uint64),
        ft_number=np.zeros(count, np.uint64),
        track=np.zeros(count, np.int32),
        start=start,
        end=start + rng.integers(0, 10**6, count),
        failed=np.zeros(count, np.bool_),
        status=np.full(count, -1, np.int32),
    )
    processes = tuple(Process(key, "host") for key in range(1, 9))
    joins = join(rows, processes)
    inner = np.flatnonzero(joins.outbound >= 0)
    assert len(set(joins.outbound[inner].tolist())) == len(inner)
