"""Cache entries: one file per key, with a digest of key and content at the end.

A damaged entry is treated as absent. The digest is at the end because Python itself runs some of
these files as bytecode and ignores what follows the code. The digest is SipHash, which is built
into every Python: loading hashlib takes longer than checking 500 modules.
"""

from __future__ import annotations

import _imp
import _io
import sys

from functrace.cache.folders import make_private
from functrace.runtime.system import os, time

_SIZE = 8
_DAY = 24 * 60 * 60
# Python 3.10 uses a different SipHash from newer versions and would consider their entries damaged.
_ALGORITHM = sys.hash_info.algorithm


def path(folder: str, key: str) -> str:
    """Return the path of the entry for ``key``, whether or not it exists."""
    return os.path.join(folder, key[:2], f"{_ALGORITHM}-{key}")


def remove(folder: str, key: str) -> None:
    """Remove an entry if it exists."""
    try:
        os.unlink(path(folder, key))
    except OSError:
        return


def read(folder: str, key: str) -> bytes | None:
    """Return the content, or None if the entry is missing or damaged."""
    if not folder:
        return None
    try:
        # Unbuffered: at startup a buffer costs more than it saves.
        with _io.FileIO(path(folder, key), opener=_open) as opened:
            if time.time() - os.fstat(opened.fileno()).st_mtime > _DAY:
                os.utime(opened.fileno())  # trimming deletes the least recently used entries
            whole = opened.readall()
    except OSError:
        return None
    content = whole[:-_SIZE]
    return content if _digest(key, content) == whole[-_SIZE:] else None


def put(folder: str, key: str, content: bytes) -> bool:
    """Write an entry; return whether that succeeded."""
    if not folder:
        return False
    file = path(folder, key)
    temporary = f"{file}.{os.getpid()}.tmp"
    try:
        make_private(os.path.dirname(file))
        _write(temporary, content + _digest(key, content))
        os.replace(temporary, file)
    except OSError:
        return False
    return True


def _digest(key: str, content: bytes) -> bytes:
    seed = int.from_bytes(_imp.source_hash(0, key.encode())[:4], "little", signed=True)
    return _imp.source_hash(seed, content)


def _open(file: str, flags: int) -> int:
    return os.open(file, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)


def _write(file: str, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(file, flags, 0o600)
    try:
        os.fchmod(descriptor, 0o600)  # the umask may have removed bits
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    except OSError:
        os.unlink(file)
        raise
    finally:
        os.close(descriptor)
