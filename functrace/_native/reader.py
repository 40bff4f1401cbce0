"""The compiled trace reader, checked once against the layouts that Python expects."""

from __future__ import annotations

import functools
import sys
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from functrace._native.tables import LAYOUTS
from functrace.errors import FunctraceError

VERSION = 2
"""Of module.c, which defines when it changes."""
_REINSTALL = "reinstall functrace-cli"


def check(module: ModuleType) -> None:
    """Raise FunctraceError if a reader was not built from the sources next to this file."""
    expected = [
        (name, field, dtype.itemsize, offset, kind.itemsize)
        for name, dtype in LAYOUTS.items()
        for field, (kind, offset, *_) in (dtype.fields or {}).items()
    ]
    if getattr(module, "VERSION", None) != VERSION or sorted(module.layout()) != sorted(expected):
        raise FunctraceError(f"the compiled trace reader is of another version; {_REINSTALL}")


def array(items: npt.NDArray[Any] | None) -> tuple[int, int, int] | None:
    """Return where an array's items are, how many bytes they have, and the size of one."""
    if items is None:
        return None
    if not items.flags.c_contiguous:
        raise ValueError("the items of an array are not one after the other")
    return items.ctypes.data, items.nbytes, items.dtype.itemsize


def octets(data: memoryview) -> tuple[int, int, int] | None:
    """Return where bytes are, as array() does."""
    return array(np.frombuffer(data, np.uint8))


@functools.cache
def engine() -> Any:
    """Return the module functrace._native._reader, which _reader.pyi describes.

    Raises:
        FunctraceError: it is missing, or of another version.
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
