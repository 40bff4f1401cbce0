"""A source as C takes it."""

from __future__ import annotations

import ctypes

import numpy as np

from functrace import _native
from functrace.analysis.source import Source


class NativeSource(ctypes.Structure):
    """struct source of _native/track.h; what it was made of has to stay."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("start", ctypes.c_uint64),
        ("pieces", ctypes.c_void_p),
        ("piece_of", ctypes.c_void_p),
        ("tracks", ctypes.c_void_p),
        ("function_of", ctypes.c_void_p),
        ("track_count", ctypes.c_int64),
        ("number_count", ctypes.c_int64),
        ("function_count", ctypes.c_int64),
        ("end", ctypes.c_int64),
    )


def native_source(source: Source) -> NativeSource:
    """The same in C."""
    return NativeSource(
        data=_native.address(np.frombuffer(source.data, np.uint8)),
        start=source.start,
        pieces=_native.address(source.pieces),
        piece_of=_native.address(source.piece_of),
        tracks=_native.address(source.tracks),
        function_of=_native.address(source.function_of),
        track_count=len(source.tracks),
        number_count=len(source.function_of),
        function_count=source.function_count,
        end=source.end,
    )
