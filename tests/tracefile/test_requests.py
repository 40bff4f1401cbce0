"""The table of requests, and the chains of inbound calls by their origins."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from functrace.analysis import Chains, Origins, fold, fold_requests
from functrace.tracefile import Trace
from tests.tracefile import writer as w
from tests.tracefile.meaning import names

Read = Callable[[bytes], Trace]

USERS, PAY, STORE, WORK = 1, 2, 3, 4
"""functions of writer.REQUEST_FUNCTIONS: inbound, outbound, inbound, none"""
IDS = "000102030405060708090a0b0c0d0e0f", "f0f1f2f3f4f5f6f7"


def trace_of(*words: bytes, flags: int = 1) -> bytes:
    head = w.header(version=2, flags=flags)
    return head + w.REQUEST_FUNCTIONS + w.events(2, w.track(1, 1001), *words)


@pytest.mark.parametrize("ids", [(32 * "0", IDS[1]), (IDS[0], 16 * "0")])
def test_ids_of_zeros_are_none(read: Read, ids: tuple[str, str]) -> None:
    record = w.request(7, ids=ids, sampled=True, minted=True, ft=(5, 6))
    _, requests = fold_requests(read(trace_of(w.enter(USERS, 10), record, w.leave(USERS, 50))))
    assert requests.flags.tolist() == [0x400]
    assert not requests.trace_id.tobytes().strip(b"\0")
    assert requests.span_id.tolist() == [0]
    assert (requests.ft_process.tolist(), requests.ft_number.tolist()) == ([5], [6])


def test_a_row_has_what_the_records_contain(read: Read) -> None:
    content = trace_of(
        w.enter(USERS, 10),
        w.request(7, ids=IDS, sampled=True, ft=((1 << 64) - 1, 26)),
        w.enter(WORK, 12),
        w.enter(PAY, 20),
        w.request(8, inbound=7, ids=IDS, minted=True),
        w.status(503),
        w.error("503 Service Unavailable"),
        w.leave(PAY, 40),
        w.leave(WORK, 45),
        w.status(16, grpc=True, route=STORE),
        w.leave(USERS, 50),
    )
    trace = read(content)
    chains, requests = fold_requests(trace)
    assert requests.direction.tolist() == [1, 2]
    assert requests.protocol.tolist() == [1, 1]
    assert requests.flags.tolist() == [0x10700, 0x900]
    assert requests.number.tolist() == [7, 8]
    assert requests.inbound_number.tolist() == [0, 7]
    assert requests.trace_id[0].tobytes().hex() == IDS[0]
    assert f"{requests.span_id[0]:x}" == IDS[1]
    assert requests.ft_process.tolist() == [(1 << 64) - 1, 0]
    assert requests.ft_number.tolist() == [26, 0]
    assert (requests.start - trace.started).tolist() == [10, 20]
    assert (requests.end - trace.started).tolist() == [50, 40]
    assert requests.failed.tolist() == [False, True]
    assert requests.status.tolist() == [16, 503]
    assert requests.route_function.tolist() == [2, -1]
    assert requests.function.tolist() == [0, 1]
    assert requests.call.tolist() == [0, 2]
    assert [names(chains, node) for node in requests.chain] == [
        ["GET /users/{id}"],
        ["GET /users/{id}", "main.work", "POST payments/pay"],
    ]
    assert requests.invalid_records == 0


def test_a_record_may_be_in_another_chunk_than_the_entry(read: Read) -> None:
    rest = w.events(
        3,
        w.switch(1, 1, opened=1),
        w.resumed(12),
        w.request(3),
        w.status(204),
        w.leave(USERS, 20),
        base=1000,
    )
    _, requests = fold_requests(read(trace_of(w.enter(USERS, 10), w.suspended(11)) + rest))
    assert (requests.number.tolist(), requests.status.tolist()) == ([3], [204])
    assert requests.invalid_records == 0


def test_a_request_in_a_request_on_one_track(read: Read) -> None:
    """A client of the same process, as tests have it."""
    words = [w.enter(PAY, 10), w.request(1, inbound=0), w.enter(USERS, 20), w.request(2)]
    words += [w.enter(PAY, 30), w.request(3, inbound=2), w.status(500), w.leave(PAY, 40)]
    words += [w.status(201), w.leave(USERS, 50), w.status(200), w.leave(PAY, 60)]
    _, requests = fold_requests(read(trace_of(*words)))
    assert requests.number.tolist() == [1, 2, 3]
    assert requests.status.tolist() == [200, 201, 500]
    assert requests.inbound.tolist() == [-1, -1, 1]


def test_an_unfinished_request_has_no_end_and_no_status(read: Read) -> None:
    content = trace_of(w.enter(WORK, 1), w.enter(USERS, 10), w.request(1), w.leave(WORK, 30))
    _, requests = fold_requests(read(content))
    assert (requests.end.tolist(), requests.status.tolist()) == ([-1], [-1])


def test_a_status_belongs_to_the_next_exit(read: Read) -> None:
    words = [w.enter(USERS, 1), w.request(1), w.enter(WORK, 2)]
    words += [w.status(500), w.leave(WORK, 3), w.leave(USERS, 4)]
    _, requests = fold_requests(read(trace_of(*words)))
    assert requests.status.tolist() == [-1]


@pytest.mark.parametrize(
    "words",
    [
        [w.request(1), w.enter(WORK, 1)],  # outside of any call
        [w.enter(WORK, 1), w.request(1)],  # of a function that stands for no request
        [w.enter(USERS, 1), w.request(1, inbound=0)],  # in the other direction
        [w.enter(USERS, 1), w.request(0)],
        [w.enter(USERS, 1), w.record(11, bytes(8), 3)],  # of no direction
        [w.enter(USERS, 1), w.record(11, b"\x01", 1)],
        [w.enter(USERS, 1), w.record(11, b"\x01" + bytes(30), 1 << 8 | 1)],  # no room for ids
        [
            w.enter(PAY, 1),
            w.record(11, b"\x01" * 40, 1 << 10 | 2),
        ],  # an outbound call with a caller
    ],
)
def test_a_record_of_no_request_is_counted_and_ignored(read: Read, words: list[bytes]) -> None:
    trace = read(trace_of(*words))
    chains, requests = fold_requests(trace)
    assert (len(requests), requests.invalid_records) == (0, 1)
    assert chains.calls.tolist() == fold(trace).calls.tolist() == [1]


def test_the_first_record_of_a_request_is_valid(read: Read) -> None:
    content = trace_of(w.enter(USERS, 1), w.request(1), w.request(2), w.leave(USERS, 2))
    _, requests = fold_requests(read(content))
    assert (requests.number.tolist(), requests.invalid_records) == ([1], 1)


def test_a_payload_may_have_more_than_is_known(read: Read) -> None:
    content = trace_of(w.enter(USERS, 1), w.record(11, b"\x01" + bytes(31), 1), w.leave(USERS, 2))
    _, requests = fold_requests(read(content))
    assert requests.number.tolist() == [1]


def test_the_table_is_empty_without_names_of_requests(read: Read) -> None:
    content = w.header(version=2) + w.FUNCTIONS
    content += w.events(2, w.track(1, 1001), w.enter(1, 1), w.request(1))
    _, requests = fold_requests(read(content))
    assert (len(requests), requests.trace_id.dtype.itemsize) == (0, 16)


def test_a_request_whose_entry_was_overwritten_and_is_listed(read: Read) -> None:
    head = w.header(version=2, flags=4, last_overwritten=5) + w.REQUEST_FUNCTIONS
    listed = [w.track(1, 1001, again=True), w.opened(1010, USERS)]
    words = [w.switch(1, 9, opened=1), *listed, w.request(4), w.enter(WORK, 30)]
    trace = read(head + w.events(6, *words, w.leave(WORK, 40), w.status(200), w.leave(USERS, 50)))
    chains, requests = fold_requests(trace)
    assert requests.number.tolist() == [4]
    assert (requests.start - trace.started).tolist() == [10]
    assert (requests.end - trace.started).tolist() == [50]
    assert names(chains, requests.chain[0]) == ["GET /users/{id}"]


def test_a_request_whose_entry_was_overwritten(read: Read) -> None:
    head = w.header(version=2, flags=4, last_overwritten=5) + w.REQUEST_FUNCTIONS
    words = [w.switch(1, 9, opened=1), w.request(4), w.enter(WORK, 30), w.leave(WORK, 40)]
    chains, requests = fold_requests(read(head + w.events(6, *words, w.leave(USERS, 50))))
    assert requests.number.tolist() == [4]
    assert [requests.function[0], requests.chain[0], requests.call[0], requests.end[0]] == [-1] * 4
    assert [names(chains, node) for node in range(len(chains))] == [["main.work"]]
    assert requests.invalid_records == 0


def test_inherited_calls_are_no_requests_and_have_no_numbers(read: Read) -> None:
    words = [w.inherited(900, WORK), w.inherited(950, USERS), w.request(1)]
    words += [w.enter(PAY, 10), w.request(2, inbound=1), w.leave(PAY, 20)]
    _, requests = fold_requests(read(trace_of(*words)))
    assert (requests.number.tolist(), requests.call.tolist()) == ([2], [0])


def _served(number: int, at: int) -> list[bytes]:
    words = [w.enter(USERS, at), w.request(number), w.enter(WORK, at + 1)]
    return [*words, w.leave(WORK, at + 2), w.leave(USERS, at + 4)]


def _origins(**ids: int) -> Origins:
    numbers = [int(name.removeprefix("number_")) for name in ids]
    return Origins(np.array(numbers, np.uint64), np.array(list(ids.values()), np.uint32))


def _tree(chains: Chains) -> list[tuple[int, str, int, int]]:
    called = [chains.trace.functions[function].name for function in chains.function]
    columns = chains.parent, called, chains.origin, chains.calls
    return list(zip(*(list(map(_plain, column)) for column in columns), strict=True))


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def test_inbound_calls_of_several_origins_have_a_node_each(read: Read) -> None:
    trace = read(trace_of(*(word for n in range(1, 6) for word in _served(n, 10 * n))))
    origins = _origins(number_5=7, number_2=9, number_4=7, number_99=1)
    chains, requests = fold_requests(trace, origins)
    assert _tree(chains) == [
        (-1, "GET /users/{id}", 0, 2),
        (0, "main.work", 0, 2),
        (-1, "GET /users/{id}", 9, 1),
        (2, "main.work", 0, 1),
        (-1, "GET /users/{id}", 7, 2),
        (4, "main.work", 0, 2),
    ]
    assert requests.chain.tolist() == [0, 2, 0, 4, 4]
    assert chains.total.tolist() == [8, 2, 4, 1, 8, 2]
    assert chains.max_in_caller.tolist() == [0, 1, 0, 1, 0, 1]


def test_a_node_without_calls_of_no_origin_is_left_out(read: Read) -> None:
    chains, _ = fold_requests(read(trace_of(*_served(1, 10))), _origins(number_1=3))
    assert _tree(chains) == [(-1, "GET /users/{id}", 3, 1), (0, "main.work", 0, 1)]


def test_an_outbound_call_has_no_origin(read: Read) -> None:
    words = [w.enter(PAY, 1), w.request(1, inbound=0), w.leave(PAY, 2)]
    chains, _ = fold_requests(read(trace_of(*words)), _origins(number_1=3))
    assert _tree(chains) == [(-1, "POST payments/pay", 0, 1)]


def test_a_track_that_a_request_starts_goes_on_below_its_origin(read: Read) -> None:
    started = w.events(3, w.track(2, 1012, parent=1, starter=USERS), w.enter(WORK, 12))
    content = trace_of(w.enter(USERS, 10), w.request(1), w.leave(USERS, 11)) + started
    chains, _ = fold_requests(read(content), _origins(number_1=3))
    assert _tree(chains) == [(-1, "GET /users/{id}", 3, 1), (0, "main.work", 0, 1)]


def test_beyond_the_limit_an_origin_is_left_out(read: Read) -> None:
    trace = read(trace_of(*_served(1, 10), *_served(2, 20)))
    origins = _origins(number_1=1, number_2=2)
    chains, _ = fold_requests(trace, origins, node_limit=2)
    assert [(origin, calls) for _, _, origin, calls in _tree(chains)][:2] == [(0, 1), (1, 1)]
    assert chains.damage


def test_the_first_of_two_origins_of_a_number_is_valid() -> None:
    numbers, ids = Origins(np.array([3, 1, 3], np.uint64), np.array([5, 6, 7], np.uint32)).columns()
    assert (numbers.tolist(), ids.tolist()) == ([1, 3], [6, 5])
