"""Version, help, completion and progress bar of the command."""

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


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["reprot", "x.ftrace"], "report"),
        (["strp"], "strip"),
        (["app.py", "a b"], "functrace run app.py 'a b'"),
        (["python", "-m", "shop"], "functrace run -m shop"),
        (["python3.11", "-u", "app.py"], "functrace run -u app.py"),
        (["python3.11", "-V"], "functrace run FILE"),
    ],
)
def test_unknown_verb_with_a_suggestion(functrace: Run, words: list[str], meant: str) -> None:
    done = functrace(*words)
    assert done.returncode == 2
    said = f"Error: no such verb: {words[0]}; did you mean {meant}?\n"
    assert done.stderr.endswith(said)


def test_unknown_verb(functrace: Run) -> None:
    assert functrace("xyzzy").stderr.endswith("Error: no such verb: xyzzy\n")


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
