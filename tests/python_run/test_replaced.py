"""Imports are traced while a test replaces ``os`` in all modules by a fake file system."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

from tests.python_run.conftest import Project

_PROGRAM = """
import os, sys


class Other:
    def __getattr__(self, name):
        raise AssertionError(name)


# Like pyfakefs, which skips the modules that it needs itself.
left = "os", "os.path", "posixpath", "genericpath"
modules = [m for n, m in sys.modules.items() if n not in left and getattr(m, "os", None) is os]
for module in modules:
    module.os = Other()

import late, zipped

late.work()
zipped.work()
for module in modules:
    module.os = sys.modules["os"]
"""


def test_import_with_fake_file_system(project: Project, tmp_path: Path) -> None:
    project.write({"app.py": _PROGRAM, "late.py": "def work(): return 1\n"})
    with ZipFile(project.root / "more.zip", "w") as archive:
        archive.writestr("zipped.py", "def work(): return 1\n")
    path = str(project.root / "more.zip")
    for _ in ("compiled", "from the cache"):
        done = project.run("app.py", PYTHONPATH=path, FUNCTRACE_CACHE=str(tmp_path / "cache"))
        assert "t[01]:\t->late.work\n" in done.stdout, done.stderr
        assert "t[01]:\t->zipped.work\n" in done.stdout, done.stderr
