"""Loader of the compiled trace reader, with a check of its version and struct layouts."""

from __future__ import annotations

import functools
import sys
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace._native.row_types import LAYOUTS
from functrace.errors import FunctraceError

VERSION = 10
"""Version that module.c must have; the comment there states when it changes."""
_REINSTALL = "reinstall functrace-cli"


def check(module: ModuleType) -> None:
    """Raise FunctraceError if the version or a layout of the compiled reader differs."""
    expected = [
        (name, field, dtype.itemsize, offset, kind.itemsize)
        for name, dtype in LAYOUTS.items()
        for field, (kind, offset, *_) in (dtype.fields or {}).items()
    ]
    if getattr(module, "VERSION", None) != VERSION or sorted(module.layout()) != sorted(expected):
        raise FunctraceError(f"the compiled trace reader is of another version; {_REINSTALL}")


def array(items: npt.NDArray[Any] | None) -> tuple[int, int, int] | None:
    """Return the address, size in bytes and item size of an array."""
    if items is None:
        return None
    if not items.flags.c_contiguous:
        raise ValueError("the items of an array are not one after the other")
    return items.ctypes.data, items.nbytes, items.dtype.itemsize


def octets(data: memoryview) -> tuple[int, int, int] | None:
    """Return address, size and item size of a byte buffer, as array() does."""
    return array(np.frombuffer(data, np.uint8))


@functools.cache
def engine() -> Any:
    """Return the compiled module functrace._native._reader; _reader.pyi describes it.

    Raises:
        FunctraceError: the module is missing or of another version.
    """
    if sys.byteorder != "little":
        raise FunctraceError("traces can only be read on little-endian machines")
    try:
        from functrace._native import _reader
    except ImportError as error:
        raise FunctraceError(
            f"the compiled trace reader cannot be loaded ({error}); {_REINSTALL}"
        ) from None
    check(_reader)
    return _reader
