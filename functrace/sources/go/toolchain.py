"""Installed Go toolchain, and calls to its go and gofmt commands."""

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

MIN_VERSION = (1, 21)
_VERSION = re.compile(r"go(\d+)\.(\d+)(\S*)")
_ERROR = re.compile(rb"^(?:<standard input>|[^\n]*?):(\d+):(\d+): ([^\n]*)", re.MULTILINE)


@dataclass(frozen=True)
class Toolchain:
    """A go command: its path, the version that it prints and its GOROOT."""

    go: Path
    version: str
    goroot: Path

    @property
    def release(self) -> tuple[int, int]:
        """The language version, such as ``(1, 27)``; ``(0, 0)`` for a development build."""
        match = _VERSION.search(self.version)
        return (int(match[1]), int(match[2])) if match else (0, 0)

    @property
    def is_too_old(self) -> bool:
        """Whether it is known to be older than the minimum version."""
        return (0, 0) < self.release < MIN_VERSION


@cache
def find() -> Toolchain | None:
    """Return the go command on PATH or in this Python environment, or None."""
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
    """Return the toolchain that :func:`find` finds.

    Raises:
        FunctraceError: none is installed.
        UsageError: it is too old.
    """
    found = find()
    if found is None:
        raise FunctraceError("no go command on PATH: install Go 1.21 or newer")
    if found.is_too_old:
        raise UsageError(f"{found.version} at {found.go} is too old: Go 1.21 or newer is needed")
    return found


def run_go(
    go: Path | str, arguments: Sequence[str], folder: Path, env: Mapping[str, str] | None = None
) -> str:
    """Run the go command ``go`` in ``folder`` and return its standard output.

    Raises:
        FunctraceError: it failed, with its standard error as the message.
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
        text = run.stderr.strip() or f"go {arguments[0]} ended with status {run.returncode}"
        raise FunctraceError(*text.expandtabs(4).split("\n"))
    return run.stdout


@dataclass(frozen=True)
class SyntaxCheck:
    """Result of gofmt's syntax check: valid, or the first error."""

    valid: bool
    line: int = 0
    column: int = 0
    message: str = ""


def check_syntax(source: bytes) -> SyntaxCheck | None:
    """Check the syntax of ``source`` with gofmt; return None if gofmt cannot be run."""
    toolchain = find()
    if toolchain is None:
        return None
    gofmt = toolchain.goroot / "bin" / "gofmt"
    try:
        run = subprocess.run([gofmt, "-l"], input=source, capture_output=True, check=False)
    except OSError:
        return None
    if run.returncode == 0:
        return SyntaxCheck(valid=True)
    match = _ERROR.search(run.stderr)
    if match is None:
        return None
    return SyntaxCheck(False, int(match[1]), int(match[2]), match[3].decode(errors="replace"))
