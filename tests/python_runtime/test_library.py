"""The standard library, which the runtime stands on, can be traced itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

from rewriter.python import Options
from tests.python_rewriter.cases import inject
from tests.python_runtime.conftest import Runner, Runtime, environment


def _traced(runtime: Runtime, folder: Path, *names: str) -> None:
    """Instrumented copies of modules, for what is run in a folder."""
    ask = "import sys, importlib.util as u; print(*(u.find_spec(n).origin for n in sys.argv[1:]))"
    command = [runtime.python.executable, "-I", "-S", "-c", ask, *names]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    for file in map(Path, found):
        (folder / file.name).write_bytes(inject(file.read_bytes(), Options()))


def test_modules_that_the_runtime_loads(runtime: Runtime, run: Runner, tmp_path: Path) -> None:
    """Tracing waits for those that are being loaded; nothing of the runtime's own is told."""
    names = "__future__", "contextlib", "copy", "enum", "inspect", "reprlib", "weakref"
    _traced(runtime, tmp_path, *names)
    program = """
        import copy, weakref, os

        @trace
        def f():
            return copy.copy([1])

        assert os.path.dirname(weakref.__file__) == os.path.dirname(__file__)
        assert f() == [1]
    """
    result = run(program)
    assert result.stderr == ""
    assert result.trace.tracks[0].calls.endswith(">f >copy.copy <copy.copy <f")
    printed = run(program, FUNCTRACE="text").stdout.splitlines()
    assert [line.strip("\t") for line in printed if "__main__" in line or "copy" in line] == [
        "t[01]:\t->__main__.f",
        "t[01]:\t\t->copy.copy",
        "t[01]:\t\t<-copy.copy",
        "t[01]:\t<-__main__.f",
    ]


def test_what_is_waited_for(runtime: Runtime, tmp_path: Path) -> None:
    """All of the standard library that is loaded where tracing begins."""
    program = """
import sys, functrace
functrace.trace(lambda: 1)()
modules = [(name.partition(".")[0], vars(module).get("__file__"))
           for name, module in sys.modules.items() if isinstance(module, type(sys))]
frozen = {"_frozen_importlib", "_frozen_importlib_external", "zipimport"}
loaded = {name for name, file in modules if file and file.endswith(".py")}
print(sorted(loaded - functrace._DEPENDENCIES - frozen))
"""
    for mode in ("record", "text"):
        variables = {
            "FUNCTRACE": mode,
            "FUNCTRACE_SIGNAL": "USR1",
            "FUNCTRACE_OUT": f"{tmp_path}/%p",
        }
        done = subprocess.run(
            [runtime.python.executable, "-S", "-c", program],
            env=environment(runtime, variables),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "['functrace']\n", done.stderr
