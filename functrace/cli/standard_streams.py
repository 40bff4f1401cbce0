"""Standard streams as they may be: closed, on a full disk, read by nobody any more."""

from __future__ import annotations

import os
import sys

# What is opened in the place of a closed one: it fails when it is used, but for standard error.
_STREAMS = (("stdin", "r", os.O_WRONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_WRONLY))


def prepare() -> None:
    """Open the closed ones, so that no file gets their numbers; programs find them closed."""
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
    """Write what is to be written. Raises OSError."""
    sys.stdout.flush()
    sys.stderr.flush()


def reason(error: OSError) -> str:
    """What went wrong, and with which file."""
    said = str(error.strerror or error)
    if error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {said}"
    try:
        sys.stdout.flush()
    except OSError:  # what was not written is tried again
        return f"standard output: {said}"
    return said


def let_go() -> None:
    """Forget what cannot be written: Python would try again at its end, and complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
