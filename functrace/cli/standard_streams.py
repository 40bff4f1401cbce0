"""Standard streams that are closed, on a full disk, or a pipe without a reader."""

from __future__ import annotations

import os
import sys

# Replacements for closed streams. Using one fails, except for standard error.
_STREAMS = (("stdin", "r", os.O_WRONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_WRONLY))


def prepare() -> None:
    """Open the closed streams so that no file gets their descriptors; children find them closed."""
    for descriptor, (name, mode, flags) in enumerate(_STREAMS):
        if not _is_open(descriptor):
            os.open(os.devnull, flags)
            stream = open(descriptor, mode, closefd=False)  # noqa: SIM115  for as long as we run
            setattr(sys, name, stream)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def flush() -> None:
    """Flush standard output and standard error.

    Raises:
        OSError: a stream cannot be written.
    """
    sys.stdout.flush()
    sys.stderr.flush()


def describe(error: OSError) -> str:
    """Return the error's message, with the file or stream in front if it is known."""
    text = str(error.strerror or error)
    if error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {text}"
    try:
        sys.stdout.flush()
    except OSError:  # flush retries the failed write
        return f"standard output: {text}"
    return text


def discard_output() -> None:
    """Discard buffered output: Python would try to write it again at exit, and report an error."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(null, stream.fileno())
