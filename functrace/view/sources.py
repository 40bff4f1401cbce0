"""Reading of the source files that a trace names.

A trace is not trusted: it may name any file. Only regular files are read whose own names, once
links are followed, end as sources do, and which are not larger: no device or pipe is read, and no
key or password that is kept under another name.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

_MAX_BYTES = 4_000_000
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW
_SUFFIXES = (".go", ".py", ".pyw", ".pyi", ".pyx", ".s")


@dataclass(frozen=True)
class SourceFile:
    """Content of a source file."""

    lines: list[str]
    modified_ns: int
    """time of its last change: nanoseconds since 1970-01-01 UTC"""


def read_source(name: str) -> SourceFile | None:
    """Return a source file that a trace names; None if it is not there or must not be read."""
    try:
        path = os.path.realpath(name)  # a link may name a file of another kind
        if not path.endswith(_SUFFIXES) or name.endswith("/"):
            return None
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError):  # there is none, or no file can have this name
        return None
    with open(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > _MAX_BYTES:
            return None
        text = file.read(_MAX_BYTES).decode("utf-8", "replace")
    return SourceFile(text.split("\n"), facts.st_mtime_ns)
