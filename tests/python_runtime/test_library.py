"""The standard library, which the runtime uses, can be traced itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

from rewriter.python import Options
from tests.python_rewriter.cases import inject
from tests.python_runtime.conftest import Runner, Runtime, environment


def _traced(runtime: Runtime, folder: Path, *names: str) -> None:
    """Write instrumented copies of modules to a folder, where programs run."""
    ask = "import sys, importlib.util as u; print(*(u.find_spec(n).origin for n in sys.argv[1:]))"
    command = [runtime.python.executable, "-I", "-S", "-c", ask, *names]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    for file in map(Path, found):
        (folder / file.name).write_bytes(inject(file.read_bytes(), Options()))


def test_modules_loaded_by_the_runtime(runtime: Runtime, run: Runner, tmp_path: Path) -> None:
    """Tracing starts once they are loaded; calls of the runtime itself are not recorded."""
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


def test_modules_that_tracing_waits_for(runtime: Runtime, tmp_path: Path) -> None:
    """All standard library modules that are loaded when tracing starts."""
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
