from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.waiting import PATIENCE

COMMAND = str(Path(sys.executable).parent / "functrace")


@dataclass
class Project:
    """A directory with a program, and methods to run it."""

    root: Path
    cache: Path

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def environment(self, **more: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("FUNCTRACE", "PYTHON"))}
        for name in ("COLUMNS", "VIRTUAL_ENV"):
            kept.pop(name, None)
        path = {k: v for k, v in os.environ.items() if k == "PYTHONPATH"}
        return {**kept, **path, "FUNCTRACE_CACHE": str(self.cache), **more}

    def execute(
        self, command: list[str], stdin: str = "", **more: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.root,
            env=self.environment(**more),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def python(
        self, *words: str, python: str = sys.executable, stdin: str = "", **more: str
    ) -> subprocess.CompletedProcess[str]:
        return self.execute([python, *words], stdin, **more)

    def run(self, *words: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        """Run the program with ``functrace run``."""
        return self.execute([COMMAND, "run", *words], stdin, **more)


@pytest.fixture
def project(tmp_path: Path, functrace_cache: Path) -> Project:
    root = tmp_path / "project"
    root.mkdir()
    return Project(root, functrace_cache)
