"""Resolution of arguments that name traces: files, folders, process ids and program names."""

from __future__ import annotations

from pathlib import Path

from functrace.errors import FunctraceError
from functrace.tracefile import format as fmt
from functrace.tracefile.reader import Trace, open_trace
from functrace.tracefile.ring_copy import copy_ring
from functrace.tracefile.rings import find_ring, find_rings, is_in_ring_folder


def find_trace_files(argument: str) -> list[Path]:
    """Return the trace files that an argument names.

    A file stands for itself, a folder for its ``*.ftrace`` files, sorted by name, and the id or
    name of a process for its ring.

    Raises:
        FunctraceError: the folder contains no trace, or the process has no ring or several.
    """
    path = Path(argument)
    if _may_be_process(argument) and (not path.exists() or find_rings(argument)):
        return [find_ring(argument).path]
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.ftrace"))
    if not files:
        raise FunctraceError(f"{path}: no traces (*.ftrace) in this folder")
    return files


def is_trace_argument(argument: str) -> bool:
    """Return whether an argument names an existing file or folder, or a process with a ring."""
    if Path(argument).exists():
        return True
    return _may_be_process(argument) and bool(find_rings(argument))


def open_trace_file(path: Path) -> Trace:
    """Open a trace; if it may be the ring of a running program, a copy of its contents.

    Raises:
        FunctraceError: the file is not a trace or cannot be read.
    """
    return open_trace(path, copy_ring(path) if is_in_ring_folder(path) else None)


def _may_be_process(argument: str) -> bool:
    """Return whether an argument may be a program: also one whose own file or folder is here."""
    return (
        "/" not in argument and not argument.endswith(".ftrace") and not _has_traces(Path(argument))
    )


def _has_traces(path: Path) -> bool:
    """Return whether a path is a trace, by its first bytes, or a folder that contains traces."""
    if path.is_dir():
        return any(path.glob("*.ftrace"))
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(fmt.MAGIC)) == fmt.MAGIC
    except OSError:
        return False
