"""Where FUNCTRACE_OUT leads: a stream, a file, or a folder for traces."""

from __future__ import annotations

import stat

from functrace.runtime import BUILTINS
from functrace.runtime.system import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

globals()["__builtins__"] = BUILTINS

_DEFAULT_TRACE = "functrace-%p.ftrace"
_NAMES = {"": 1, "stdout": 1, "stderr": 2}
_DESCRIPTORS = ("/dev/fd", "/proc/self/fd")
_MAX_LINKS = 40


def expand_path(path: str) -> str:
    """Return ``path`` with the process id for ``%p``."""
    return "%".join(part.replace("%p", str(os.getpid())) for part in path.split("%%"))


def stream_number(out: str) -> int | None:
    """Return the descriptor that ``out`` stands for, by a name or by a link; None for a file."""
    return _NAMES[out] if out in _NAMES else descriptor_of(out)


def descriptor_of(path: str) -> int | None:
    """Return the descriptor that a path such as /dev/stdout leads to; None for any other path."""
    for _ in range(_MAX_LINKS):
        folder, name = os.path.split(path)
        if folder in _DESCRIPTORS and name.isascii() and name.isdigit():
            return int(name)
        try:
            path = os.path.join(folder, os.readlink(path))  # /dev/stdout is one, too
        except OSError:
            return None
    return None


def trace_paths(out: str, folder: str) -> Iterator[str]:
    """Yield the paths to try for a trace, one after the other; the folder of the first is made.

    Args:
        out: as FUNCTRACE_OUT has it.
        folder: what a relative path is relative to; empty for the current folder.

    Raises:
        ValueError: ``out`` is not for a trace.
        OSError: its folder cannot be made.
    """
    if out and stream_number(out) is not None:
        raise ValueError(f"FUNCTRACE_OUT: a trace goes to a file, not to {out}")
    path = os.path.join(folder, expand_path(out or _DEFAULT_TRACE))
    make_folder(path)
    if os.path.isdir(path):
        path = os.path.join(path, expand_path(_DEFAULT_TRACE))
    elif is_special(path):
        raise ValueError(f"FUNCTRACE_OUT: a trace goes to a regular file, which {out} is not")
    yield path
    stem, extension = os.path.splitext(path)
    for number in range(2, 1 << 16):
        yield f"{stem}-{number}{extension}"


def make_folder(path: str) -> None:
    """Make the folder that a file is to be in, and those above it. Raises OSError."""
    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, exist_ok=True)


def is_special(path: str) -> bool:
    """Return whether there is something else than a regular file: a device, a pipe, a socket."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False
