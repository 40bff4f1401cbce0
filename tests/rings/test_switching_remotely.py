"""functrace on and off in Python programs that were not started traced."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rings.conftest import end
from tests.support.waiting import PATIENCE, read_until

_PROGRAM = """
import json, sys, threading, time

class Store:
    @staticmethod
    def get(item):
        return json.dumps(item)

def handle(item):
    def inner():
        return Store.get(item)
    return inner()

def serve():
    while True:
        handle("x")
        time.sleep(0.001)

print("ready", flush=True)
threading.Thread(target=serve, daemon=True).start()
serve()
"""

pytestmark = pytest.mark.usefixtures("folder")
_is_newest = pytest.mark.skipif(sys.version_info < (3, 14), reason="from Python 3.14 on")


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    script = tmp_path / "shop.py"
    script.write_text(_PROGRAM)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FUNCTRACE", "PYTHON"))}
    started = subprocess.Popen(
        [sys.executable, str(script)],
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    read_until(started.stdout, "ready")
    yield started
    end(started)


def _functrace(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "functrace", *words],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@_is_newest
def test_a_program_is_traced_from_now_on(process: subprocess.Popen[str]) -> None:
    pid = str(process.pid)
    done = _functrace("on", pid)
    assert (done.returncode, done.stderr) == (
        0,
        f"functrace on: tracing is on in process {pid}\n",
    )
    functions: set[str] = set()
    while "__main__.handle.<locals>.inner" not in functions:
        report = json.loads(_functrace("report", "--json", pid).stdout)
        functions = {function["function"] for function in report["functions"]}
    assert functions == {
        "__main__.handle",
        "__main__.handle.<locals>.inner",
        "__main__.Store.get",
    }
    for verb, state in (("off", "off"), ("on", "on")):
        done = _functrace(verb, pid)
        assert done.stderr == f"functrace {verb}: tracing is {state} in shop ({pid})\n"
    assert process.poll() is None
    assert end(process) == ""


@pytest.mark.skipif(sys.version_info < (3, 11), reason="code has qualified names from 3.11 on")
def test_finding_functions_runs_nothing_of_the_program() -> None:
    from functrace.pyimport.attached import _functions

    class Globals(dict):  # type: ignore[type-arg]
        def get(self, *_: object) -> object:
            raise AssertionError("a method of the program ran")

    class Text(str):
        def __getitem__(self, _: object) -> str:
            raise AssertionError("a method of the program ran")

        startswith = __format__ = __getitem__  # type: ignore[assignment]

    program = Globals({"__name__": "shop"})
    exec(compile("def sell(): pass", "/srv/shop.py", "exec"), program)
    sell = program["sell"]
    sell.__code__ = sell.__code__.replace(co_filename=Text("/srv/shop.py"))
    assert (sell.__code__, "shop.sell") in list(_functions())


@_is_newest
def test_the_commands_variables_apply(process: subprocess.Popen[str]) -> None:
    pid = str(process.pid)
    assert _functrace("on", pid, FUNCTRACE_INCLUDE="Store.*").returncode == 0
    functions: set[str] = set()
    while not functions:
        report = json.loads(_functrace("report", "--json", pid).stdout)
        functions = {function["function"] for function in report["functions"]}
    assert functions == {"__main__.Store.get"}


@_is_newest
def test_a_wrong_variable_is_reported_and_the_program_runs_on(
    process: subprocess.Popen[str],
) -> None:
    done = _functrace("on", str(process.pid), FUNCTRACE_MAX_SIZE="much")
    assert done.returncode == 1
    assert "FUNCTRACE_MAX_SIZE=much is not a size such as 500M or 2G" in done.stderr
    assert process.poll() is None
    assert end(process) == ""


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="before Python 3.14")
def test_an_older_python_is_refused(process: subprocess.Popen[str]) -> None:
    done = _functrace("on", str(process.pid))
    assert done.returncode == 1
    assert done.stderr == (
        f"functrace: process {process.pid} cannot be switched: it was started without"
        " FUNCTRACE_SIGNAL; start it with FUNCTRACE=ring and FUNCTRACE_SIGNAL=USR1"
        f" (it runs Python {sys.version_info[0]}.{sys.version_info[1]};"
        " from 3.14 on this is not needed)\n"
    )


def test_another_program_is_refused() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        done = _functrace("on", str(process.pid))
        process.kill()
    assert done.returncode == 1
    assert done.stderr == (
        f"functrace: process {process.pid} cannot be switched: it is not traced,"
        " and does not run Python\n"
    )


def test_a_process_that_has_ended_is_refused() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    done = _functrace("on", str(process.pid))
    assert done.stderr == f"functrace: process {process.pid}: there is no such process\n"
