"""What was compiled, by the place of its source: as ``__pycache__`` has it, but elsewhere."""

from __future__ import annotations

import _imp
import _io
import marshal
from _frozen_importlib_external import MAGIC_NUMBER

from functrace.runtime.system import os, time

TYPE_CHECKING = False  # types is nothing that every program loads
if TYPE_CHECKING:
    from types import CodeType

MAGIC: bytes = MAGIC_NUMBER
_HEADER = 4 + 4 + 8 + 8
_DAY = 24 * 60 * 60


def digest(text: str) -> str:
    """128 bits of ``text`` in hexadecimal digits."""
    # Not hashlib: the program may never load it.
    raw = text.encode("utf-8", "surrogatepass")
    return (_imp.source_hash(1, raw) + _imp.source_hash(2, raw)).hex()


class Stamp:
    """By what a source is known to be the same as when it was compiled."""

    def __init__(self, mtime: float, size: int) -> None:
        self.mtime = int(mtime * 1_000_000)
        self.size = size

    def bytes(self) -> bytes:
        """16 bytes."""
        low = (1 << 64) - 1
        return (self.mtime & low).to_bytes(8, "little") + (self.size & low).to_bytes(8, "little")


def path(folder: str, key: str) -> str:
    """Where what ``key`` stands for is kept, as :class:`functrace.files.cache.Cache`."""
    return os.path.join(folder, key[:2], key)


def pack(code: CodeType, functions: int, stamp: Stamp) -> bytes:
    """The content of a file: of which Python, how many functions, of which source, and the code."""
    head = MAGIC + functions.to_bytes(4, "little") + stamp.bytes()
    return head + marshal.dumps(code)


def unpack(content: bytes, stamp: Stamp) -> tuple[int, CodeType] | None:
    """How many functions of it are instrumented, and the code; None if it is of another source."""
    if content[:4] != MAGIC or content[8:_HEADER] != stamp.bytes():
        return None
    try:
        code = marshal.loads(memoryview(content)[_HEADER:])
    except (EOFError, ValueError, TypeError):
        return None  # half a file, as a full disk leaves it
    return int.from_bytes(content[4:8], "little"), code


def read(file: str) -> bytes:
    """The content of a file of the cache; empty where there is none."""
    try:
        with _io.FileIO(file) as opened:  # at a start, buffers cost more than they give
            if time.time() - os.fstat(opened.fileno()).st_mtime > _DAY:
                os.utime(opened.fileno())  # it is in use
            return opened.readall()
    except OSError:
        return b""
