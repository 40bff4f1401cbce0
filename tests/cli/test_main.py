"""What the command does besides its work: version, completion, a bar on terminals alone."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from functrace import __version__
from tests.cli.conftest import Run


def test_version(functrace: Run) -> None:
    assert functrace("--version").stdout == f"functrace {__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(functrace: Run, shell: str) -> None:
    assert "_FUNCTRACE_COMPLETE" in functrace("completion", shell).stdout


def test_every_verb_has_help(functrace: Run) -> None:
    for verb in ("inject", "strip", "runtime", "doctor", "completion"):
        assert functrace(verb, "--help").stdout.startswith("Usage: functrace ")


def test_progress_is_for_terminals(module: Path, functrace: Run, tmp_path: Path) -> None:
    assert "\x1b" not in functrace("inject", "--out", str(tmp_path / "a"), ".").stderr
    reader, terminal = pty.openpty()
    command = [sys.executable, "-m", "functrace", "inject", "--out", str(tmp_path / "b"), "."]
    subprocess.run(command, cwd=module, stderr=terminal, check=True)
    os.close(terminal)
    shown = b""
    while chunk := _read(reader):
        shown += chunk
    assert b"\x1b[" in shown
    assert b"functrace inject: 2 files" in shown


def _read(descriptor: int) -> bytes:
    """What is left to read; a terminal that is closed reads as an error."""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""
