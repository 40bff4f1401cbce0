"""Python's own options have the same effect on a traced program."""

from __future__ import annotations

import sys

import pytest

from tests.python_run.conftest import Project
from tests.python_run.test_run import names
from tests.python_run.test_same import OTHER_PYTHONS, _told
from tests.support.pythons import Python

# Effects of options: flags, paths, warnings, omitted code, carets in tracebacks.
SHOW = """#!not python
'''Doc.'''
import os, sys, site_of, traceback
def show():
    '''Doc.'''
    assert sys.argv is None or not print("asserts are checked")
    print(__debug__, show.__doc__, site_of.show())
show()
print(sys.flags, sys.warnoptions, sys._xoptions, sys.argv, sys.orig_argv[1:], sys.path)
print("site" in sys.modules, os.environ.get("FUNCTRACE_HOOK"), sys.stdout.write_through)
def fail():
    return 1 / site_of.zero(), 2
try:
    fail()
except ZeroDivisionError as error:
    print(traceback.format_exc(), error)
print(b"1" == "1")
"""
FILES = {
    "app.py": SHOW.partition("\n")[2],
    "first_line.py": SHOW.replace("#!not python", "not python at all"),
    "site_of.py": "def zero(): return 0\n"
    "def show():\n    'Doc.'\n    assert print('checked') is None\n"
    "    return __debug__, show.__doc__\n",
    "digits.py": f"def f(): return {'1' * 5000} % 7\nprint(f())\n",
    "doubtful.py": "def f(): return 1 is 1\nprint(f())\n",
    "pack/__main__.py": SHOW.partition("\n")[2],
    "pack/site_of.py": "",
}
LINES = [
    "-O app.py",
    "-OOO app.py a -O",
    "-W ignore -Werror::BytesWarning -b app.py",
    "-bb app.py",
    "-X dev -Xutf8=1 app.py",
    "-Xno_debug_ranges app.py",
    "-Xint_max_str_digits=0 digits.py",
    "-sB -u app.py",
    "-I -m app",
    "-E app.py",
    "-S app.py",
    "-IS app.py",
    "-d -R app.py",
    "-x first_line.py",
    "--check-hash-based-pycs never app.py",
    "-umapp x",
    "-Ocprint(__debug__)",
    "-Oc print(__debug__) x",
    "-cprint(__debug__)",
    "-O pack",
    "-O -",
    "-i app.py",
    "-Werror doubtful.py",
    "-Werror -m doubtful",
    "-- -- app.py",
    "-- -O -- app.py",
]


@pytest.fixture
def program(project: Project) -> Project:
    project.write(FILES)
    return project


@pytest.mark.parametrize("line", LINES)
def test_same(program: Project, line: str) -> None:
    _compare(program, line, sys.executable)


@pytest.mark.parametrize("python", OTHER_PYTHONS, ids=lambda python: python.name)
@pytest.mark.parametrize("line", ["-OO app.py", "-I -m app", "-bumapp x", "-P app.py"])
def test_same_with_another_python(program: Project, line: str, python: Python) -> None:
    _compare(program, line, python.executable)


def _compare(program: Project, line: str, python: str) -> None:
    words = line.removeprefix("-- ").split(" ")
    plain = program.python(*words, python=python, stdin="print(1)", PYTHONDONTWRITEBYTECODE="1")
    options = ("-q", "--python", python)
    more = {"FUNCTRACE": "off", "PYTHONDONTWRITEBYTECODE": "1"}
    for _ in ("compiled", "from the cache"):
        traced = program.run(*options, *line.split(" "), stdin="print(1)", **more)
        assert _told(traced) == _told(plain)


@pytest.mark.parametrize("line", ["-O app.py", "-ES app.py", "-Eum app", "-x first_line.py"])
def test_calls_are_traced(program: Project, line: str) -> None:
    done = program.run(*line.split())
    assert names(done.stdout)[-3:] == ["site_of.show", "__main__.fail", "site_of.zero"]


def test_each_optimisation_level_has_its_own_cache_entry(program: Project) -> None:
    for line, checked in (("app.py", 2), ("-O app.py", 0), ("app.py", 2)):
        done = program.run("-q", *line.split(), FUNCTRACE="off")
        assert done.stdout.count("checked") == checked
    done = program.run("-q", "app.py", FUNCTRACE="off", PYTHONOPTIMIZE="1")
    assert "checked" not in done.stdout
    done = program.run("-q", "-E", "app.py", FUNCTRACE="off", PYTHONOPTIMIZE="1")
    assert done.stdout.count("checked") == 2


def test_child_processes_keep_options(program: Project) -> None:
    """A script is restarted with its options."""
    program.write(
        {"start.py": "import subprocess, sys\nsubprocess.run([sys.executable, *sys.argv[1:]])\n"}
    )
    for line in ("-O app.py", "-x first_line.py"):
        done = program.run("-q", "--children", "start.py", *line.split())
        assert "__main__.fail" in names(done.stdout), line
        assert ("checked" in done.stdout) == ("-O" not in line)


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_warns_that_isolated_children_are_not_traced(program: Project, option: str) -> None:
    done = program.run("--children", option, "digits.py", FUNCTRACE="off")
    assert f"--children: processes that inherit {option} " in done.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "-O --record app.py",
            "--record is not a Python option; put options of functrace run before",
        ),
        ("-V", "-V runs no program"),
        ("-OV app.py", "-V runs no program"),
        ("--help-env", "--help-env runs no program"),
        ("-O", "no program given; use FILE"),
        ("-O -m", "-m needs an argument"),
        ("-W", "-W needs an argument"),
        ("-OZ app.py", "-Z is neither an option of functrace run nor of Python"),
        ("-- -- -m app", "-m after --"),
    ],
)
def test_usage_errors(program: Project, line: str, said: str) -> None:
    done = program.run(*line.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"functrace: {said}")
