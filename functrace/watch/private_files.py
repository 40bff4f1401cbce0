"""Files that appear complete or not at all, and that other users cannot read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from functrace.watch.bundle_names import partial


@contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing under a temporary name; rename it if the block succeeds."""
    temporary = partial(path)
    temporary.unlink(missing_ok=True)
    try:
        with open(temporary, "xb", opener=_open_private) as file:
            yield file
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_file(path: Path, content: bytes | memoryview) -> None:
    """Write a file."""
    with open_file(path) as file:
        file.write(content)


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON."""
    write_file(path, f"{json.dumps(value, indent=2)}\n".encode())


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
