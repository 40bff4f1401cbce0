"""Output of a traced program: resolve FUNCTRACE_OUT to a stream or a file."""

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
    """Return ``path`` with ``%p`` replaced by the process id."""
    return "%".join(part.replace("%p", str(os.getpid())) for part in path.split("%%"))


def stream_number(out: str) -> int | None:
    """Return the descriptor that ``out`` names, directly or through a link; None for a file."""
    return _NAMES[out] if out in _NAMES else descriptor_of(out)


def descriptor_of(path: str) -> int | None:
    """Return the descriptor that a path such as /dev/stdout resolves to; None for other paths."""
    for _ in range(_MAX_LINKS):
        folder, name = os.path.split(path)
        if folder in _DESCRIPTORS and name.isascii() and name.isdigit():
            return int(name)
        try:
            path = os.path.join(folder, os.readlink(path))  # /dev/stdout is a link, too
        except OSError:
            return None
    return None


def trace_paths(out: str, folder: str) -> Iterator[str]:
    """Yield candidate paths for a trace, after creating the directory of the first one.

    Args:
        out: the value of FUNCTRACE_OUT.
        folder: the base of a relative path; empty for the current directory.

    Raises:
        ValueError: ``out`` is not a file.
        OSError: its directory cannot be created.
    """
    if out and stream_number(out) is not None:
        raise ValueError(f"FUNCTRACE_OUT: a trace requires a file, but {out} is a stream")
    path = os.path.join(folder, expand_path(out or _DEFAULT_TRACE))
    make_folder(path)
    if os.path.isdir(path):
        path = os.path.join(path, expand_path(_DEFAULT_TRACE))
    elif is_special(path):
        raise ValueError(
            f"FUNCTRACE_OUT: a trace requires a file, but {path} is a pipe or a device"
        )
    yield path
    stem, extension = os.path.splitext(path)
    for number in range(2, 1 << 16):
        yield f"{stem}-{number}{extension}"


def make_folder(path: str) -> None:
    """Create the parent directories of a file. Raises OSError."""
    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, exist_ok=True)


def is_special(path: str) -> bool:
    """Return whether the path exists and is not a regular file (a device, pipe or socket)."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False
