"""Resolution of path arguments to trace files."""

from __future__ import annotations

from pathlib import Path

from functrace.errors import FunctraceError


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
