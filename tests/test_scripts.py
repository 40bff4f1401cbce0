"""Scripts of ``functrace go``, one per feature; tests/support/script.py defines the language."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import toolchains, txtar
from tests.support.script import Script
from tests.support.toolchains import Go

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.txtar"))

# These compile the standard library again: for the race detector, other systems, other flags.
LONG = set(
    "cgo cross deps errors-race flags light-pgo lines otlp pgo requests-builds std".split()
    + "test-bench test-cover test-race".split()
)


def _scripts() -> list[Any]:
    marked = (pytest.mark.slow,)
    return [
        pytest.param(path, id=path.stem, marks=marked if path.stem in LONG else ())
        for path in SCRIPTS
    ]


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the command in it, for PATH."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "functrace"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m functrace "$@"\n')
    script.chmod(0o755)
    return folder


@pytest.mark.parametrize("path", _scripts())
def test_script(path: Path, tmp_path: Path, go: Go, functrace_cache: Path, command: Path) -> None:
    _run(path, tmp_path, go, functrace_cache, command)


@pytest.mark.versions
@pytest.mark.parametrize(
    "name", ["cgo", "light", "lines", "module", "test", "test-cover", "workspace"]
)
@pytest.mark.parametrize("other", toolchains.ends(), ids=lambda go: go.name)
def test_script_on_another_go(
    name: str, other: Go, tmp_path: Path, functrace_cache: Path, command: Path
) -> None:
    path = next(path for path in SCRIPTS if path.stem == name)
    _run(path, tmp_path, other, functrace_cache, command)


def _run(path: Path, tmp_path: Path, go: Go, functrace_cache: Path, command: Path) -> None:
    archive = txtar.load(path)
    for name, content in archive.files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FUNCTRACE")}
    env = {
        **go.environment(kept, command),
        "WORK": str(tmp_path),
        "FUNCTRACE_CACHE": str(functrace_cache),
    }
    conditions = {
        "cgo": shutil.which("cc") is not None or shutil.which("gcc") is not None,
    }
    conditions |= {f"go1.{n}": go.release >= (1, n) for n in range(21, 40)}
    Script(tmp_path, env, conditions).run(archive.comment.decode())
    changed = [
        name
        for name, content in archive.files.items()
        if (tmp_path / name).exists() and (tmp_path / name).read_bytes() != content
    ]
    assert changed == [], "functrace go changed files"
