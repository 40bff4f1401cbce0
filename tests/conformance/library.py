"""A copy of the standard library, instrumented as a user would do it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.pythons import ROOT, Python

# Left as they are. What functrace needs before its own first line, with all that this loads; Python
# starts with them, from 3.11 on with frozen ones, whatever stands in the path.
_FIRST = {f"{name}.py" for name in "_collections_abc abc genericpath os posixpath stat".split()}
# Data of tests, which tell where their lines are, and what is run where no path leads to functrace.
_DATA = {
    "_test_nonmodule_cases.py",
    "_test_warnings.py",
    "doctest_lineno.py",
    "inspect_fodder.py",
    "inspect_fodder2.py",
    "partial",
}
_NEVER = {"__pycache__", "site-packages", "ensurepip"}
# What no test here uses.
_OTHERS = set(
    "ctypes curses distutils idlelib lib2to3 msilib pydoc_data sqlite3 tkinter turtledemo".split()
)

_WHERE = "import sysconfig; print(sysconfig.get_path('stdlib'))"
# The rewriter in the Python under test, as functrace run has it: for files with a syntax that is
# newer than the Python that functrace is installed in.
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
    """Whether the standard library of ``python`` comes with its tests; Debian's does not."""
    return (_source(python) / "test" / "test_json").is_dir()


def make(python: Python, target: Path, tests: Sequence[str]) -> None:
    """Copy the library of ``python``, with some of its tests, to ``target``, and instrument it.

    The rest is copied as it is: a link would be followed, by inject and by tests that write.
    """
    source = _source(python)
    kept = {"__init__", "support", *tests}

    def left_out(folder: str, names: list[str]) -> set[str]:
        if folder == str(source):
            return _NEVER | _FIRST | _OTHERS
        is_top = folder == str(source / "test")
        others = {n for n in names if Path(n).stem not in kept} if is_top else set()
        return _NEVER | _DATA | others

    shutil.copytree(source, target, ignore=left_out)
    _inject(python, target)
    _complete(source, target)


def _source(python: Python) -> Path:
    command = [python.executable, "-I", "-c", _WHERE]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def _complete(source: Path, target: Path) -> None:
    """Copy what ``target`` has not, all the way down."""
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
