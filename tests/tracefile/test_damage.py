from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from functrace.analysis import fold
from functrace.tracefile import Trace
from tests.tracefile import writer as w

Read = Callable[[bytes], Trace]
ONE = w.events(2, w.track(1, 1010), w.enter(1, 10), w.leave(1, 20))

DAMAGE = [
    (w.FUNCTIONS + ONE, []),
    (w.FUNCTIONS + bytes(2048) + ONE, []),
    (w.FUNCTIONS + bytes(8) + w.chunk(2, 3)[8:] + ONE, []),
    (w.FUNCTIONS + bytes(8) + ONE[8:], ["1 chunk is corrupt and was skipped"]),
    (w.FUNCTIONS + b"CHNK".ljust(512, b"\1") + ONE, ["1 chunk is corrupt and was skipped"]),
    (ONE + b"x" * 512 + w.FUNCTIONS + b"y" * 512, ["2 chunks are corrupt and were skipped"]),
    (w.FUNCTIONS + ONE[:-100], ["1 chunk is truncated"]),
    (w.FUNCTIONS + w.events(2, w.record(9, b"?" * 2000), size=512)[:512],
     ["1 record exceeds its chunk"]),
    (w.chunk(1, 1, w.record(9, b"?" * 2000), size=512)[:512], ["1 record exceeds its chunk"]),
    (w.events(2, w.track(1, 1000), struct.pack("<QQ", 4, 8)),
     ["2 words are invalid and were skipped"]),
    (w.facts(2, struct.pack("<QQ", 4, 1)), ["2 words are invalid and were skipped"]),
    (w.FUNCTIONS + w.events(2, w.enter(1, 1), w.leave(1, 2)), ["2 words belong to no track"]),
    (w.events(2, w.track(0, 1000), w.record(2, b"short")), ["2 tracks have no id"]),
    (w.events(2, w.track(1, 1000), w.track(1, 1000)), []),
    (w.facts(1, w.function(0, "f"), w.record(16, b"short"), w.function(1 << 20, "f")),
     ["3 function definitions are invalid and were ignored"]),
    (w.facts(1, w.function(1, "f"), w.function(1, "g"), w.function(1, "f")),
     ["1 function definition is invalid and was ignored"]),
    (w.facts(1, w.record(16, struct.pack("<IIQHH", 1, 1, 0, 9, 9) + b"short")),
     ["1 function definition is invalid and was ignored"]),
    (w.facts(1, w.process("[]"), w.process("{"), w.process("[" * 60_000)),
     ["3 descriptions of the process are invalid and were ignored"]),
    (w.FUNCTIONS + w.events(2, w.track(1, 1000), w.enter(9, 1), w.leave(9, 2)),
     ["2 events refer to unknown functions"]),
    (w.FUNCTIONS + w.events(2, w.track(1, 1000), w.leave(1, 1), w.leave(2, 2)),
     ["2 exits have no entry"]),
    (w.FUNCTIONS + w.events(2, w.track(1, 1000), w.enter(1, 1), w.enter(2, 2), w.leave(1, 3)),
     ["1 call has no exit although its caller has one"]),
    (w.FUNCTIONS + w.events(2, w.track(1, 1000), w.enter(1, 9), w.leave(1, 7)),
     ["1 timestamp is earlier than the one before it"]),
    (w.FUNCTIONS + w.events(2, w.enter(1, 9), track=1, opened=1),
     ["1 chunk lists open calls that differ from those before it"]),
]  # fmt: skip


@pytest.mark.parametrize(("chunks", "damage"), DAMAGE)
def test_damage_is_reported(read: Read, chunks: bytes, damage: list[str]) -> None:
    trace = read(w.header() + chunks)
    assert list(fold(trace).damage) == damage


def test_between_overwritten_chunks_may_be_anything(read: Read) -> None:
    content = w.header(flags=4) + b"old".ljust(1024, b"!") + bytes(20 << 20) + w.FUNCTIONS + ONE
    trace = read(content)
    assert (trace.damage, trace.events) == ([], 2)


def test_a_zero_ends_the_contents_where_no_chunk_can_come(read: Read) -> None:
    trace = read(w.header() + w.FUNCTIONS + ONE + bytes((16 << 20) + 512) + ONE)
    assert (trace.damage, trace.events) == ([], 2)


def test_types_of_records_that_are_not_known_are_skipped(read: Read) -> None:
    new = w.record(63, b"of a later version", 5)
    words = w.track(1, 1010), new, w.enter(1, 10), new, w.leave(1, 20), new
    trace = read(w.header() + w.FUNCTIONS + w.events(2, *words))
    chains = fold(trace)
    assert (chains.calls.tolist(), chains.damage) == ([1], ())


def test_text_that_is_not_utf_8(read: Read) -> None:
    named = w.record(16, struct.pack("<IIQHH", 1, 1, 0, 2, 1) + b"f\xff" + b"\xfe")
    trace = read(w.header() + w.facts(1, named))
    assert (trace.functions[0].name, trace.functions[0].file) == ("f\ufffd", "\ufffd")
