"""Test runners, child processes and multiprocessing under functrace run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.python_run.conftest import COMMAND, Project
from tests.python_run.test_run import names
from tests.support.pythons import Python, each_python

TESTS = {
    "shop.py": "def price(x):\n    return x\n",
    "tests/conftest.py": "import pytest\n@pytest.fixture\ndef item():\n    return 3\n",
    "tests/test_shop.py": "import shop\n\n"
    "def test_good(item):\n    assert shop.price(item) == 3\n\n"
    "def test_bad(item):\n    assert shop.price(item) == 4\n",
    "tests/test_unit.py": "import unittest, shop\nclass T(unittest.TestCase):\n"
    "    def test_price(self):\n        self.assertEqual(shop.price(1), 1)\n",
}


def test_pytest(project: Project) -> None:
    project.write(TESTS)
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    path = {"PYTHONPATH": str(project.root)}
    plain = project.python(*words, **path)
    before = {p: p.read_bytes() for p in project.root.rglob("*") if p.is_file()}
    for _ in ("compiled", "from the cache"):
        done = project.run("-o", "calls.txt", *words, **path)
        assert _steady(done.stdout) == _steady(plain.stdout)
        assert "assert 3 == 4" in done.stdout
        assert "functrace run: 5 functions of 4 modules instrumented\n" in done.stderr
        (project.root / "calls.txt").rename(project.root / "last.txt")
    called = names((project.root / "last.txt").read_text())
    assert called.count("shop.price") == 3
    assert {"test_shop.test_good", "conftest.item", "test_unit.T.test_price"} <= set(called)
    (project.root / "last.txt").unlink()
    assert {p: p.read_bytes() for p in project.root.rglob("*") if p.is_file()} == before
    assert _steady(project.python(*words, **path).stdout) == _steady(plain.stdout)


def _steady(text: str) -> list[str]:
    """Remove addresses and times from the output."""
    return re.sub(r"0x[0-9a-f]+| in [\d.]+s", "", text).splitlines()


# As coverage.py does.
LINES = """
import os, sys

told = []


def tell(frame, event, _):
    if os.path.basename(frame.f_code.co_filename) in ("shop.py", "test_lines.py"):
        if event == "line":
            told.append((frame.f_code.co_filename, frame.f_lineno))
        return tell


def pytest_unconfigure():
    sys.settrace(None)
    print(sorted(set(told)))


