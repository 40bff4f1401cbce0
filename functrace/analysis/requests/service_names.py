"""Names of the services that processes belong to."""

from __future__ import annotations

from pathlib import PurePath

from functrace.tracefile import Trace

_MAX_LENGTH = 200


def service_name(trace: Trace) -> str:
    """Return FUNCTRACE_SERVICE or OTEL_SERVICE_NAME of the process, else its program's name."""
    argv = trace.process.get("argv")
    program = argv[0] if isinstance(argv, list) and argv else ""
    name = PurePath(program).name if isinstance(program, str) else ""
    return (trace.service or name or trace.path.stem)[:_MAX_LENGTH]


def host_name(trace: Trace) -> str:
    """Return the name of the host that the process ran on; empty if it is unknown."""
    host = trace.process.get("host")
    return host if isinstance(host, str) else ""
