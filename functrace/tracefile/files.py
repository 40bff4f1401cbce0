"""Resolution of arguments that name traces: files, folders, process ids and program names."""

from __future__ import annotations

from pathlib import Path

from functrace.errors import FunctraceError
from functrace.tracefile import format as fmt
from functrace.tracefile.archive import is_archive, read_archive
from functrace.tracefile.ending import start_ticks_of
from functrace.tracefile.header import parse_header
from functrace.tracefile.reader import Trace, open_trace
from functrace.tracefile.ring_copy import copy_ring
from functrace.tracefile.rings import find_ring, find_rings, is_in_ring_folder


def find_trace_files(argument: str) -> list[Path]:
    """Return the trace files that an argument names.

    A file stands for itself, also a bundle's zip file, a folder for its ``*.ftrace`` files, sorted
    by name, and the id or name of a process for its ring.

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
    """Open a trace, or that in a bundle's zip file.

    If a running program may be overwriting the trace, a copy of its contents is opened.

    Raises:
        FunctraceError: the file is not a trace or cannot be read.
    """
    if is_archive(path):
        return open_trace(path, read_archive(path))
    return open_trace(path, copy_ring(path) if _may_be_overwritten(path) else None)


def _may_be_overwritten(path: Path) -> bool:
    """Return whether a trace overwrites old calls, and its program may still run."""
    try:
        with path.open("rb") as file:
            head = memoryview(file.read(fmt.HEADER_BYTES))
        header = parse_header(path, head)
    except (OSError, FunctraceError):
        return False  # open_trace reports it
    has_ended = header.flags & fmt.ENDED_CLEANLY or header.ending is not None
    if has_ended or not header.is_overwriting:
        return False
    return is_in_ring_folder(path) or _has_process(header.pid)


def _has_process(pid: int) -> bool:
    try:
        return start_ticks_of(pid) is not None
    except OSError:
        return False


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
