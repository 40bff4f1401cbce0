"""The walk in C, for Python to call."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import numpy as np

from functrace import _native
from functrace.export.events_table import CALL, EVENT, Rows, Walk


class _Request(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("start", ctypes.c_uint64),
        ("pieces", ctypes.c_void_p),
        ("piece_of", ctypes.c_void_p),
        ("tracks", ctypes.c_void_p),
        ("function_of", ctypes.c_void_p),
        ("caller", ctypes.c_void_p),
        ("track_count", ctypes.c_int64),
        ("number_count", ctypes.c_int64),
        ("function_count", ctypes.c_int64),
        ("end", ctypes.c_int64),
        ("whole", ctypes.c_int64),
    )


class _Rows(ctypes.Structure):
    _fields_ = (("events", _native.Array), ("calls", _native.Array))


def walk(library: ctypes.CDLL, ask: Walk, block: int) -> Iterator[Rows]:
    """As events_python.walk."""
    library.functrace_events_open.restype = ctypes.c_void_p
    request = _request(ask)
    handle = ctypes.c_void_p(library.functrace_events_open(ctypes.byref(request)))
    _native.check(_native.OUT_OF_MEMORY if handle.value is None else 0)
    found = ctypes.POINTER(_Rows)()
    try:
        while True:
            _native.check(
                library.functrace_events_next(handle, ctypes.c_uint64(block), ctypes.byref(found))
            )
            rows = found.contents.calls if ask.row is CALL else found.contents.events
            if not rows.count:
                return
            yield rows.copied(ask.row)
    finally:
        library.functrace_events_close(handle)


def _request(ask: Walk) -> _Request:
    return _Request(
        data=_native.address(np.frombuffer(ask.data, np.uint8)),
        start=ask.start,
        pieces=_native.address(ask.pieces),
        piece_of=_native.address(ask.piece_of),
        tracks=_native.address(ask.tracks),
        function_of=_native.address(ask.function_of),
        caller=_native.address(ask.caller),
        track_count=len(ask.tracks),
        number_count=len(ask.function_of),
        function_count=ask.function_count,
        end=ask.end,
        whole=ask.row is not EVENT,
    )
