"""Names and ids of processes and tracks in exports."""

from __future__ import annotations

from collections.abc import Sequence

from functrace.tracefile import Trace, Track
from functrace.tracefile.programs import program_name


def title(trace: Trace) -> str:
    """Return the program's name and the process id."""
    return f"{program_name(trace)} {trace.pid}"


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
