"""An installation from source without a C compiler fails, and names what to install."""

from __future__ import annotations

import os
import shutil
import subprocess
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
NEEDED = "a C compiler (gcc or clang) and Python's headers, e.g. apt install gcc python3-dev"


def test_installation_without_a_compiler(tmp_path: Path) -> None:
    sources = tmp_path / "functrace"
    parts = ("functrace", "rewriter", "runtime_go")
    for part in parts:
        ignored = shutil.ignore_patterns("*.so", "__pycache__")
        shutil.copytree(ROOT / part, sources / part, ignore=ignored)
    for file in ("pyproject.toml", "setup.py", "functrace_cli.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, sources)
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [python, "-I", "-m", "pip", "--disable-pip-version-check", "install", "--no-deps"]
    _install_build_requirements([*pip, "setuptools>=77"])
    done = subprocess.run(
        [*pip, "--no-build-isolation", str(sources)],
        env={**os.environ, "CC": "/nonexistent/cc"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"error: functrace-cli is built from source with {NEEDED}" in done.stdout + done.stderr
    absent = subprocess.run(
        [python, "-I", "-c", "import functrace"], capture_output=True, check=False
    )
    assert absent.returncode == 1
    # What stopped it is the compiler, and nothing else.
    installed = subprocess.run(
        [*pip, "--no-build-isolation", str(sources)], capture_output=True, text=True, check=False
    )
    assert installed.returncode == 0, installed.stderr
    assert list((tmp_path / "venv").rglob("_reader*.so"))


def _install_build_requirements(command: list[str | Path]) -> None:
    done = subprocess.run(
        [*command, "--quiet", "--retries", "1"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"the build requirements cannot be installed: {done.stderr.strip()[-200:]}")
