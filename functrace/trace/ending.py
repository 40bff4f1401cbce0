"""How a traced process ended, and whether one of which the trace does not say so still runs."""

from __future__ import annotations

import os
import signal
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functrace.trace import format as fmt

_START_TICKS = 19  # index in /proc/PID/stat, behind the name and its parenthesis


@dataclass(frozen=True)
class Ending:
    """The end of a process, as its parent saw it.

    Attributes:
        exit_status: of a process that exited; else None.
        signal: the number of the signal that ended it; else None.
    """

    exit_status: int | None
    signal: int | None

    def __str__(self) -> str:
        """As functrace record says it."""
        if self.signal is None:
            return f"exit status {self.exit_status}"
        try:
            return f"killed by {signal.Signals(self.signal).name}"
        except ValueError:
            return f"killed by signal {self.signal}"


def read_ending(data: memoryview, flags: int) -> Ending | None:
    """Return what the header says of the end, or None."""
    if not flags & fmt.END_KNOWN:
        return None
    kind, number = fmt.ENDING.unpack_from(data, fmt.ENDING_AT)
    return Ending(number, None) if kind == fmt.EXITED else Ending(None, number)


def write_ending(path: Path, pid: int, ending: Ending) -> None:
    """Write the end of a process that has ended into its trace; leave any other file alone.

    Raises:
        OSError: it cannot be written.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        head = os.pread(descriptor, fmt.HEADER.size, 0)
        if len(head) < fmt.HEADER.size or os.fstat(descriptor).st_size < fmt.HEADER_BYTES:
            return
        magic, version, _, recorded, *_, flags, _ = fmt.HEADER.unpack(head)
        if (magic, version, recorded) != (fmt.MAGIC, fmt.VERSION, pid):
            return
        is_exit = ending.signal is None
        kind = fmt.EXITED if is_exit else fmt.KILLED
        number = ending.exit_status if is_exit else ending.signal
        os.pwrite(descriptor, fmt.ENDING.pack(kind, number), fmt.ENDING_AT)
        os.pwrite(descriptor, struct.pack("<Q", flags | fmt.END_KNOWN), fmt.FLAGS_AT)
    finally:
        os.close(descriptor)


def is_running(pid: int, process: dict[str, Any]) -> bool | None:
    """Return whether a recorded process still runs; None where that cannot be found out.

    Its id counts only in the namespace that it was given in, and only with the instant at which
    that process started: ids are given again.
    """
    namespace, ticks = process.get("pid_namespace"), process.get("start_ticks")
    if process.get("host") != socket.gethostname() or not namespace or not ticks:
        return None
    try:
        if str(Path("/proc/self/ns/pid").readlink()) != namespace:
            return None
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except FileNotFoundError:
        return False
    except OSError:
        return None
    is_dead = fields[0] in (b"Z", b"X")
    return not is_dead and int(fields[_START_TICKS]) == ticks
