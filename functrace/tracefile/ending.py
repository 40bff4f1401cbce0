"""Exit status of a traced process, and detection of processes that are still running."""

from __future__ import annotations

import os
import signal
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functrace.tracefile import format as fmt

_START_TICKS = 19  # index in /proc/PID/stat, counted after the parenthesized name


@dataclass(frozen=True)
class Ending:
    """End of a process as its parent observed it.

    Attributes:
        exit_status: exit status; None if a signal killed the process.
        signal: number of the signal that killed the process; None if it exited.
    """

    exit_status: int | None
    signal: int | None

    def __str__(self) -> str:
        """Return the ending in the words of functrace record."""
        if self.signal is None:
            return f"exit status {self.exit_status}"
        try:
            return f"killed by {signal.Signals(self.signal).name}"
        except ValueError:
            return f"killed by signal {self.signal}"


def read_ending(data: memoryview, flags: int) -> Ending | None:
    """Return the ending from the header, or None if it is not recorded."""
    if not flags & fmt.END_KNOWN:
        return None
    kind, number = fmt.ENDING.unpack_from(data, fmt.ENDING_AT)
    return Ending(number, None) if kind == fmt.EXITED else Ending(None, number)


def write_ending(path: Path, pid: int, ending: Ending) -> None:
    """Write the ending of a process to its trace; leave the file unchanged if it is any other.

    Raises:
        OSError: the file cannot be written.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        head = os.pread(descriptor, fmt.HEADER.size, 0)
        if len(head) < fmt.HEADER.size or os.fstat(descriptor).st_size < fmt.HEADER_BYTES:
            return
        magic, version, _, recorded, *_, flags, _ = fmt.HEADER.unpack(head)
        is_trace = magic == fmt.MAGIC and version in fmt.VERSIONS
        if not is_trace or recorded != pid:
            return
        is_exit = ending.signal is None
        kind = fmt.EXITED if is_exit else fmt.KILLED
        number = ending.exit_status if is_exit else ending.signal
        os.pwrite(descriptor, fmt.ENDING.pack(kind, number), fmt.ENDING_AT)
        os.pwrite(descriptor, struct.pack("<Q", flags | fmt.END_KNOWN), fmt.FLAGS_AT)
    finally:
        os.close(descriptor)


def is_running(pid: int, process: dict[str, Any]) -> bool | None:
    """Return whether a recorded process is still running; None if that cannot be determined.

    A process id is valid only in its pid namespace, and only with the start time of the process,
    because ids are reused.
    """
    namespace, ticks = process.get("pid_namespace"), process.get("start_ticks")
    if process.get("host") != socket.gethostname() or not namespace or not ticks:
        return None
    try:
        if str(Path("/proc/self/ns/pid").readlink()) != namespace:
            return None
        return start_ticks_of(pid) == int(ticks)
    except OSError:
        return None


def start_ticks_of(pid: int) -> int | None:
    """Return the start of a running process, field 22 of /proc/PID/stat; None if it has ended.

    Raises:
        OSError: that cannot be determined.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[_START_TICKS])
