"""Resolution of path arguments to trace files."""

from __future__ import annotations

from pathlib import Path

from functrace.errors import FunctraceError
from functrace.tracefile import format as fmt


def find_trace_files(path: Path) -> list[Path]:
    """Return the ``*.ftrace`` files of a folder, sorted by name; a path that is no folder alone.

    Raises:
        FunctraceError: the folder contains no trace.
    """
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.ftrace"))
    if not files:
        raise FunctraceError(f"{path}: no traces (*.ftrace) in this folder")
    return files


def has_traces(path: Path) -> bool:
    """Return whether a path is a trace, by its first bytes, or a folder that contains traces."""
    if path.is_dir():
        return any(path.glob("*.ftrace"))
    try:
        with path.open("rb") as file:
            return file.read(len(fmt.MAGIC)) == fmt.MAGIC
    except OSError:
        return False
