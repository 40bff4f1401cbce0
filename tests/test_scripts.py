"""What ``functrace go`` works on: one script each, see tests/support/script.py."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.support import toolchains, txtar
from tests.support.script import Script
from tests.support.toolchains import Go

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.txtar"))


@pytest.fixture(scope="session")
def functrace_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the command in it, for PATH."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "functrace"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m functrace "$@"\n')
    script.chmod(0o755)
    return folder


@pytest.fixture(params=["newest", "oldest"])
def end(request: pytest.FixtureRequest, go: Go) -> Go:
    """Either end of the range of Go toolchains that are there."""
    if request.param == "newest":
        return go
    oldest = toolchains.oldest()
    if oldest is None or oldest.release == go.release:
        pytest.skip("there is but one Go toolchain")
    return oldest


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path: Path, tmp_path: Path, end: Go, functrace_cache: Path, command: Path) -> None:
    archive = txtar.load(path)
    for name, content in archive.files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FUNCTRACE")}
    env = {
        **kept,
        "PATH": f"{command}{os.pathsep}{end.binaries}{os.pathsep}{kept['PATH']}",
        "GOTOOLCHAIN": "local",
        "WORK": str(tmp_path),
        "FUNCTRACE_CACHE": str(functrace_cache),
    }
    conditions = {
        "cgo": shutil.which("cc") is not None or shutil.which("gcc") is not None,
        "root": os.geteuid() == 0,
    }
    conditions |= {f"go1.{n}": end.release >= (1, n) for n in range(21, 40)}
    Script(tmp_path, env, conditions).run(archive.comment.decode())
    changed = [
        name
        for name, content in archive.files.items()
        if (tmp_path / name).exists() and (tmp_path / name).read_bytes() != content
    ]
    assert changed == [], "functrace go changed files"
