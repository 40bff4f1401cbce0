"""Copy of Python's standard library, instrumented with ``functrace inject``."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.pythons import ROOT, Python

# Not instrumented: modules that functrace itself imports first, and their imports. Python loads
# them at startup, from 3.11 on in frozen form, regardless of the path.
_FIRST = {f"{name}.py" for name in "_collections_abc abc genericpath os posixpath stat".split()}
# Test data that depends on line numbers, and programs that run without functrace on their path.
_DATA = {
    "_test_nonmodule_cases.py",
    "_test_warnings.py",
    "doctest_lineno.py",
    "inspect_fodder.py",
    "inspect_fodder2.py",
    "partial",
}
_NEVER = {"__pycache__", "site-packages", "ensurepip"}
# Packages that no test here uses.
_OTHERS = set(
    "ctypes curses distutils idlelib lib2to3 msilib pydoc_data sqlite3 tkinter turtledemo".split()
)

_WHERE = "import sysconfig; print(sysconfig.get_path('stdlib'))"
# Runs the rewriter in the Python under test, as ``functrace run`` does: for files with syntax
# newer than that of the Python that functrace is installed in.
_REWRITE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from rewriter.edit import apply
from rewriter.python import Options, plan_inject
for file in map(Path, sys.argv[2:]):
    source = file.read_bytes()
    file.write_bytes(apply(source, plan_inject(source, Options()).edits))
"""


def has_tests(python: Python) -> bool:
    """Return whether the standard library of ``python`` includes its tests; Debian's does not."""
    return (_source(python) / "test" / "test_json").is_dir()


def make(python: Python, target: Path, tests: Sequence[str]) -> None:
    """Copy the library of ``python`` with some of its tests to ``target`` and instrument it.

    Other files are copied unchanged, not linked: inject and tests would write through a link.
    """
    source = _source(python)
    kept = {"__init__", "support", *tests}

    def find_ignored(folder: str, names: list[str]) -> set[str]:
        if folder == str(source):
            return _NEVER | _FIRST | _OTHERS
        is_top = folder == str(source / "test")
        others = {n for n in names if Path(n).stem not in kept} if is_top else set()
        return _NEVER | _DATA | others

    shutil.copytree(source, target, ignore=find_ignored)
    _inject(python, target)
    _complete(source, target)


def _source(python: Python) -> Path:
    command = [python.executable, "-I", "-c", _WHERE]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def _complete(source: Path, target: Path) -> None:
    """Copy the files that are missing from ``target``, recursively."""
    for entry in source.iterdir():
        copy = target / entry.name
        if entry.name in _NEVER:
            continue
        if entry.is_file():
            if not copy.exists():
                shutil.copy(entry, copy)
        elif copy.exists():
            _complete(entry, copy)
        else:
            shutil.copytree(entry, copy, ignore=shutil.ignore_patterns(*_NEVER))


def _inject(python: Python, folder: Path) -> None:
    command = [sys.executable, "-m", "functrace", "inject", "-q", "-w", "--language", "python"]
    run = subprocess.run([*command, folder], capture_output=True, text=True, check=False)
    newer = [line.split(":")[0] for line in run.stderr.splitlines() if ".py:" in line]
    assert run.returncode in (0, 1), run.stderr
    assert run.returncode == 0 or newer, run.stderr
    subprocess.run([python.executable, "-I", "-c", _REWRITE, ROOT, *newer], check=True)
