"""The walk in C, for Python to call."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

from functrace import _native
from functrace.analysis.source_native import NativeSource, native_source
from functrace.export.events_table import CALL, EVENT, Rows, Walk


class _Request(ctypes.Structure):
    _fields_ = (
        ("source", NativeSource),
        ("caller", ctypes.c_void_p),
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
        source=native_source(ask.source),
        caller=_native.address(ask.caller),
        whole=ask.row is not EVENT,
    )
