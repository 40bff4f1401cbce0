"""What the process of a trace is called."""

from __future__ import annotations

from pathlib import PurePath

from functrace.trace import Trace


def arguments(trace: Trace) -> list[str]:
    """The command line, as far as the trace tells it."""
    argv = trace.process.get("argv")
    return [str(argument) for argument in argv] if isinstance(argv, list) else []


def name(trace: Trace) -> str:
    """The program's name without its folder; the trace's own where it does not tell."""
    argv = arguments(trace)
    return PurePath(argv[0]).name if argv and argv[0] else trace.path.stem


def title(trace: Trace) -> str:
    """The program's name and the process id, to tell several processes apart."""
    return f"{name(trace)} {trace.pid}"
