"""Files that are cut anywhere, or whose bits have changed, are read as by the reference."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functrace.analysis import Listing, Selection
from functrace.errors import FunctraceError
from functrace.tracefile import open_trace
from tests.tracefile.meaning import both
from tests.tracefile.vectors import VECTORS

HEADER = 4096


def judged(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corrupt.ftrace"
        path.write_bytes(content)
        both(path)
        both(path, Selection(20, 60, tracks=[0]), Listing(min_duration_ns=5, limit=3))


@pytest.mark.parametrize("name", ["goroutines", "overwritten"])
def test_a_file_cut_at_any_byte(tmp_path: Path, name: str) -> None:
    content = VECTORS[name].rstrip(b"\0")
    path = tmp_path / "cut.ftrace"
    events = []
    for size in range(HEADER, len(content) + 1):
        path.write_bytes(content[:size])
        events.append(open_trace(path).events)
        if size % 24 == 0:
            both(path)
    assert events == sorted(events)


def test_a_header_cut_at_any_byte(tmp_path: Path) -> None:
    path = tmp_path / "cut.ftrace"
    path.write_bytes(VECTORS["calls"])
    for size in reversed(range(HEADER)):
        os.truncate(path, size)
        with pytest.raises(FunctraceError):
            open_trace(path)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(VECTORS)),
    st.lists(st.tuples(st.integers(HEADER * 8, 12_000 * 8), st.booleans()), max_size=30),
)
def test_bits_that_have_changed(name: str, bits: list[tuple[int, bool]]) -> None:
    content = bytearray(VECTORS[name])
    for bit, whole in bits:
        at = HEADER + (bit // 8 - HEADER) % max(len(content) - HEADER, 1)
        if at < len(content):
            content[at] ^= 0xFF if whole else 1 << bit % 8
    judged(bytes(content))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=600), st.integers(0, 3))
def test_chunks_of_anything(content: bytes, kind: int) -> None:
    head = VECTORS["calls"][: HEADER + 512]
    sequence = (9).to_bytes(8, "little")
    chunk = b"CHNK" + bytes([kind, 0, 0, 0, 0, 4, 0, 0, 1, 0, 0, 0]) + sequence + b"\1" + bytes(15)
    judged(head + (chunk + content).ljust(1024, b"\0"))
