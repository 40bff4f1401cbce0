"""Entries of a cache: a file for each key, which is as good as absent once it is damaged.

A digest of key and content ends the file. It is at the end because Python itself runs some of these
files, as bytecode, and ignores what follows the code. The digest is SipHash, which every Python
has built in: to load hashlib takes longer than to check 500 modules.
"""

from __future__ import annotations

import _imp
import _io
import sys

from functrace.cache.folders import make_private
from functrace.runtime.system import os, time

_SIZE = 8
_DAY = 24 * 60 * 60
# Python 3.10 has another SipHash than newer ones, and would take their entries for damaged.
_ALGORITHM = sys.hash_info.algorithm


def path(folder: str, key: str) -> str:
    """Return where the entry for ``key`` is, or would be."""
    return os.path.join(folder, key[:2], f"{_ALGORITHM}-{key}")


def drop(folder: str, key: str) -> None:
    """Remove an entry, if there is one."""
    try:
        os.unlink(path(folder, key))
    except OSError:
        return


def read(folder: str, key: str) -> bytes | None:
    """Return the content, or None if there is no such entry or it is damaged."""
    if not folder:
        return None
    try:
        # At a start, buffers cost more than they give.
        with _io.FileIO(path(folder, key), opener=_open) as opened:
            if time.time() - os.fstat(opened.fileno()).st_mtime > _DAY:
                os.utime(opened.fileno())  # it is in use
            whole = opened.readall()
    except OSError:
        return None
    content = whole[:-_SIZE]
    return content if _digest(key, content) == whole[-_SIZE:] else None


def put(folder: str, key: str, content: bytes) -> bool:
    """Keep ``content`` if that is possible; return whether it was."""
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
        os.fchmod(descriptor, 0o600)  # whatever the umask has removed
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    except OSError:
        os.unlink(file)
        raise
    finally:
        os.close(descriptor)
