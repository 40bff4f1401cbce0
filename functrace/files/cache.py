"""Files kept between runs in a folder of a cache: by key, and within bounds."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from functrace.files.write import write_atomic

MAX_BYTES = 512 << 20
_DAY = 24 * 60 * 60
_TRIMMED = "trimmed"


class Cache:
    """Contents by key, a hexadecimal digest, below one folder.

    What cannot be written is not kept; that costs time and nothing else.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def path(self, key: str) -> str:
        """Where the content with this key is, or would be."""
        return os.path.join(self._folder, key[:2], key)

    def get(self, key: str) -> bytes | None:
        """The content, or None."""
        try:
            with open(self.path(key), "rb") as file:
                if time.time() - os.fstat(file.fileno()).st_mtime > _DAY:
                    os.utime(file.fileno())  # it is in use
                return file.read()
        except OSError:
            return None

    def put(self, key: str, content: bytes) -> None:
        """Keep ``content``."""
        path = self.path(key)
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write_atomic(path, content, durable=False)

    def trim(self, limit: int = MAX_BYTES, *, every: float = _DAY) -> None:
        """Delete what was longest unused, beyond ``limit`` bytes; at most once a day."""
        mark = Path(self._folder) / _TRIMMED
        with contextlib.suppress(OSError):
            if mark.exists() and time.time() - mark.stat().st_mtime < every:
                return
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
            _trim(Path(self._folder), limit)


def _trim(folder: Path, limit: int) -> None:
    entries = [
        (entry.stat(), entry.path)
        for shard in os.scandir(folder)
        if shard.is_dir()
        for entry in os.scandir(shard)
    ]
    size = sum(stat.st_size for stat, _ in entries)
    for stat, path in sorted(entries, key=lambda e: e[0].st_mtime):
        if size <= limit:
            return
        with contextlib.suppress(OSError):
            os.unlink(path)
            size -= stat.st_size
