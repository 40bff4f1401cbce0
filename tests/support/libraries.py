"""Libraries of a dependency group, for a Python that is not the one that runs the tests."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support.pythons import ROOT, Python


@cache
def folder_of(python: Python, group: str) -> Path | None:
    """Return a folder with the group's libraries for PYTHONPATH; None if the Python has them.

    Skips the test if they cannot be installed.
    """
    if python.is_running and group == "services":
        return None
    project = ROOT / "pyproject.toml"
    key = hashlib.sha256(project.read_bytes() + python.executable.encode()).hexdigest()[:12]
    folder = ROOT / "build" / "libraries" / f"{python.name}-{group}-{key}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _install(python, f"{project}:{group}", folder)
    return folder


def _install(python: Python, group: str, folder: Path) -> None:
    whole = folder.with_suffix(".part")
    command = [sys.executable, "-m", "pip", "--python", python.executable, "install", "--quiet"]
    done = subprocess.run(
        [*command, "--target", whole, "--group", group], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"libraries cannot be installed for {python.name}: {done.stderr[-300:]}")
    whole.rename(folder)