sys.settrace(tell)
"""


def test_line_coverage_is_unchanged(project: Project) -> None:
    function = "def {}(\n    a,\n    b=1,\n):\n    if a:\n        return a\n    return b\n"
    test = "\n\ndef test():\n    assert shop.price(1)\n"
    project.write(
        {
            "conftest.py": LINES,
            "shop.py": function.format("price"),
            "test_lines.py": "import shop\n" + function.format("helper") + test,
        }
    )
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_lines.py")
    told = project.python(*words).stdout.splitlines()[-1]
    assert "shop.py', 6)" in told
    assert project.run(*words).stdout.splitlines()[-1] == told


def test_call_chains_of_tests_are_written_to_files(project: Project) -> None:
    project.write(TESTS)
    done = project.run("-m", "unittest", "-q", "tests.test_unit")
    first, *_ = done.stderr.splitlines()
    folder = Path(first.removeprefix("functrace run: call chains: "))
    (file,) = folder.iterdir()
    assert names(file.read_text()) == ["tests.test_unit.T.test_price", "shop.price"]
    assert done.stdout == ""


CHILD = "import sys\nimport work\ndef main():\n    work.do()\nmain()\n"
STARTS = {
    "work.py": "def do():\n    return 1\n",
    "child.py": CHILD,
    "starts.py": "import subprocess, sys, work\n"
    "def start():\n"
    "    subprocess.run([sys.executable, 'child.py'], check=True)\n"
    "    subprocess.run([sys.executable, '-m', 'child'], check=True)\n"
    "    subprocess.run([sys.executable, '-c', 'import work; work.do()'], check=True)\n"
    "start()\n",
    "pool.py": "import multiprocessing, os, sys, work\n"
    "class Thing: pass\n"
    "def job(n):\n    work.do()\n    return Thing()\n"
    "if __name__ == '__main__':\n"
    "    with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:\n"
    "        print([type(t) is Thing for t in pool.map(job, range(2))])\n"
    "        pool.close(); pool.join()\n",
}


@pytest.fixture
def starts(project: Project) -> Project:
    project.write(STARTS)
    return project


def _calls(project: Project) -> dict[str, int]:
    """Return the number of calls of each function in the traces in ``out``."""
    told = project.execute([COMMAND, "report", "--json", "out"])
    return {f["function"]: f["calls"] for f in json.loads(told.stdout)["functions"]}


def test_children(starts: Project) -> None:
    done = starts.run("--record", "-o", "out", "--children", "starts.py")
    assert "out: 4 traces" in done.stderr, done.stderr
    assert done.stderr.count("instrumented\n") == 1
    assert _calls(starts) == {"__main__.start": 1, "__main__.main": 2, "work.do": 3}


def test_children_are_not_traced_by_default(starts: Project) -> None:
    starts.write({"child.py": CHILD + "import os; print([k for k in os.environ if 'HOOK' in k])\n"})
    done = starts.run("--record", "-o", "out", "starts.py")
    assert "out: 1 trace," in done.stderr
    assert done.stdout == "[]\n" * 2


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("python", each_python())
def test_multiprocessing(starts: Project, method: str, python: Python) -> None:
    by = ("--python", python.executable)
    assert starts.run("-q", *by, "pool.py", method, FUNCTRACE="off").stdout == "[True, True]\n"
    done = starts.run("--record", *by, "-o", "out", "--children", "pool.py", method)
    assert done.stdout == "[True, True]\n"
    assert _calls(starts) == {"__mp_main__.job": 2, "work.do": 2}


def test_forked_children_are_traced(starts: Project) -> None:
    done = starts.run("--record", "-o", "out", "pool.py", "fork")
    assert done.stdout == "[True, True]\n"
    assert _calls(starts) == {"__main__.job": 2, "work.do": 2}


def test_users_sitecustomize_is_imported(starts: Project) -> None:
    starts.write({"site/sitecustomize.py": "import sys; print('mine', file=sys.stderr)\n"})
    done = starts.run(
        "-q", "--children", "starts.py", FUNCTRACE="off", PYTHONPATH=str(starts.root / "site")
    )
    plain = starts.python("starts.py", PYTHONPATH=str(starts.root / "site"))
    # A script is restarted once.
    assert set(done.stderr.splitlines()) == set(plain.stderr.splitlines()) == {"mine"}


def test_hook(starts: Project) -> None:
    """FUNCTRACE_HOOK=1 is sufficient after ``hook install``; ``hook remove`` deletes the file."""
    environment = starts.root / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = str(environment / "bin" / "python")
    before = sorted(environment.rglob("*"))
    installed = starts.execute([COMMAND, "hook", "install", "--python", python])
    (path,) = set(environment.rglob("*.pth")) - set(before)
    assert installed.stderr == f"wrote {path}\n"
    asked = {"FUNCTRACE_HOOK": "1", "FUNCTRACE": "text"}
    done = starts.python("child.py", python=python, **asked)
    assert names(done.stdout) == ["__main__.main", "work.do"]
    assert done.stderr == ""
    assert starts.python("child.py", python=python).stdout == ""
    removed = starts.execute([COMMAND, "hook", "remove", "--python", python])
    assert removed.stderr == f"removed {path}\n"
    assert sorted(environment.rglob("*")) == before
    again = starts.execute([COMMAND, "hook", "remove", "--python", python])
    assert (again.returncode, again.stdout) == (1, "")
    assert "is not installed in this environment" in again.stderr


def test_hook_keeps_a_foreign_file(starts: Project) -> None:
    environment = starts.root / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = str(environment / "bin" / "python")
    starts.execute([COMMAND, "hook", "install", "--python", python])
    (path,) = environment.rglob("functrace-hook.pth")
    path.write_text("mine")
    for verb in ("install", "remove"):
        done = starts.execute([COMMAND, "hook", verb, "--python", python])
        assert (done.returncode, path.read_text()) == (1, "mine")
