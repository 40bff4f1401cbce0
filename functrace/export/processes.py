"""What the process of a trace is called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any, Protocol

from functrace.trace import Trace, Track
from functrace.trace.facts import encodable


class Recorded(Protocol):
    """Whose calls are told: what a trace says of it, or what one says that is still recorded."""

    @property
    def path(self) -> Path:
        """Of the trace."""

    @property
    def pid(self) -> int:
        """Its id."""

    @property
    def language(self) -> str:
        """go, python or unknown."""

    @property
    def started(self) -> int:
        """When its trace began: nanoseconds since 1970-01-01 UTC."""

    @property
    def process(self) -> dict[str, Any]:
        """The facts of docs/trace-format.md."""


def arguments(recorded: Recorded) -> list[str]:
    """The command line, as far as the trace tells it."""
    argv = recorded.process.get("argv")
    return [str(argument) for argument in argv] if isinstance(argv, list) else []


def name(recorded: Recorded) -> str:
    """The program's name without its folder; the trace's own where it does not tell."""
    argv = arguments(recorded)
    return PurePath(argv[0]).name if argv and argv[0] else encodable(recorded.path.stem)


def title(trace: Trace) -> str:
    """The program's name and the process id, to tell several processes apart."""
    return f"{name(trace)} {trace.pid}"


def track_name(track: Track) -> str:
    """What a track is, its id, and its name if it has one."""
    kind = "track" if track.kind == "unknown" else track.kind
    return f"{kind} {track.id} {track.name}".rstrip()


def distinct_pids(traces: Sequence[Trace]) -> list[int]:
    """An id for each process: its own, if no process before, of another container, had that.

    They are below 2^31, as formats with signed numbers of 32 bits want them.
    """
    taken: list[int] = []
    for trace in traces:
        pid = trace.pid & 0x3FFFFF
        while pid in taken:
            pid += 1 << 22
        taken.append(pid)
    return taken
