"""The index that is kept beside a trace: used as long as it is that of the trace, else replaced."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from functrace.tracefile import Trace, open_trace
from functrace.view import index, timeline
from functrace.view.index_file import _HEADER, _KEY_BYTES, _MAGIC, index_path
from functrace.view.timeline import Timeline
from tests.otlp.program import Program
from tests.view.contract import check_window


@pytest.fixture(autouse=True)
def _small_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "_MIN_EVENTS_OF_FILE", 1)
    monkeypatch.setattr(index, "STRIP_WORDS", 8)


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    path = tmp_path / "x.ftrace"
    path.write_bytes(Program(3, 400).written())
    return open_trace(path)


def _check(trace: Trace) -> None:
    tracks = range(len(trace.tracks))
    found = Timeline.open(trace).window(tracks, *trace.span, px=20)
    check_window(trace, found, tracks, 256)


def _is_built(trace: Trace) -> bool:
    """Open the trace, and return whether its index was built."""
    with patch.object(timeline, "build_index", wraps=timeline.build_index) as build:
        _check(trace)
    return build.called


def test_the_index_is_built_once(trace: Trace) -> None:
    assert _is_built(trace)
    assert index_path(trace.path).stat().st_mode & 0o777 == 0o600
    assert not _is_built(trace)
    assert not _is_built(open_trace(trace.path))
    assert sorted(path.name for path in trace.path.parent.iterdir()) == [
        "x.ftrace",
        "x.ftrace.index",
    ]


def test_the_index_of_a_trace_that_changed_is_replaced(trace: Trace) -> None:
    _check(trace)
    trace.path.write_bytes(Program(4, 400).written())
    changed = open_trace(trace.path)
    assert _is_built(changed)
    assert not _is_built(changed)


def test_a_read_only_folder_gets_no_index(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("functrace.view.index_file.open_file", refuse)
    assert _is_built(trace)
    assert _is_built(trace)


def test_the_index_of_another_user_is_not_read(
    trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    _check(trace)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert _is_built(trace)


def _cut(content: bytes) -> bytes:
    return content[:-1]


def _flip(content: bytes) -> bytes:
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


def _zero(content: bytes) -> bytes:
    return bytes(len(content))


def _signed_nonsense(content: bytes) -> bytes:
    """All ones, with the checksum of that: the rows refer to what is not there."""
    rows = b"\xff" * (len(content) - _HEADER.size)
    magic, key, _, *counts = _HEADER.unpack_from(content)
    return _HEADER.pack(magic, key, zlib.crc32(rows), *counts) + rows


def _signed(key: bytes, arrays: dict[str, index.Rows]) -> bytes:
    rows = b"".join(array.tobytes() for array in arrays.values())
    return _HEADER.pack(_MAGIC, key, zlib.crc32(rows), *map(len, arrays.values())) + rows


def _arrays(content: bytes) -> tuple[bytes, dict[str, index.Rows]]:
    _, key, _, *counts = _HEADER.unpack_from(content)
    arrays, at = {}, _HEADER.size
    for (name, kind), count in zip(index.ROW_TYPES.items(), counts, strict=True):
        arrays[name] = np.frombuffer(content, kind, count, at).copy()
        at += arrays[name].nbytes
    return key, arrays


def _forged(name: str, column: str, value: int) -> Callable[[bytes], bytes]:
    """Return a damage that sets a column of all rows of an array, with the checksum of that."""

    def damage(content: bytes) -> bytes:
        key, arrays = _arrays(content)
        assert len(arrays[name])
        arrays[name][column] = value
        return _signed(key, arrays)

    return damage


def _few_bins(content: bytes) -> bytes:
    key, arrays = _arrays(content)
    return _signed(key, arrays | {"bin_calls": arrays["bin_calls"][:9]})


_FORGERIES = [
    _forged("tracks", "failed", -1),
    _forged("tracks", "failed", 1 << 50),
    _forged("tracks", "calls", 1 << 62),
    _forged("tracks", "depth", 1 << 31),
    _forged("crossings", "self", -1),
    _forged("crossings", "suspended", -1),
    _forged("crossings", "depth", 1 << 31),
    _few_bins,
]


@pytest.mark.parametrize(
    "damage", [_cut, _flip, _zero, _signed_nonsense, lambda _: b"", *_FORGERIES]
)
def test_a_damaged_index_is_replaced(trace: Trace, damage: Callable[[bytes], bytes]) -> None:
    _check(trace)
    path = index_path(trace.path)
    path.write_bytes(damage(path.read_bytes()))
    assert _is_built(trace)
    assert not _is_built(trace)


def test_strips_without_words_are_refused(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "STRIP_WORDS", 0)
    with pytest.raises(ValueError, match="no words"):
        index.build_index(trace)


def test_every_changed_byte_is_noticed_or_harmless(trace: Trace) -> None:
    """Even with the right checksum: no row may lead out of the arrays."""
    _check(trace)
    path = index_path(trace.path)
    content = path.read_bytes()
    magic, key, _, *counts = _HEADER.unpack_from(content)
    assert len(key) == _KEY_BYTES
    tracks = range(len(trace.tracks))
    for at in range(_HEADER.size, len(content), 1009):
        rows = bytearray(content[_HEADER.size :])
        rows[at - _HEADER.size] ^= 0x81
        path.write_bytes(_HEADER.pack(magic, key, zlib.crc32(rows), *counts) + bytes(rows))
        opened = Timeline.open(trace)
        for px in (1, 7, 1000):
            opened.window(tracks, *trace.span, px)
