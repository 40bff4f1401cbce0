"""Loads the parts of the reader that are in C, which may be absent."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

OUT_OF_MEMORY = 1


class Array(ctypes.Structure):
    """An array that C has allocated."""

    _fields_ = (
        ("items", ctypes.c_void_p),
        ("count", ctypes.c_uint64),
        ("capacity", ctypes.c_uint64),
    )

    def copied(self, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        """The items, in memory of Python's own."""
        if not self.count:
            return np.empty(0, dtype)
        memory = (ctypes.c_char * (self.count * dtype.itemsize)).from_address(self.items)
        return np.frombuffer(memory, dtype).copy()


@functools.cache
def _load() -> ctypes.CDLL | None:
    if sys.byteorder != "little":  # it reads words as they are
        return None
    for path in sorted(Path(__file__).parent.glob("_fold*")):
        if path.suffix not in (".so", ".pyd", ".dylib"):
            continue
        try:
            return ctypes.CDLL(str(path))
        except OSError:  # of another platform
            continue
    return None


def library() -> ctypes.CDLL | None:
    """The library; None where it was not built, or FUNCTRACE_PURE is set to keep it out."""
    return None if os.environ.get("FUNCTRACE_PURE") == "1" else _load()


def address(array: npt.NDArray[Any] | None) -> int | None:
    """Where an array's items are, for C to read; the caller keeps the array alive."""
    return None if array is None else array.ctypes.data


def check(status: int) -> None:
    """Raise what C's status stands for."""
    if status == OUT_OF_MEMORY:
        raise MemoryError("reading the trace")
