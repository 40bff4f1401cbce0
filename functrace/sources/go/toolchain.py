"""The Go toolchain that is at hand, and what it says of a file."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from functrace.errors import FunctraceError, UsageError

OLDEST = (1, 21)
_VERSION = re.compile(r"go(\d+)\.(\d+)(\S*)")
_ERROR = re.compile(rb"^(?:<standard input>|[^\n]*?):(\d+):(\d+): ([^\n]*)", re.MULTILINE)


@dataclass(frozen=True)
class Toolchain:
    """A go command: its path, its version as it prints it, and its GOROOT."""

    go: Path
    version: str
    goroot: Path

    @property
    def release(self) -> tuple[int, int]:
        """The language version, such as ``(1, 27)``; ``(0, 0)`` for one built from a branch."""
        match = _VERSION.search(self.version)
        return (int(match[1]), int(match[2])) if match else (0, 0)

    @property
    def is_too_old(self) -> bool:
        """Whether it is known to be older than what functrace supports."""
        return (0, 0) < self.release < OLDEST


@cache
def find() -> Toolchain | None:
    """The go command on PATH, else one installed in this Python environment; None without."""
    beside = Path(sys.executable).parent / "go"
    go = shutil.which("go") or (str(beside) if beside.exists() else None)
    if go is None:
        return None
    try:
        run = subprocess.run(
            [go, "env", "GOVERSION", "GOROOT"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    version, goroot = [*run.stdout.splitlines(), "", ""][:2]
    return Toolchain(Path(go), version, Path(goroot))


def require() -> Toolchain:
    """The toolchain that :func:`find` finds.

    Raises:
        FunctraceError: there is none.
        UsageError: it is too old.
    """
    found = find()
    if found is None:
        raise FunctraceError("no go command on PATH: install Go 1.21 or newer")
    if found.is_too_old:
        raise UsageError(f"{found.version} at {found.go} is too old: Go 1.21 or newer is needed")
    return found


def ask(
    go: Path | str, arguments: Sequence[str], folder: Path, env: Mapping[str, str] | None = None
) -> str:
    """What the go command ``go`` prints when it is run in ``folder``.

    Raises:
        FunctraceError: what it says when it fails.
    """
    run = subprocess.run(
        [go, *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
    )
    if run.returncode:
        raise FunctraceError(*run.stderr.strip().expandtabs(4).split("\n"))
    return run.stdout


@dataclass(frozen=True)
class Verdict:
    """What gofmt says of a file: valid, or the first thing that is wrong with it."""

    valid: bool
    line: int = 0
    column: int = 0
    message: str = ""


def judge(source: bytes) -> Verdict | None:
    """Ask gofmt whether ``source`` is valid Go; None if there is no gofmt to ask."""
    toolchain = find()
    if toolchain is None:
        return None
    gofmt = toolchain.goroot / "bin" / "gofmt"
    try:
        run = subprocess.run([gofmt, "-l"], input=source, capture_output=True, check=False)
    except OSError:
        return None
    if run.returncode == 0:
        return Verdict(valid=True)
    match = _ERROR.search(run.stderr)
    if match is None:
        return None
    return Verdict(False, int(match[1]), int(match[2]), match[3].decode(errors="replace"))
