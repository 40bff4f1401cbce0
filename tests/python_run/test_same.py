"""A traced program behaves as without functrace: output, errors, exit status."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.python_run.conftest import Project
from tests.support.pythons import Python, each_python

# Everything a program can find out about its start. Only functrace's modules may differ.
LOOK = """
import os, sys
main = sys.modules["__main__"]
ours = ("functrace", "_functr" "ace_", "_socket", "atexit", "__future__", "_functools")
print(sys.argv, sys.orig_argv[1:], sys.path, sys.flags)
for name in ("__name__", "__file__", "__package__", "__doc__", "__cached__", "__path__"):
    print(name, getattr(main, name, "absent"))
print(type(main.__loader__), getattr(main.__spec__, "name", None), main.__builtins__ is not None)
print([n for n in vars(main) if n not in ours])
print(sorted(m for m in sys.modules if m.split(".")[0] not in ours))
print(type(sys.meta_path[0]), len(sys.path_hooks))
print([p for p in sorted(sys.path_importer_cache) if "functrace" not in p])
print(sorted(k for k in os.environ if k not in ("_", "FUNCTRACE", "FUNCTRACE_CACHE", "OLDPWD")))
import helper
print(helper.__loader__.__class__, helper.__spec__.origin, helper.__cached__, helper.__file__)
print(sorted(vars(helper.__loader__)), sorted(vars(helper.__spec__)))
"""
HELPER = "def help(x):\n    return x\n\nclass Thing:\n    def value(self):\n        return 1\n"
FAIL = """
import helper, sys
def inner(): raise ValueError("é")
def outer():
    try: inner()
    except ValueError as e: raise KeyError(1) from e
if "deep" in sys.argv:
    def again(): again()
    sys.setrecursionlimit(100)
    again()
