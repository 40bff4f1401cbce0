"""Where the traces of a run go, and which they were in the end."""

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
    """A folder with a trace for each process, or a file, other processes' traces beside it.

    In a file's name ``%p`` stands for the process id.
    """

    path: Path
    is_file: bool
    before: frozenset[Path] = frozenset()
    """traces that were there"""

    @property
    def pattern(self) -> str:
        """As the runtime takes it in FUNCTRACE_OUT: %p becomes the process id."""
        path = str(self.path.absolute()).replace("%", "%%")
        if not self.is_file:
            return f"{path}/%p.ftrace"
        folder, name = os.path.split(path)
        return os.path.join(folder, name.replace("%%p", "%p"))

    def traces(self) -> list[Path]:
        """What the run left, a folder's own name in front."""
        return sorted(set(_traces(self.path, self.is_file)) - self.before)


@contextlib.contextmanager
def destination(out: str | None, program: str, now: datetime) -> Iterator[Destination]:
    """A place for new traces; a folder that stays empty is taken away again.

    Raises:
        FunctraceError: there is a trace already.
    """
    path = Path(out) if out else _unused(f"functrace-{Path(program).name}-{now:%Y%m%d-%H%M%S}")
    is_file = path.suffix == ".ftrace"
    if is_file and path.exists():
        raise FunctraceError(f"{path} exists already; a trace is never overwritten")
    folder = path.parent if is_file else path
    if folder.exists() and not folder.is_dir():
        raise FunctraceError(f"-o {out}: neither a folder nor a new file NAME.ftrace")
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield Destination(path, is_file, frozenset(_traces(path, is_file)))
    finally:
        if made:
            with contextlib.suppress(OSError):  # there is something in it
                folder.rmdir()


def _unused(name: str) -> Path:
    """The name, or with a number behind it if it is taken."""
    path, number = Path(name), 2
    while path.exists():
        path, number = Path(f"{name}-{number}"), number + 1
    return path


def _traces(path: Path, is_file: bool) -> Iterator[Path]:
    if not is_file:
        yield from path.glob("*.ftrace")
        return
    name = "\\d+".join(map(re.escape, path.stem.split("%p")))
    is_ours = re.compile(rf"{name}(-\d+)?").fullmatch  # with a number where the name is taken
    yield from (near for near in path.parent.glob("*.ftrace") if is_ours(near.stem))
