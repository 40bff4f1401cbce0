"""Output paths of the traces of a run."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from functrace.errors import FunctraceError


@dataclass(frozen=True)
class Destination:
    """A directory with one trace per process, or a file; other processes write beside the file.

    ``%p`` in a file name stands for the process id.
    """

    path: Path
    is_file: bool
    existing: frozenset[Path] = frozenset()
    """traces that existed before the run"""

    @property
    def pattern(self) -> str:
        """The value of FUNCTRACE_OUT: the runtime replaces %p by the process id."""
        path = str(self.path.absolute()).replace("%", "%%")
        if not self.is_file:
            return f"{path}/%p.ftrace"
        folder, name = os.path.split(path)
        return os.path.join(folder, name.replace("%%p", "%p"))

    def traces(self) -> list[Path]:
        """Return the traces that the run wrote; their paths begin with ``path``'s directory."""
        return sorted(set(_traces(self.path, self.is_file)) - self.existing)


@contextlib.contextmanager
def destination(out: str | None, program: str, now: datetime) -> Iterator[Destination]:
    """Yield the destination of new traces; remove a directory that was created and stays empty.

    Raises:
        FunctraceError: the trace exists, or the directory is a file.
    """
    path = Path(out) if out else _unused(f"functrace-{Path(program).name}-{now:%Y%m%d-%H%M%S}")
    is_file = path.suffix == ".ftrace"
    if is_file and path.exists():
        raise FunctraceError(f"{path} already exists; choose another name with -o")
    folder = path.parent if is_file else path
    if folder.exists() and not folder.is_dir():
        raise FunctraceError(f"-o {out}: neither a directory nor a new file NAME.ftrace")
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield Destination(path, is_file, frozenset(_traces(path, is_file)))
    finally:
        if made:
            with contextlib.suppress(OSError):  # not empty
                folder.rmdir()


def _unused(name: str) -> Path:
    """Return ``name``, with a number appended if it exists."""
    path, number = Path(name), 2
    while path.exists():
        path, number = Path(f"{name}-{number}"), number + 1
    return path


def _traces(path: Path, is_file: bool) -> Iterator[Path]:
    if not is_file:
        yield from path.glob("*.ftrace")
        return
    name = "\\d+".join(map(re.escape, path.stem.split("%p")))
    is_ours = re.compile(
        rf"{name}(-\d+)?"
    ).fullmatch  # the runtime appends a number if the name exists
    yield from (near for near in path.parent.glob("*.ftrace") if is_ours(near.stem))
