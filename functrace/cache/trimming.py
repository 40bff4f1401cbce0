"""Cache size limit, enforced by deleting the least recently used entries."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

MAX_BYTES = 512 << 20
_DAY = 24 * 60 * 60
_TRIMMED = "trimmed"


def trim(folder: str, limit: int = MAX_BYTES, *, every: float = _DAY) -> None:
    """Delete the least recently used entries until ``limit`` bytes remain; at most once a day."""
    if not folder:
        return
    mark = Path(folder) / _TRIMMED
    with contextlib.suppress(OSError):
        if mark.exists() and time.time() - mark.stat().st_mtime < every:
            return
        mark.parent.mkdir(0o700, parents=True, exist_ok=True)
        mark.touch(0o600)
        _trim(Path(folder), limit)


def _trim(folder: Path, limit: int) -> None:
    entries = [
        (entry.stat(), entry.path)
        for shard in os.scandir(folder)
        if shard.is_dir(follow_symlinks=False)
        for entry in os.scandir(shard)
        if entry.is_file(follow_symlinks=False)
    ]
    size = sum(stat.st_size for stat, _ in entries)
    for stat, path in sorted(entries, key=lambda e: e[0].st_mtime):
        if size <= limit:
            return
        with contextlib.suppress(OSError):
            os.unlink(path)
            size -= stat.st_size
