"""speedscope's files from the npm registry."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path

import pytest

_VERSION = "1.25.0"
_FOLDER = Path(__file__).resolve().parents[2] / "build" / f"speedscope-{_VERSION}"


@cache
def files() -> Path:
    """Return the folder with speedscope's page and schema; skip the test if it is unavailable."""
    page = _FOLDER / "package" / "dist" / "release"
    if not page.is_dir():
        _fetch()
    return page


def _fetch() -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm to get speedscope's schema with")
    _FOLDER.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", "--silent", f"speedscope@{_VERSION}"]
    run = subprocess.run(command, cwd=_FOLDER, capture_output=True, text=True, check=False)
    if run.returncode:
        pytest.skip("the npm registry does not give speedscope's schema")
    with tarfile.open(_FOLDER / run.stdout.split()[-1]) as archive:
        archive.extractall(_FOLDER, filter="data")