outer()
"""
PROGRAMS = {
    "look": LOOK,
    "fail": FAIL,
    "deep": FAIL,
    "exit": "import sys\ndef f(): sys.exit(7)\nf()\n",
    "exit_text": "raise SystemExit('bye')\n",
    "interrupt": "def f(): raise KeyboardInterrupt\nf()\n",
    "signal": "import os, signal\ndef f(): os.kill(os.getpid(), signal.SIGTERM)\nf()\n",
    "abort": "import os\ndef f(): os.abort()\nf()\n",
    "hard_exit": "import os\ndef f(): os._exit(9)\nf()\n",
    "invalid": "def f(:\n",
    "late_invalid": "def f(): pass\nreturn 1\n",
    "broken_import": "import broken\n",
    "failing_import": "import failing\n",
    "missing_import": "import nowhere\n",
    "warning": "import sys\nx = '\\d'\nassert (1, 'x')\nprint(sys.warnoptions)\n",
    "warn": "import warnings, helper\ndef f(): warnings.warn('x', stacklevel=2)\nf()\n",
    "atexit": "import atexit, sys\natexit.register(lambda: print('end', file=sys.stderr))\n"
    "def f(): print(1)\nf()\n",
    "stdin": "import sys\ndef f(): return sys.stdin.read()\nprint(f())\n",
    "thread": "import threading\ndef f(): raise OSError(2, 'x')\n"
    "t = threading.Thread(target=f, name='t'); t.start(); t.join()\n",
    "frames": "import sys, inspect, helper\n"
    "def f():\n    return [i.function for i in inspect.stack()], sys._getframe(1).f_lineno\n"
    "print(f()); print(inspect.getsource(f), inspect.getsource(helper.Thing))\n"
    "print(f.__code__.co_firstlineno)\n",
    "pickle": "import pickle\nclass A:\n    def m(self): return 1\n"
    "def f(): pass\nprint(pickle.loads(pickle.dumps(A())).m(), pickle.dumps(f))\n",
    "doctests": "'''\n>>> f(2)\n4\n>>> f(3)\n7\n'''\n"
    "def f(x):\n    '''\n    >>> f(1)\n    3\n    '''\n"
    "    return 2 * x\nimport doctest, sys\nprint(doctest.testmod())\n",
    "future": "'''Doc.'''\nfrom __future__ import annotations\ndef f(x: Nowhere): return x\n"
    "print(__doc__, f.__annotations__)\n",
    "empty": "",
    "only_doc": "'''Doc.'''\n",
    "tidy": "import gc, sys\nclass A:\n    def __del__(self): print('del')\na = A()\n",
}
FILES = {
    "helper.py": HELPER,
    "broken.py": "def f():\n  return (\n",
    "failing.py": "def f():\n    raise RuntimeError('x')\n\nf()\n",
    "words.txt": "resource",
    "pack/__init__.py": "def first(): return 1\nfirst()\n",
    "pack/__main__.py": "import helper\nfrom importlib import resources\n"
    "def text(): return (resources.files('pack') / 'data.txt').read_text()\nprint(text())\n" + LOOK,
    "pack/data.txt": "data",
    "pack/boom.py": FAIL,
    "space/inner/mod.py": "def f(): return __name__, __package__\nprint(f())\n" + LOOK,
}


@pytest.fixture
def program(project: Project) -> Project:
    project.write(FILES)
    project.write({f"x_{name}.py": text for name, text in PROGRAMS.items()})
    (project.root / "look_link.py").symlink_to("pack/boom.py")
    for archive, name in (("app.pyz", "__main__.py"), ("lib.zip", "zipped.py")):
        with zipfile.ZipFile(project.root / archive, "w") as file:
            file.writestr(name, HELPER + LOOK)
            file.writestr("inside.py", FAIL)
    (project.root / "folder").mkdir()
    (project.root / "folder" / "__main__.py").write_text(LOOK)
    (project.root / "folder" / "helper.py").write_text(HELPER)
    return project


def _name(words: list[str]) -> str:
    return " ".join(words)[:40].replace("\n", " ")


SCRIPTS = [[f"x_{name}.py", *(["deep"] if name == "deep" else [])] for name in PROGRAMS]
OTHERS = [
    ["./x_look.py", "-x", "--", "y z", "é"],
    ["folder/../x_look.py"],
    ["look_link.py"],
    ["-m", "pack", "-v", "a"],
    ["-m", "pack.boom"],
    ["-m", "space.inner.mod"],
    ["-m", "x_look"],
    ["-m", "nowhere"],
    ["-m", "x_interrupt"],
    ["-m", "x_exit"],
    ["-m", "x_invalid"],
    ["-m", "timeit", "-n", "1", "-r", "1", "import x_exit"],
    ["-m", "unittest", "-q", "nowhere"],
    ["app.pyz", "a"],
    ["folder", "b"],
    ["-c", LOOK, "-c", "c"],
    ["-c", "def f(): raise ValueError(1)\nf()"],
    ["-c", "def f("],
    ["-c", "import sys; sys.path.insert(0, 'lib.zip'); import inside"],
    ["nowhere.py"],
    ["words.txt"],
]


CORE = [
    [f"x_{name}.py"] for name in ("look", "fail", "exit_text", "interrupt", "warning", "frames")
]
OTHER_PYTHONS = [each for each in each_python() if not each.values[0].is_running]


@pytest.mark.parametrize("words", [*SCRIPTS, *OTHERS], ids=_name)
def test_same(program: Project, words: list[str]) -> None:
    plain = program.python(*words, stdin="in", PYTHONDONTWRITEBYTECODE="1")
    for _ in ("compiled", "from the cache"):
        assert _traced(program, words, sys.executable) == _told(plain)


@pytest.mark.parametrize("words", [*CORE, *OTHERS], ids=_name)
@pytest.mark.parametrize("python", OTHER_PYTHONS)
def test_same_with_another_python(program: Project, words: list[str], python: Python) -> None:
    if words[-1] == "x_invalid" and python.release < (3, 11):
        pytest.skip("get_code of ours is a line of that traceback")
    plain = program.python(
        *words, python=python.executable, stdin="in", PYTHONDONTWRITEBYTECODE="1"
    )
    assert _traced(program, words, python.executable) == _told(plain)


@pytest.mark.parametrize("python", OTHER_PYTHONS)
def test_pythons_that_take_turns_keep_what_is_theirs(
    program: Project, tmp_path: Path, python: Python
) -> None:
    def compiled(executable: str) -> set[Path]:
        program.run("-q", "--python", executable, "x_look.py", FUNCTRACE_CACHE=str(tmp_path))
        return {path for path in tmp_path.rglob("*") if path.is_file()}

    once = compiled(sys.executable)
    written = {path: path.stat().st_mtime_ns for path in once}
    assert once < compiled(python.executable)
    assert written == {path: path.stat().st_mtime_ns for path in once}


def _traced(program: Project, words: list[str], python: str) -> tuple[str, str, int]:
    options = ("-q", "--python", python)
    more = {"FUNCTRACE": "off", "PYTHONDONTWRITEBYTECODE": "1"}
    return _told(program.run(*options, *words, stdin="in", **more))


def _told(done: subprocess.CompletedProcess[str]) -> tuple[str, str, int]:
    stderr = re.sub(r"(?<=^Ran 1 test in )[0-9.]+s$", "…", done.stderr, flags=re.MULTILINE)
    return done.stdout, stderr, done.returncode
