"""Anonymous files that a restarted interpreter reads in place of a pipe."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # importing typing would slow every program's start
if TYPE_CHECKING:
    from typing import BinaryIO


def replace(number: int, content: bytes) -> None:
    """Replace the file of a descriptor by one with the content, at its beginning."""
    with _new() as file:
        file.write(content)
        file.seek(0)
        os.dup2(file.fileno(), number)


def inherited(content: bytes) -> int:
    """Return a descriptor, which a program inherits, of a file with the content."""
    with _new() as file:
        file.write(content)
        file.seek(0)
        number = os.dup(file.fileno())
    os.set_inheritable(number, True)
    return number


def _new() -> BinaryIO:
    """Return an anonymous file, in memory where possible since the disk may be full."""
    if sys.platform == "linux":
        return open(os.memfd_create("stdin"), "w+b")
    import tempfile

    return tempfile.TemporaryFile()
