"""Memory limit of a service: a cgroup where one can be made, otherwise a watcher that kills."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_PERIOD_S = 0.05


class MemoryLimit:
    """Limit of the memory of one process at a time.

    Attributes:
        kind: "cgroup", or "kill" if this script kills the process at the limit itself.
    """

    def __init__(self, name: str, size_bytes: int) -> None:
        self._size_bytes = size_bytes
        self._group = _make_group(f"functrace-{name}-{os.getpid()}", size_bytes)
        self.kind = "cgroup" if self._group else "kill"

    def start(self, command: list[str], **options: object) -> subprocess.Popen[str]:
        """Start a program below the limit."""
        if self._group is None:
            process = subprocess.Popen(command, text=True, **options)  # type: ignore[call-overload]
            threading.Thread(target=self._watch, args=(process,), daemon=True).start()
            return process
        enter = f'echo $$ > "{self._group}/cgroup.procs" && exec "$@"'
        command = ["sh", "-c", enter, "sh", *command]
        return subprocess.Popen(command, text=True, **options)  # type: ignore[call-overload]

    def remove(self) -> None:
        """Remove the limit once its process has ended."""
        if self._group is not None:
            with contextlib.suppress(OSError):
                self._group.rmdir()

    def _watch(self, process: subprocess.Popen[str]) -> None:
        while process.poll() is None:
            if _resident_bytes(process.pid) > self._size_bytes:
                process.kill()
            time.sleep(_PERIOD_S)


def _make_group(name: str, size_bytes: int) -> Path | None:
    """Return a new cgroup with the limit, of version 2 or 1; None if that is not possible."""
    for parent, limit in ((_ROOT, "memory.max"), (_ROOT / "memory", "memory.limit_in_bytes")):
        group = parent / name
        try:
            if limit == "memory.max" and not (parent / "cgroup.subtree_control").exists():
                continue
            group.mkdir()
            (group / limit).write_text(str(size_bytes))
        except OSError:
            with contextlib.suppress(OSError):
                group.rmdir()
            continue
        return group
    return None


def _resident_bytes(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
