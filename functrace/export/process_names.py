"""Names and ids of processes and tracks in exports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any, Protocol

from functrace.tracefile import Trace, Track
from functrace.tracefile.facts import encodable


class Recorded(Protocol):
    """Metadata of a process, from a complete trace or from one that is being recorded."""

    @property
    def path(self) -> Path:
        """The path of the trace."""

    @property
    def pid(self) -> int:
        """The process id."""

    @property
    def language(self) -> str:
        """``go``, ``python`` or ``unknown``."""

    @property
    def started(self) -> int:
        """The start of its trace: nanoseconds since 1970-01-01 UTC."""

    @property
    def process(self) -> dict[str, Any]:
        """The process facts defined in docs/trace-format.md."""


def arguments(recorded: Recorded) -> list[str]:
    """Return the command line, empty if the trace does not contain it."""
    argv = recorded.process.get("argv")
    return [str(argument) for argument in argv] if isinstance(argv, list) else []


def name(recorded: Recorded) -> str:
    """Return the program's base name, or the trace's if the command line is unknown."""
    argv = arguments(recorded)
    return PurePath(argv[0]).name if argv and argv[0] else encodable(recorded.path.stem)


def title(trace: Trace) -> str:
    """Return the program's name and the process id."""
    return f"{name(trace)} {trace.pid}"


def track_name(track: Track) -> str:
    """Return a track's kind, id and name, if it has one."""
    kind = "track" if track.kind == "unknown" else track.kind
    return f"{kind} {track.id} {track.name}".rstrip()


def distinct_pids(traces: Sequence[Trace]) -> list[int]:
    """Return unique process ids; equal ids, as from several containers, are changed.

    They are below 2^31, since some formats use signed 32-bit numbers.
    """
    used: list[int] = []
    for trace in traces:
        pid = trace.pid & 0x3FFFFF
        while pid in used:
            pid += 1 << 22
        used.append(pid)
    return used
