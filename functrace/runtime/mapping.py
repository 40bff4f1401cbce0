"""Memory mappings of parts of a file.

The module mmap is unsuitable: up to Python 3.12 each of its objects keeps a file descriptor of its
own and finally closes that number, even if the program has reused it.
"""

from __future__ import annotations

import ctypes
import mmap

from functrace.runtime import BUILTINS
from functrace.runtime.system import os

globals()["__builtins__"] = BUILTINS

_WORD = 8
_libc = ctypes.CDLL(None, use_errno=True)
_map = _libc.mmap
_map.restype = ctypes.c_void_p
_map.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
_advise = _libc.madvise
_advise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_FAILED = ctypes.c_void_p(-1).value


class Mapping:
    """Part of a file, mapped until the process ends.

    Args:
        file: its descriptor, which may be closed afterwards.
        offset, size: of the part, in bytes.

    Raises:
        OSError: it cannot be mapped.
    """

    __slots__ = ("_address", "_bytes", "words")

    def __init__(self, file: int, offset: int, size: int) -> None:
        before = offset % mmap.ALLOCATIONGRANULARITY
        self._bytes = before + size
        access = mmap.PROT_READ | mmap.PROT_WRITE
        address = _map(None, self._bytes, access, mmap.MAP_SHARED, file, offset - before)
        if address == _FAILED:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        self._address = address
        array = (ctypes.c_char * size).from_address(address + before)
        self.words = memoryview(array).cast("B").cast("Q")

    def drop(self) -> None:
        """Release its pages from memory; the system reloads them from the file when used."""
        _advise(self._address, self._bytes, mmap.MADV_DONTNEED)
