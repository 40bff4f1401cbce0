"""Cache format of compiled modules: a ``.pyc`` file that also counts instrumented functions."""

from __future__ import annotations

import _imp
import marshal
from _frozen_importlib_external import MAGIC_NUMBER

TYPE_CHECKING = False  # importing types would slow every program's start
if TYPE_CHECKING:
    from types import CodeType

MAGIC: bytes = MAGIC_NUMBER
_HEADER = 4 + 4 + 8 + 8


def digest(text: str) -> str:
    """Return a 128-bit digest of ``text`` in hexadecimal digits."""
    # Not hashlib: the program may not have loaded it.
    raw = text.encode("utf-8", "surrogatepass")
    return (_imp.source_hash(1, raw) + _imp.source_hash(2, raw)).hex()


class Stamp:
    """Modification time and size of a source, which detect changes since it was compiled."""

    def __init__(self, mtime: float, size: int) -> None:
        self.mtime = int(mtime * 1_000_000)
        self.size = size

    def bytes(self) -> bytes:
        """Return both as 16 bytes."""
        low = (1 << 64) - 1
        return (self.mtime & low).to_bytes(8, "little") + (self.size & low).to_bytes(8, "little")


def pack(code: CodeType, functions: int, stamp: Stamp) -> bytes:
    """Return an entry: Python's magic number, function count, source stamp and code."""
    head = MAGIC + functions.to_bytes(4, "little") + stamp.bytes()
    return head + marshal.dumps(code)


def unpack(content: bytes | None, stamp: Stamp) -> tuple[int, CodeType] | None:
    """Return the count of instrumented functions and the code; None if the entry is outdated."""
    if not content or content[:4] != MAGIC or content[8:_HEADER] != stamp.bytes():
        return None
    code = marshal.loads(memoryview(content)[_HEADER:])
    return int.from_bytes(content[4:8], "little"), code
