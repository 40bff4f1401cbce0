"""The fold in C, for Python to call."""

from __future__ import annotations

import ctypes

from functrace import _native
from functrace.analysis.request import COUNTERS, Counters, Request, Result
from functrace.analysis.source_native import NativeSource, native_source
from functrace.analysis.tables import BLOCK, NODE, ROW


class _Request(ctypes.Structure):
    _fields_ = (
        ("source", NativeSource),
        ("wanted", ctypes.c_void_p),
        ("histogram_of", ctypes.c_void_p),
        ("row_of", ctypes.c_void_p),
        ("asked", ctypes.c_void_p),
        ("since", ctypes.c_int64),
        ("until", ctypes.c_int64),
        ("node_limit", ctypes.c_int64),
        ("row_limit", ctypes.c_int64),
        ("row_duration", ctypes.c_int64),
        ("rows_failed_only", ctypes.c_int64),
        ("rows_around", ctypes.c_int64),
        ("rows_before", ctypes.c_int64),
        ("asked_since", ctypes.c_int64),
        ("asked_until", ctypes.c_int64),
    )


class _Counters(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_int64) for name in COUNTERS)


class _Result(ctypes.Structure):
    _fields_ = (
        ("nodes", _native.Array),
        ("blocks", _native.Array),
        ("rows", _native.Array),
        ("counters", _Counters),
    )


def fold(library: ctypes.CDLL, ask: Request) -> Result:
    """As fold_python.fold."""
    out = _Result()
    try:
        _native.check(library.functrace_fold(ctypes.byref(_request(ask)), ctypes.byref(out)))
        return Result(
            out.nodes.copied(NODE),
            out.blocks.copied(BLOCK),
            out.rows.copied(ROW),
            Counters(*(getattr(out.counters, name) for name in COUNTERS)),
        )
    finally:
        library.functrace_release_result(ctypes.byref(out))


def _request(ask: Request) -> _Request:
    return _Request(
        source=native_source(ask.source),
        wanted=_native.address(ask.wanted),
        histogram_of=_native.address(ask.histogram_of),
        row_of=_native.address(ask.row_of),
        asked=_native.address(ask.asked),
        since=ask.since,
        until=ask.until,
        node_limit=ask.node_limit,
        row_limit=ask.row_limit,
        row_duration=ask.row_duration,
        rows_failed_only=ask.rows_failed_only,
        rows_around=ask.rows_around,
        rows_before=ask.rows_before,
        asked_since=ask.asked_since,
        asked_until=ask.asked_until,
    )
