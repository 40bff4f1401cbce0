"""Compiled modules as the cache has them: what ``__pycache__`` has, and of how many functions."""

from __future__ import annotations

import _imp
import marshal
from _frozen_importlib_external import MAGIC_NUMBER

TYPE_CHECKING = False  # types is nothing that every program loads
if TYPE_CHECKING:
    from types import CodeType

MAGIC: bytes = MAGIC_NUMBER
_HEADER = 4 + 4 + 8 + 8


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


def pack(code: CodeType, functions: int, stamp: Stamp) -> bytes:
    """Return an entry: of which Python, how many functions, of which source, and the code."""
    head = MAGIC + functions.to_bytes(4, "little") + stamp.bytes()
    return head + marshal.dumps(code)


def unpack(content: bytes | None, stamp: Stamp) -> tuple[int, CodeType] | None:
    """Return how many functions are instrumented, and the code; None if it is of another source."""
    if not content or content[:4] != MAGIC or content[8:_HEADER] != stamp.bytes():
        return None
    code = marshal.loads(memoryview(content)[_HEADER:])
    return int.from_bytes(content[4:8], "little"), code
